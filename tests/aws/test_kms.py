"""Signing by KMS, at moto and at the emulator: what the one signs is what `cryptography` takes for signed."""

import hashlib
from typing import Any

import boto3
import moto
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.kms import Kms
from brqos.aws.session import AwsSession
from brqos.rehearsal.emulator import ACCESS_KEY, ACCOUNT, SECRET_KEY, Emulator, Fault

REGION = "eu-west-1"
ARN = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
DIGEST = hashlib.sha256(b"data").digest()
ECDSA, RSA = "ECDSA_SHA_256", "RSASSA_PKCS1_V1_5_SHA_256"


@pytest.fixture
def kms(emulator: Emulator) -> Kms:
    return AwsSession(endpoint=emulator.endpoint, credentials=(ACCESS_KEY, SECRET_KEY)).kms(REGION)


def scenario(kms: Kms, key: str, algorithm: str) -> bytes:
    """What any signer does; returns a signature over DIGEST."""
    public = kms.public_key(key)
    assert public.usage == "SIGN_VERIFY"
    assert algorithm in public.algorithms
    signature = kms.sign(key, DIGEST, algorithm)
    assert kms.verify(key, DIGEST, signature, algorithm)
    assert not kms.verify(key, hashlib.sha256(b"other").digest(), signature, algorithm)
    assert not kms.verify(key, DIGEST, bytes(len(signature)), algorithm)
    return signature


def check_with_cryptography(der: bytes, signature: bytes) -> None:
    """Raises if it is not the key's over what DIGEST is of."""
    opened = load_der_public_key(der)
    if isinstance(opened, ec.EllipticCurvePublicKey):
        opened.verify(signature, DIGEST, ec.ECDSA(Prehashed(SHA256())))
    else:
        assert isinstance(opened, rsa.RSAPublicKey)
        opened.verify(signature, DIGEST, padding.PKCS1v15(), Prehashed(SHA256()))


def code(kms: Kms, call: Any) -> tuple[str, ErrorKind]:
    with pytest.raises(AwsCallError) as caught:
        call(kms)
    return caught.value.code, caught.value.kind


@pytest.mark.parametrize(("spec", "algorithm"), [("ECC_NIST_P256", ECDSA), ("RSA_2048", RSA)])
def test_at_moto(spec: Any, algorithm: str) -> None:
    with moto.mock_aws():
        client = boto3.client("kms", region_name=REGION, aws_access_key_id="x", aws_secret_access_key="y")
        key = client.create_key(KeyUsage="SIGN_VERIFY", KeySpec=spec)["KeyMetadata"]["KeyId"]
        # It takes the digest for the message, whatever MessageType says: no signature that others would verify.
        scenario(Kms(client, REGION, None), key, algorithm)


@pytest.mark.loopback
@pytest.mark.parametrize(("spec", "algorithm"), [("ECC_NIST_P256", ECDSA), ("RSA_2048", RSA)])
def test_at_the_emulator(emulator: Emulator, kms: Kms, spec: str, algorithm: str) -> None:
    emulator.store.key_specs[ARN] = spec
    check_with_cryptography(kms.public_key(ARN).der, scenario(kms, ARN, algorithm))


@pytest.mark.loopback
def test_every_name_of_a_key_is_the_same_key(emulator: Emulator, kms: Kms) -> None:
    emulator.store.kms_aliases["alias/attest"] = ARN
    names = (ARN, ARN.rpartition("/")[2], "alias/attest", f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/attest")
    assert {kms.public_key(name).der for name in names} == {kms.public_key(ARN).der}
    assert {kms.public_key(name).arn for name in names} == {ARN}


@pytest.mark.loopback
def test_refusals(emulator: Emulator, kms: Kms) -> None:
    emulator.store.kms_keys = {ARN}
    emulator.store.key_specs[ARN] = "ECC_NIST_P384"
    assert code(kms, lambda kms: kms.public_key("alias/none")) == ("NotFoundException", ErrorKind.NOT_FOUND)
    assert code(kms, lambda kms: kms.public_key(ARN.replace("1234", "4321")))[0] == "NotFoundException"
    assert code(kms, lambda kms: kms.public_key(ARN.replace(REGION, "us-east-1")))[0] == "NotFoundException"
    assert code(kms, lambda kms: kms.sign(ARN, DIGEST, ECDSA)) == ("InvalidKeyUsageException", ErrorKind.VALIDATION)
    assert code(kms, lambda kms: kms.sign(ARN, b"short", "ECDSA_SHA_384"))[1] is ErrorKind.VALIDATION
    emulator.store.key_specs[ARN] = "SYMMETRIC_DEFAULT"
    assert code(kms, lambda kms: kms.public_key(ARN))[0] == "UnsupportedOperationException"


@pytest.mark.loopback
def test_throttling_is_waited_out(emulator: Emulator, kms: Kms) -> None:
    emulator.faults.inject("Sign", Fault(kind="throttled"), times=2)
    assert kms.sign(ARN, DIGEST, ECDSA)
    emulator.faults.inject("Verify", Fault(kind="denied"))
    assert code(kms, lambda kms: kms.verify(ARN, DIGEST, b"x", ECDSA))[1] is ErrorKind.ACCESS_DENIED
