"""An HTTP/1.1 server on sockets and threads, made for one thing: taking in 512 KiB blocks with little CPU.

The requests of a connection go through one buffer that is used again and again; a block's body is handed on as a view
of it, so that its bytes are copied once by the kernel and never by Python.
"""

import contextlib
import selectors
import socket
import struct
import threading
import time
from dataclasses import replace
from email.utils import formatdate
from functools import lru_cache
from http.client import responses
from typing import Protocol

from brqos.rehearsal.emulator.delivery import Cut, Delivery, Ticket
from brqos.rehearsal.emulator.head import Head, MalformedRequestError, parse_head
from brqos.rehearsal.emulator.wire import Request, Response

_LARGEST_HEAD = 32 << 10
_BUFFER = (512 << 10) + _LARGEST_HEAD
_PIECES = 8
# Linger on, for no time: closing then sends a reset instead of an orderly end.
_RESET = struct.pack("ii", 1, 0)


class Application(Protocol):
    """What the server asks; both methods may be called from many threads at once."""

    def announce(self, head: Head) -> Ticket:
        """A request's head is in, its body is not."""

    def answer(self, request: Request, ticket: Ticket) -> Delivery:
        """The whole request is in."""


class Server:
    """Listens on 127.0.0.1; each connection has a thread."""

    def __init__(self, port: int, application: Application) -> None:
        self._application = application
        self._listener = socket.create_server(("127.0.0.1", port), backlog=512)
        self._wake_up, self._woken = socket.socketpair()
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        self._stopping = False

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._listener.getsockname()[1])

    def serve_forever(self) -> None:
        """Take connections until `end`."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while not self._stopping:
                selector.select()
                if not self._stopping:
                    self._accept()

    def end(self) -> None:
        """Make `serve_forever` return; takes no lock, so that a signal's handler may call it."""
        self._stopping = True
        with contextlib.suppress(OSError):
            self._wake_up.send(b"x")

    def end_connections(self) -> None:
        """End all connections, those in the middle of a request too."""
        with self._guard:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the port back."""
        for each in (self._listener, self._wake_up, self._woken):
            each.close()

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._guard:
            self._open.add(connection)
        threading.Thread(target=self._converse, args=(connection,), name="emulator-connection", daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        try:
            with contextlib.suppress(OSError):
                _Conversation(connection, self._application).run()
        finally:
            with self._guard:
                self._open.discard(connection)
            connection.close()


class _Conversation:
    """One connection: requests, one after another."""

    def __init__(self, connection: socket.socket, application: Application) -> None:
        self._connection = connection
        self._application = application
        self._buffer = bytearray(_BUFFER)
        self._filled = 0

    def run(self) -> None:
        going_on = True
        while going_on:
            try:
                going_on = self._exchange()
            except MalformedRequestError as error:
                self._send(Response(error.status), keep_alive=False)
                return

    def _exchange(self) -> bool:
        end = self._read_head()
        if end < 0:
            return False
        head = parse_head(bytes(memoryview(self._buffer)[:end]))
        ticket = self._application.announce(head)
        if head.expects_continue:
            self._connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        start, length = end + 4, head.length
        if ticket.resets_in_body:
            self._fill(start, length // 2)
            self._reset()
            return False
        if not self._fill(start, length):
            return False
        body: bytes | memoryview = memoryview(self._buffer)[start : start + length]
        if head.method != "PUT":
            body = bytes(body)
        request = Request(head.method, head.path, head.raw_query, head.headers, body)
        delivery = self._application.answer(request, ticket)
        if head.method == "HEAD" and delivery.response is not None:
            delivery = replace(delivery, response=_without_body(delivery.response))
        going_on = self._deliver(delivery, keep_alive=head.keep_alive)
        self._drop(start + length)
        return going_on

    def _read_head(self) -> int:
        """Read until a whole head is in; where it ends, or -1 at the end of the connection."""
        seen = 0
        while True:
            end = self._buffer.find(b"\r\n\r\n", max(0, seen - 3), min(self._filled, _LARGEST_HEAD))
            if end >= 0:
                return end
            if self._filled >= _LARGEST_HEAD:
                raise MalformedRequestError(431, "the head is too large")
            seen = self._filled
            received = self._connection.recv_into(memoryview(self._buffer)[self._filled :])
            if received == 0:
                return -1
            self._filled += received

    def _fill(self, start: int, length: int) -> bool:
        """Read until `length` bytes from `start` are in; whether they came."""
        if start + length > len(self._buffer):
            self._buffer = self._buffer[: self._filled] + bytearray(start + length - self._filled)
        while (missing := start + length - self._filled) > 0:
            place = memoryview(self._buffer)[self._filled : self._filled + missing]
            # One call for all of it: each one more would have to wait for the interpreter's lock again.
            received = self._connection.recv_into(place, missing, socket.MSG_WAITALL)
            if received == 0:
                return False
            self._filled += received
        return True

    def _drop(self, end: int) -> None:
        """Forget a request; what a client sent behind it is the beginning of the next one."""
        rest = self._filled - end
        if rest > 0:
            self._buffer[:rest] = self._buffer[end : self._filled]
        self._filled = max(0, rest)

    def _deliver(self, delivery: Delivery, *, keep_alive: bool) -> bool:
        if delivery.cut is Cut.RESET:
            self._reset()
            return False
        if delivery.response is None or delivery.cut is Cut.CLOSED:
            return False
        if delivery.cut is Cut.IN_ANSWER:
            data = _serialized(delivery.response, keep_alive=keep_alive)
            self._connection.sendall(data[: len(data) - max(1, len(delivery.response.body) // 2)])
            # A reset overtakes what the client has not read yet; this one shall see the first half.
            time.sleep(0.05)
            self._reset()
            return False
        if delivery.seconds:
            self._trickle(_serialized(delivery.response, keep_alive=keep_alive), delivery.seconds)
        else:
            self._send(delivery.response, keep_alive=keep_alive)
        return keep_alive

    def _send(self, response: Response, *, keep_alive: bool) -> None:
        self._connection.sendall(_serialized(response, keep_alive=keep_alive))

    def _trickle(self, data: bytes, seconds: float) -> None:
        size = -(-len(data) // _PIECES)
        for start in range(0, len(data), size):
            time.sleep(seconds / _PIECES)
            self._connection.sendall(data[start : start + size])

    def _reset(self) -> None:
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)


def _without_body(response: Response) -> Response:
    length = response.headers.get("Content-Length", str(len(response.body)))
    return Response(response.status, b"", {**response.headers, "Content-Length": length})


def _serialized(response: Response, *, keep_alive: bool) -> bytes:
    lines = [
        f"HTTP/1.1 {response.status} {responses.get(response.status, 'Unknown')}",
        f"Date: {_date(int(time.time()))}",
    ]
    lines += [f"{name}: {value}" for name, value in response.headers.items()]
    # The answer to HEAD says how long the one to GET would be, and has no body.
    if "Content-Length" not in response.headers:
        lines.append(f"Content-Length: {len(response.body)}")
    if not keep_alive:
        lines.append("Connection: close")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + response.body


@lru_cache(maxsize=4)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)
