"""Signing the documents of a build, and what verifies a signature by the key that somebody names."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from brqos.aws.regions import AwsRegions
from brqos.config.attest import Signer
from brqos.errors import UsageError
from brqos.files import write_atomically
from brqos.monitor import Monitor
from brqos.provenance import cosign, pem_key
from brqos.provenance.documents import Documents, bundle_of, payloads
from brqos.provenance.envelope import Envelope, Signature, encoded
from brqos.provenance.keys import KeyKind, parse_key
from brqos.provenance.kms_key import open_key
from brqos.record import StoredBuild

Verifier = Callable[[Envelope, Path], bool]
"""Takes an envelope and its file; whether one of the signatures is the key's."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Who signs, with which key; cosign takes none as well, and signs keyless then."""

    signer: Signer
    key: str | None = None


def check_wish(wish: Wish) -> None:
    """Refuse at once a key that does not go with its signer; raises UsageError."""
    kind = parse_key(wish.key).kind if wish.key else None
    if wish.signer is Signer.KMS and kind is not KeyKind.KMS:
        raise UsageError(
            f"KMS cannot sign with {f'“{wish.key}”' if wish.key else 'no key'}",
            todo="Give the ARN, the id or the alias (alias/…) of an asymmetric key with --key.",
        )
    if wish.signer is Signer.COSIGN and kind is KeyKind.KMS:
        raise UsageError(
            f"cosign does not know the key “{wish.key}” by that name",
            todo=f"Use --sign kms, or write it as cosign does: awskms:///{wish.key}",
        )


def sign(stored: StoredBuild, documents: Documents, wish: Wish, aws: AwsRegions, monitor: Monitor) -> None:
    """Sign both documents and write the envelopes; both or none. Raises BrqosError."""
    check_wish(wish)
    envelopes: dict[Path, Envelope] = {}
    key = open_key(parse_key(wish.key), aws) if wish.signer is Signer.KMS and wish.key else None
    with monitor.task(f"Signing with {wish.signer}"):
        for file, payload in payloads(stored, documents).items():
            data = encoded(payload)
            signature = key.sign(data) if key else _by_cosign(data, wish.key, bundle_of(stored.path(file)))
            envelopes[file] = Envelope(payload, (signature,))
    for file, envelope in envelopes.items():
        write_atomically(stored.path(file), envelope.text)
        if wish.key is not None:
            bundle_of(stored.path(file)).unlink(missing_ok=True)


def verifier_of(key: str | None, identity: cosign.Identity | None, aws: AwsRegions) -> Verifier:
    """What verifies envelopes with a key, or where there is none by who signed keyless; raises BrqosError."""
    if key is None:
        if identity is None:
            raise ValueError("neither a key nor an identity")
        return lambda envelope, file: cosign.verify_keyless(envelope.signed, bundle_of(file), identity)
    named = parse_key(key)
    match named.kind:
        case KeyKind.KMS:
            opened = open_key(named, aws)
            return lambda envelope, _: _any(envelope, opened.verify)
        case KeyKind.COSIGN:
            return lambda envelope, _: _any(envelope, lambda data, sig: cosign.verify(data, sig, key))
        case KeyKind.FILE:
            by_file = pem_key.verifier(Path(key))
            return lambda envelope, _: _any(envelope, by_file)


def _any(envelope: Envelope, verified: Callable[[bytes, bytes], bool]) -> bool:
    return any(verified(envelope.signed, signature.sig) for signature in envelope.signatures)


def _by_cosign(data: bytes, key: str | None, bundle: Path) -> Signature:
    return cosign.sign(data, key, bundle)
