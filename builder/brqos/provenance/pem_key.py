"""Verifying with a public key in a file, as cosign and openssl write it (PEM); nothing but the key is asked."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from brqos.errors import ConfigurationError, ToolError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

Verifier = Callable[[bytes, bytes], bool]
"""Takes what was signed and a signature over it."""


def verifier(file: Path) -> Verifier:
    """What verifies with the key in a file; raises ConfigurationError for no such key, ToolError without cryptography.

    With SHA-256 over an elliptic curve or by RSA (PKCS #1 v1.5, what cosign and KMS make), or Ed25519.
    """
    try:
        from cryptography.hazmat.primitives.serialization import load_pem_public_key
    except ImportError as error:
        raise ToolError(
            "cryptography is not installed, so that no signature can be verified with a key in a file",
            why=str(error),
            todo="Install it: pip install 'brqos[attest]'.",
        ) from None
    try:
        data = file.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"the key {file} cannot be read", why=error.strerror or str(error), todo="Correct the path."
        ) from None
    if b"PRIVATE KEY" in data:
        raise ConfigurationError(
            f"{file} is a private key",
            why="Signatures are verified with its public half.",
            todo="Give that: cosign wrote cosign.pub beside it (`cosign public-key --key FILE` prints it).",
        )
    try:
        return _verifier(load_pem_public_key(data), file)
    except ValueError as error:
        raise ConfigurationError(
            f"{file} is no public key in PEM", why=str(error), todo="Give one such as cosign.pub."
        ) from None


def _verifier(key: "PublicKeyTypes", file: Path) -> Verifier:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
    from cryptography.hazmat.primitives.hashes import SHA256

    def verified(data: bytes, signature: bytes) -> bool:
        try:
            match key:
                case ec.EllipticCurvePublicKey():
                    key.verify(signature, data, ec.ECDSA(SHA256()))
                case rsa.RSAPublicKey():
                    key.verify(signature, data, padding.PKCS1v15(), SHA256())
                case ed25519.Ed25519PublicKey():
                    key.verify(signature, data)
        except InvalidSignature:
            return False
        return True

    if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey):
        raise ConfigurationError(
            f"keys of the kind in {file} do not sign documents",
            why=f"It is {type(key).__name__}.",
            todo="Give an elliptic curve's, RSA's or Ed25519's.",
        )
    return verified
