"""The lean client: what it sends is taken by the strict emulator, what comes back is told in the right kind."""

import hashlib
import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from brqos.aws.block_puts import BlockPuts, Transport, transport_of
from brqos.aws.credentials import Credentials
from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.session import AwsSession
from brqos.rehearsal.emulator import ACCESS_KEY, SECRET_KEY, Emulator, Fault, Key

pytestmark = pytest.mark.loopback
REGION = "eu-west-1"
DATA = b"x" * 524288
DIGEST = hashlib.sha256(DATA).digest()


def client(endpoint: str, **fields: object) -> BlockPuts:
    transport = Transport(endpoint, **fields)  # type: ignore[arg-type]
    return BlockPuts(transport, REGION, lambda: Credentials(ACCESS_KEY, SECRET_KEY), connections=2)


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(delay=0) as running:
        yield running


@pytest.fixture
def snapshot(emulator: Emulator) -> str:
    session = AwsSession(endpoint=emulator.endpoint, credentials=(ACCESS_KEY, SECRET_KEY))
    ebs = session.ebs(REGION)
    return ebs.start(volume_gib=1, description="x", tags={}, token="t", timeout_minutes=60).id


def test_a_block_is_written(emulator: Emulator, snapshot: str) -> None:
    puts = client(emulator.endpoint)
    puts.put(snapshot, 7, DATA, DIGEST)
    assert emulator.store.snapshots[snapshot].blocks == {7: DIGEST}
    puts.close()


def test_temporary_credentials(emulator: Emulator, snapshot: str) -> None:
    emulator.keys["ASIATEMPORARY"] = Key("secret", "000000000000", "token/with+signs=")
    given = [
        Credentials("ASIATEMPORARY", "secret", "stale"),
        Credentials("ASIATEMPORARY", "secret", "token/with+signs="),
    ]
    puts = BlockPuts(Transport(emulator.endpoint), REGION, lambda: given.pop(0), connections=1)
    with pytest.raises(AwsCallError) as caught:
        puts.put(snapshot, 0, DATA, DIGEST)
    assert caught.value.kind is ErrorKind.EXPIRED
    puts.put(snapshot, 0, DATA, DIGEST)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault("RequestThrottledException", 400), ErrorKind.THROTTLED),
        (Fault("ConcurrentLimitExceededException", 400), ErrorKind.THROTTLED),
        (Fault("ResourceNotFoundException", 404, reason="SNAPSHOT_NOT_FOUND"), ErrorKind.NOT_FOUND),
        (Fault("ServiceQuotaExceededException", 402), ErrorKind.QUOTA),
        (Fault("AccessDeniedException", 403), ErrorKind.ACCESS_DENIED),
        (Fault("ExpiredTokenException", 403), ErrorKind.EXPIRED),
        (Fault("InternalServerException", 500), ErrorKind.SERVER),
        (Fault(drop=True), ErrorKind.CONNECTION),
        (Fault(reset="body"), ErrorKind.CONNECTION),
        (Fault(reset="answer"), ErrorKind.CONNECTION),
        (Fault(location="https://ebs.us-east-1.amazonaws.com/"), ErrorKind.REGION),
    ],
)
def test_the_kinds_of_errors(emulator: Emulator, snapshot: str, fault: Fault, kind: ErrorKind) -> None:
    emulator.faults.inject("PutSnapshotBlock", fault)
    puts = client(emulator.endpoint)
    with pytest.raises(AwsCallError) as caught:
        puts.put(snapshot, 0, DATA, DIGEST)
    assert caught.value.kind is kind
    assert "PutSnapshotBlock in eu-west-1" in caught.value.what
    # A connection that was cut in the body is no call yet.
    assert emulator.calls["PutSnapshotBlock"] == (0 if fault.reset == "body" else 1), "one try is one try"
    puts.put(snapshot, 0, DATA, DIGEST)


def test_a_wrong_checksum_is_refused(emulator: Emulator, snapshot: str) -> None:
    with pytest.raises(AwsCallError) as caught:
        client(emulator.endpoint).put(snapshot, 0, DATA, hashlib.sha256(b"other").digest())
    assert caught.value.kind is ErrorKind.VALIDATION
    assert "checksum" in caught.value.why


def test_nobody_answers() -> None:
    with pytest.raises(AwsCallError) as caught:
        client("http://127.0.0.1:1").put("snap-1", 0, DATA, DIGEST)
    assert caught.value.kind is ErrorKind.CONNECTION


@contextmanager
def answering(answer: Callable[[http.server.BaseHTTPRequestHandler], None]) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            answer(self)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_an_answer_that_is_no_aws_error() -> None:
    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(502)
        handler.end_headers()
        handler.wfile.write(b"<html>Bad gateway</html>")

    with answering(answer) as endpoint, pytest.raises(AwsCallError) as caught:
        client(endpoint).put("snap-1", 0, DATA, DIGEST)
    assert (caught.value.kind, caught.value.code) == (ErrorKind.SERVER, "")
    assert "status 502" in caught.value.what


def test_a_proxy_is_used_and_gets_its_password() -> None:
    seen: list[tuple[str, str | None]] = []

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        seen.append((handler.path, handler.headers.get("Proxy-Authorization")))
        handler.send_response(201)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    with answering(answer) as proxy:
        address = proxy.removeprefix("http://")
        puts = client("http://ebs.example.com", proxies={"http": f"http://user:secret@{address}"})
        puts.put("snap-1", 3, DATA, DIGEST)
    assert seen == [("http://ebs.example.com/snapshots/snap-1/blocks/3", "Basic dXNlcjpzZWNyZXQ=")]


def test_a_proxys_password_stays_out_of_errors() -> None:
    puts = client("http://ebs.example.com", proxies={"http": "http://user:secret@127.0.0.1:1"})
    with pytest.raises(AwsCallError) as caught:
        puts.put("snap-1", 0, DATA, DIGEST)
    assert "secret" not in str(caught.value)


def test_the_transport_is_that_of_botocore(monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore.config import Config

    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.com:3128")
    config = Config(connect_timeout=3, read_timeout=4, client_cert=("a.crt", "a.key"))
    found = transport_of("https://ebs.eu-west-1.amazonaws.com", verify=None, config=config)
    assert found.proxies["https"] == "http://proxy.example.com:3128"
    assert (found.connect_seconds, found.read_seconds) == (3, 4)
    assert found.client_certificate == ("a.crt", "a.key")
    assert found.verify is True
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/own.pem")
    assert transport_of("https://x", verify=None, config=Config()).verify == "/etc/own.pem"
    assert transport_of("https://x", verify="/etc/aws.pem", config=Config()).verify == "/etc/aws.pem"
    assert transport_of("https://x", verify=None, config=Config(proxies={})).proxies == {}


def test_a_session_hands_its_settings_on(monkeypatch: pytest.MonkeyPatch, emulator: Emulator, snapshot: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_EBS", emulator.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    AwsSession().ebs(REGION).put(snapshot, 0, DATA, DIGEST)
    assert set(emulator.store.snapshots[snapshot].blocks) == {0}
