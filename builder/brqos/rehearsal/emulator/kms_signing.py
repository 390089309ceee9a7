"""KMS (JSON 1.1) as far as documents are signed with it: keys of its own that are described, sign, and verify.

A key comes to be when it is first asked for, if the store says that it exists (`kms_keys`, `kms_aliases`); what it is
of is in the store's `key_specs`, by ARN, and ECC_NIST_P256 where nothing is said. Nothing of it outlives the emulator.
"""

import base64
import binascii
import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from brqos.rehearsal.emulator import kms
from brqos.rehearsal.emulator.store import Store
from brqos.rehearsal.emulator.wire import Caller, Request, Response, ServiceError, json_object, json_response

if TYPE_CHECKING:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

    PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

_TARGET = "TrentService."
_CONTENT_TYPE = "application/x-amz-json-1.1"
# AWS KMS Developer Guide, "Key spec reference": what each kind of key signs with.
ALGORITHMS = {
    "ECC_NIST_P256": ("ECDSA_SHA_256",),
    "ECC_NIST_P384": ("ECDSA_SHA_384",),
    "RSA_2048": tuple(
        f"{scheme}_SHA_{bits}" for scheme in ("RSASSA_PKCS1_V1_5", "RSASSA_PSS") for bits in (256, 384, 512)
    ),
    "SYMMETRIC_DEFAULT": (),
}
_DIGEST_BYTES = {"256": 32, "384": 48, "512": 64}
_MEMBERS = {
    "DescribeKey": {"KeyId"},
    "GetPublicKey": {"KeyId"},
    "Sign": {"KeyId", "Message", "MessageType", "SigningAlgorithm"},
    "Verify": {"KeyId", "Message", "MessageType", "SigningAlgorithm", "Signature"},
}


def operation_of(target: str | None) -> str:
    """The operation that a request's X-Amz-Target names; empty if it is none of this service."""
    return target.removeprefix(_TARGET) if target and target.startswith(_TARGET) else ""


