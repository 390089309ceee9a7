"""An emulator, and a client that signs by hand: what boto3 would never send has to be refused as well."""

import base64
import hashlib
import hmac
import http.client
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from brqos.rehearsal.emulator import ACCESS_KEY, SECRET_KEY, Emulator

BLOCK = 524288


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        return self.headers["x-amzn-errortype"]


class Clock:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


class RawClient:
    """Sends whatever it is told, with a signature that is right unless a test spoils it."""

    def __init__(self, emulator: Emulator, *, key: str = ACCESS_KEY, secret: str = SECRET_KEY) -> None:
        self.address = emulator.endpoint.removeprefix("http://")
        self.key, self.secret = key, secret

    def send(
        self,
        method: str,
        path: str,
        *,
        service: str = "ebs",
        region: str = "eu-west-1",
        headers: dict[str, str] | None = None,
        body: bytes = b"",
        payload: str | None = None,
        date: datetime | None = None,
        spoil: Callable[[dict[str, str]], None] = lambda _: None,
    ) -> Answer:
        stamp = (date or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
        target, _, query = path.partition("?")
        sent = {"host": self.address, "x-amz-date": stamp, **{k.lower(): v for k, v in (headers or {}).items()}}
        if payload is not None:
            sent["x-amz-content-sha256"] = payload
        names = sorted(sent)
        canonical = "\n".join(
            [
                method,
                target,
                query,
                *(f"{name}:{sent[name]}" for name in names),
                "",
                ";".join(names),
                payload or hashlib.sha256(body).hexdigest(),
            ]
        )
        scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signing = f"AWS4{self.secret}".encode()
        for part in scope.split("/"):
            signing = hmac.new(signing, part.encode(), hashlib.sha256).digest()
        signature = hmac.new(signing, text.encode(), hashlib.sha256).hexdigest()
        sent["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self.key}/{scope}, SignedHeaders={';'.join(names)}, Signature={signature}"
        )
        spoil(sent)
        connection = http.client.HTTPConnection(self.address, timeout=10)
        connection.request(method, path, body, sent)
        response = connection.getresponse()
        answer = Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        connection.close()
        return answer

    def start(self, **members: object) -> Answer:
        body = json.dumps({"VolumeSize": 1, **members}).encode()
        return self.send("POST", "/snapshots", body=body)

    def put(self, snapshot: str, index: int, data: bytes, **headers: str | None) -> Answer:
        given: dict[str, str | None] = {
            "x-amz-data-length": str(BLOCK),
            "x-amz-checksum": base64.b64encode(hashlib.sha256(data).digest()).decode(),
            "x-amz-checksum-algorithm": "SHA256",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        kept = {name: value for name, value in given.items() if value is not None}
        path = f"/snapshots/{snapshot}/blocks/{index}"
        return self.send("PUT", path, headers=kept, body=data, payload="UNSIGNED-PAYLOAD")

    def complete(self, snapshot: str, count: int, blocks: list[bytes] | None = None, **headers: str) -> Answer:
        given = {"x-amz-changedblockscount": str(count)}
        if blocks is not None:
            digests = b"".join(hashlib.sha256(block).digest() for block in blocks)
            given |= {
                "x-amz-checksum": base64.b64encode(hashlib.sha256(digests).digest()).decode(),
                "x-amz-checksum-algorithm": "SHA256",
                "x-amz-checksum-aggregation-method": "LINEAR",
            }
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.send("POST", f"/snapshots/completion/{snapshot}", headers=given)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def emulator(clock: Clock) -> Iterator[Emulator]:
    with Emulator(delay=5, clock=clock) as running:
        yield running


@pytest.fixture
def raw(emulator: Emulator) -> RawClient:
    return RawClient(emulator)
