from pathlib import Path

import pytest

from brqos.errors import ConfigurationError, UsageError
from brqos.provenance.keys import KeyKind, parse_key
from brqos.provenance.pem_key import verifier

from .keys import KINDS, sign, written, written_private

ARN = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"


@pytest.mark.parametrize(
    ("name", "kind", "region"),
    [
        (ARN, KeyKind.KMS, "eu-west-1"),
        ("arn:aws-cn:kms:cn-north-1:111122223333:alias/attest", KeyKind.KMS, "cn-north-1"),
        ("alias/attest", KeyKind.KMS, None),
        ("1234abcd-12ab-34cd-56ef-1234567890ab", KeyKind.KMS, None),
        ("mrk-" + "0" * 32, KeyKind.KMS, None),
        (f"awskms:///{ARN}", KeyKind.COSIGN, None),
        ("hashivault://attest", KeyKind.COSIGN, None),
        ("pkcs11:token=x", KeyKind.COSIGN, None),
        ("cosign.pub", KeyKind.FILE, None),
        ("keys/alias/x.pem", KeyKind.FILE, None),
    ],
)
def test_what_a_key_is_called(name: str, kind: KeyKind, region: str | None) -> None:
    key = parse_key(name)
    assert (key.kind, key.region) == (kind, region)


@pytest.mark.parametrize("name", ["arn:aws:iam::111122223333:role/x", ARN.replace("key/", "grant/"), "arn:"])
def test_an_arn_of_something_else(name: str) -> None:
    with pytest.raises(UsageError, match="not the ARN of a KMS key"):
        parse_key(name)


@pytest.mark.parametrize("kind", KINDS)
def test_keys_in_files(tmp_path: Path, kind: str) -> None:
    key, other = KINDS[kind](), KINDS[kind]()
    verified = verifier(written(key, tmp_path))
    assert verified(b"data", sign(key, b"data"))
    assert not verified(b"other", sign(key, b"data"))
    assert not verified(b"data", sign(other, b"data"))
    assert not verified(b"data", b"")


def test_files_that_cannot_verify(tmp_path: Path) -> None:
    private = written_private(KINDS["ec"](), tmp_path)
    with pytest.raises(ConfigurationError, match="is a private key"):
        verifier(private)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        verifier(tmp_path / "none")
    (tmp_path / "text").write_text("hello")
    with pytest.raises(ConfigurationError, match="no public key in PEM"):
        verifier(tmp_path / "text")
