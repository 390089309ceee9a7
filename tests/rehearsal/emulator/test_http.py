"""The server's HTTP: what it takes, what it refuses, and that connections are kept."""

import socket
from collections.abc import Iterator

import pytest

from brqos.rehearsal.emulator import Emulator
from brqos.rehearsal.emulator.head import MalformedRequestError, parse_head

from .conftest import RawClient

pytestmark = pytest.mark.loopback

GOOD = b"GET /a?b=c HTTP/1.1\r\nHost: x\r\nX-Y: one\r\nx-y:  two \r\nConnection: close"


@pytest.fixture
def connection(emulator: Emulator) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", int(emulator.endpoint.rsplit(":", 1)[1])), timeout=5) as opened:
        yield opened


def received(connection: socket.socket) -> bytes:
    data = b""
    while chunk := connection.recv(65536):
        data += chunk
    return data


def test_a_head() -> None:
    head = parse_head(GOOD)
    assert (head.method, head.path, head.raw_query, head.length, head.keep_alive) == ("GET", "/a", "b=c", 0, False)
    assert head.headers == {"host": "x", "x-y": "one,two", "connection": "close"}
    assert parse_head(b"GET / HTTP/1.0").keep_alive is False
    assert parse_head(b"GET / HTTP/1.1\r\nHost: x").keep_alive is True


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /", 400),
        (b"GET  / HTTP/1.1", 400),
        (b"GET http://x/ HTTP/1.1\r\nHost: x", 400),
        (b"G@T / HTTP/1.1\r\nHost: x", 400),
        (b"GET / HTTP/2.0\r\nHost: x", 505),
        (b"GET / HTTP/1.1", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\n folded", 400),
        (b"GET / HTTP/1.1\r\nHost : x", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nHost: y", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: a\nb", 400),
        (b"PUT / HTTP/1.1\r\nHost: x", 411),
        (b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: -1", 400),
        (b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2", 400),
        (b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999", 413),
        (b"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked", 501),
    ],
)
def test_heads_that_are_refused(head: bytes, status: int) -> None:
    with pytest.raises(MalformedRequestError) as caught:
        parse_head(head)
    assert caught.value.status == status


def test_refusals_are_answered(connection: socket.socket) -> None:
    connection.sendall(b"PUT / HTTP/1.1\r\nHost: x\r\n\r\n")
    answer = received(connection)
    assert answer.startswith(b"HTTP/1.1 411 ")
    assert b"Connection: close" in answer


def test_a_head_without_end(connection: socket.socket) -> None:
    connection.sendall(b"GET / HTTP/1.1\r\n" + b"x" * (32 << 10))
    assert connection.recv(65536).startswith(b"HTTP/1.1 431 ")


def test_requests_one_behind_the_other(connection: socket.socket) -> None:
    one = b"GET /_emulator/calls HTTP/1.1\r\nHost: localhost\r\n\r\n"
    post = b"POST /_emulator/clock HTTP/1.1\r\nHost: localhost\r\nContent-Length: 14\r\n\r\n" + b'{"forward": 5}'
    last = b"GET /_emulator/calls HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    connection.sendall(one + post + one[:10])
    connection.sendall(one[10:] + last)
    answer = received(connection)
    assert answer.count(b"HTTP/1.1 200 OK") == 4
    assert answer.count(b"Date: ") == 4


def test_a_body_that_is_waited_for(connection: socket.socket) -> None:
    head = b"POST /_emulator/clock HTTP/1.1\r\nHost: localhost\r\nContent-Length: 14\r\nExpect: 100-continue\r\n\r\n"
    connection.sendall(head)
    assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
    connection.sendall(b'{"forward": 5}')
    assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK")


def test_a_large_body(connection: socket.socket) -> None:
    body = b'{"forward": 5' + b" " * (1 << 20)
    body = body[: (1 << 20) - 1] + b"}"
    head = f"POST /_emulator/clock HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    for _ in range(2):
        connection.sendall(head + body)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK")


def test_a_client_that_leaves(connection: socket.socket, raw: RawClient) -> None:
    connection.sendall(b"PUT /snapshots/x/blocks/0 HTTP/1.1\r\nHost: x\r\nContent-Length: 524288\r\n\r\nhalf")
    connection.close()
    assert raw.start().status == 201
