"""Who may speak to the emulator, and in which form it refuses."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from brqos.rehearsal.emulator import ACCESS_KEY, Emulator, Key

from .conftest import RawClient

pytestmark = pytest.mark.loopback

WHO = b"Action=GetCallerIdentity&Version=2011-06-15"


def identity(raw: RawClient, **arguments: object) -> bytes:
    return raw.send("POST", "/", service="sts", body=WHO, **arguments).body  # type: ignore[arg-type]


def test_a_right_signature(raw: RawClient) -> None:
    assert b"<Account>000000000000</Account>" in identity(raw)


def _other_signature(headers: dict[str, str]) -> None:
    headers["authorization"] = headers["authorization"][:-4] + "0000"


def _other_header(headers: dict[str, str]) -> None:
    headers["x-amz-date"] = headers["x-amz-date"].replace("Z", "Z ")[:-1]
    headers["host"] = "other"


def _no_signature(headers: dict[str, str]) -> None:
    del headers["authorization"]


def _other_service(headers: dict[str, str]) -> None:
    headers["authorization"] = headers["authorization"].replace("/sts/", "/sqs/")


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (_other_signature, b"SignatureDoesNotMatch"),
        (_other_header, b"SignatureDoesNotMatch"),
        (_no_signature, b"MissingAuthenticationToken"),
        (_other_service, b"IncompleteSignature"),
    ],
)
def test_spoilt_signatures(raw: RawClient, spoil: Callable[[dict[str, str]], None], code: bytes) -> None:
    assert b"<Code>" + code + b"</Code>" in identity(raw, spoil=spoil)


def test_an_old_signature(raw: RawClient) -> None:
    assert b"RequestExpired" in identity(raw, date=datetime.now(UTC) - timedelta(hours=1))


def test_an_unknown_key(emulator: Emulator) -> None:
    raw = RawClient(emulator, key="AKIAUNKNOWN")
    assert b"InvalidClientTokenId" in identity(raw)
    assert b"AuthFailure" in raw.send("POST", "/", service="ec2", body=b"Action=DescribeRegions").body
    assert raw.start().error == "UnrecognizedClientException"


def test_any_key() -> None:
    with Emulator(any_key=True) as emulator:
        assert b"<Account>" in identity(RawClient(emulator, key="AKIAUNKNOWN", secret="x"))
        assert b"SignatureDoesNotMatch" in identity(RawClient(emulator, secret="x")), "the known one stays checked"


def test_a_session_token() -> None:
    with Emulator(keys={ACCESS_KEY: Key("secret", "1" * 12, "token")}) as emulator:
        raw = RawClient(emulator, secret="secret")
        assert b"<Account>111111111111" in identity(raw, headers={"x-amz-security-token": "token"})
        assert b"ExpiredToken" in identity(raw, headers={"x-amz-security-token": "old"})
        assert b"ExpiredToken" in identity(raw)


def test_the_declared_hash_of_the_body(raw: RawClient) -> None:
    assert b"InvalidSignatureException" in identity(raw, payload="UNSIGNED-PAYLOAD")
    assert b"InvalidSignatureException" in identity(raw, payload="0" * 64)
    started = raw.send("POST", "/snapshots", body=b'{"VolumeSize": 1}', payload="UNSIGNED-PAYLOAD")
    assert started.error == "InvalidSignatureException"