class KmsSigning:
    """The service `kms`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._keys: dict[str, PrivateKey] = {}

    def answer(self, operation: str, request: Request, caller: Caller) -> Response:
        """Carry out one operation; raises ServiceError."""
        carried_out: dict[str, Callable[[str, Mapping[str, Any]], dict[str, Any]]] = {
            "DescribeKey": self._describe,
            "GetPublicKey": self._public_key,
            "Sign": self._sign,
            "Verify": self._verify,
        }
        if operation not in carried_out:
            raise ServiceError("UnknownOperationException", "The requested operation is not known")
        asked = json_object(request.body)
        if unknown := sorted(asked.keys() - _MEMBERS[operation]):
            raise ServiceError("ValidationException", f"Unknown members: {', '.join(unknown)}")
        with self._store.lock:
            told = carried_out[operation](self._arn(asked, caller), asked)
        headers = {"Content-Type": _CONTENT_TYPE, "x-amzn-RequestId": str(uuid.uuid4())}
        return json_response(told, headers=headers)

    def _arn(self, asked: Mapping[str, Any], caller: Caller) -> str:
        name = asked.get("KeyId")
        aliases = self._store.kms_aliases
        arn = kms.resolved(name, caller.account, caller.region, aliases) if isinstance(name, str) else None
        if arn is None:
            raise ServiceError("NotFoundException", f"Invalid keyId {name}")
        if not self._store.has_key(arn) or arn.endswith("/unknown-alias"):
            raise ServiceError("NotFoundException", f"Key '{arn}' does not exist")
        return arn

    def _spec(self, arn: str) -> str:
        return self._store.key_specs.get(arn, "ECC_NIST_P256")

    def _key(self, arn: str) -> "PrivateKey":
        from cryptography.hazmat.primitives.asymmetric import ec, rsa

        spec = self._spec(arn)
        if spec == "SYMMETRIC_DEFAULT":
            raise ServiceError("UnsupportedOperationException", f"{arn} is a symmetric key")
        if arn not in self._keys:
            curves = {"ECC_NIST_P256": ec.SECP256R1, "ECC_NIST_P384": ec.SECP384R1}
            rsa_key = spec not in curves
            self._keys[arn] = (
                rsa.generate_private_key(65537, 2048) if rsa_key else ec.generate_private_key(curves[spec]())
            )
        return self._keys[arn]

    def _describe(self, arn: str, _asked: Mapping[str, Any]) -> dict[str, Any]:
        """What cosign asks for; brqos itself does not."""
        spec = self._spec(arn)
        known = {"Arn": arn, "KeyId": arn.rpartition("/")[2], "KeySpec": spec, "CustomerMasterKeySpec": spec}
        state = {"Enabled": True, "KeyState": "Enabled", "KeyUsage": "SIGN_VERIFY", "KeyManager": "CUSTOMER"}
        return {"KeyMetadata": {**known, **state, "SigningAlgorithms": list(ALGORITHMS[spec])}}

    def _public_key(self, arn: str, _asked: Mapping[str, Any]) -> dict[str, Any]:
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        der = self._key(arn).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        spec = self._spec(arn)
        return {
            "KeyId": arn,
            "PublicKey": base64.b64encode(der).decode(),
            "KeySpec": spec,
            "CustomerMasterKeySpec": spec,
            "KeyUsage": "SIGN_VERIFY",
            "SigningAlgorithms": list(ALGORITHMS[spec]),
        }

    def _sign(self, arn: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        from cryptography.hazmat.primitives.asymmetric import ec

        key, digest, algorithm = self._key(arn), *self._message(arn, asked)
        prehashed = _prehashed(algorithm)
        if isinstance(key, ec.EllipticCurvePrivateKey):
            signature = key.sign(digest, ec.ECDSA(prehashed))
        else:
            signature = key.sign(digest, _padding(algorithm), prehashed)
        told = {"KeyId": arn, "SigningAlgorithm": algorithm}
        return {**told, "Signature": base64.b64encode(signature).decode()}

    def _verify(self, arn: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric import ec

        key, digest, algorithm = self._key(arn).public_key(), *self._message(arn, asked)
        signature, prehashed = _bytes(asked, "Signature"), _prehashed(algorithm)
        try:
            if isinstance(key, ec.EllipticCurvePublicKey):
                key.verify(signature, digest, ec.ECDSA(prehashed))
            else:
                key.verify(signature, digest, _padding(algorithm), prehashed)
        except InvalidSignature:
            raise ServiceError("KMSInvalidSignatureException", "") from None
        return {"KeyId": arn, "SigningAlgorithm": algorithm, "SignatureValid": True}

    def _message(self, arn: str, asked: Mapping[str, Any]) -> tuple[bytes, str]:
        """The digest and the algorithm; whole messages are not taken, since brqos sends none."""
        algorithm = asked.get("SigningAlgorithm")
        if algorithm not in ALGORITHMS[self._spec(arn)]:
            raise ServiceError("InvalidKeyUsageException", f"{arn} does not sign with {algorithm}")
        if asked.get("MessageType") != "DIGEST":
            raise ServiceError("ValidationException", "Only MessageType DIGEST is emulated")
        digest = _bytes(asked, "Message")
        if len(digest) != _DIGEST_BYTES[str(algorithm)[-3:]]:
            raise ServiceError("ValidationException", "Digest is invalid length for algorithm " + str(algorithm))
        return digest, str(algorithm)


def _bytes(asked: Mapping[str, Any], member: str) -> bytes:
    try:
        return base64.b64decode(asked[member], validate=True)
    except (KeyError, TypeError, binascii.Error):
        raise ServiceError("SerializationException", f"{member} has to be base64") from None


def _hash(algorithm: str) -> "hashes.HashAlgorithm":
    from cryptography.hazmat.primitives import hashes

    found: hashes.HashAlgorithm = hashes.SHA256()
    if algorithm.endswith("384"):
        found = hashes.SHA384()
    elif algorithm.endswith("512"):
        found = hashes.SHA512()
    return found


def _prehashed(algorithm: str) -> "Prehashed":
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

    return Prehashed(_hash(algorithm))


def _padding(algorithm: str) -> "padding.PKCS1v15 | padding.PSS":
    from cryptography.hazmat.primitives.asymmetric import padding

    if "PKCS1" in algorithm:
        return padding.PKCS1v15()
    return padding.PSS(padding.MGF1(_hash(algorithm)), padding.PSS.DIGEST_LENGTH)
