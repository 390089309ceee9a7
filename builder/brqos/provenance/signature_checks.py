"""Holding the signatures of a build's documents against the documents and against a key."""

import json
from collections.abc import Iterator

from brqos.errors import ConfigurationError
from brqos.provenance.checks import Check, failed, not_checked, ok
from brqos.provenance.documents import PROVENANCE_ENVELOPE, SBOM_ENVELOPE, signed
from brqos.provenance.envelope import PAYLOAD_TYPE, Envelope
from brqos.provenance.signing import Verifier
from brqos.provenance.statement import SBOM
from brqos.provenance.verify import Read
from brqos.record import StoredBuild


def check_signatures(
    stored: StoredBuild, found: Read, verifier: Verifier | None, *, by: str, required: bool
) -> Iterator[Check]:
    """Both envelopes: their payload, and with a verifier (`by` says whose) who signed it.

    Without a verifier a signature is not checked. Where there is none at all it is a failure only if it is `required`.
    """
    for what, file in (("signature of the provenance", PROVENANCE_ENVELOPE), ("signature of the SBOM", SBOM_ENVELOPE)):
        try:
            envelope = signed(stored, file)
        except ConfigurationError as error:
            yield failed(what, f"{error.what}: {error.why}")
            continue
        if envelope is None:
            yield failed(what, "not signed") if required else not_checked(what, "not signed")
            continue
        if (wrong := _wrong_payload(envelope, found, sbom=file == SBOM_ENVELOPE)) is not None:
            yield failed(what, wrong)
        elif verifier is None:
            yield not_checked(what, f"signed{_named(envelope)}; give its key with --key")
        elif verifier(envelope, stored.path(file)):
            yield ok(what, f"by {by}")
        else:
            yield failed(what, f"is not of {by}")


def _wrong_payload(envelope: Envelope, found: Read, *, sbom: bool) -> str | None:
    """Why what was signed is not the document, or None."""
    if envelope.payload_type != PAYLOAD_TYPE:
        return f"it is over something of the type {envelope.payload_type}"
    if not sbom:
        return None if envelope.payload == found.provenance_bytes else "what was signed is not the document"
    try:
        statement = json.loads(envelope.payload)
    except (ValueError, RecursionError):
        return "what was signed is no JSON"
    if not isinstance(statement, dict) or statement.get("predicateType") != SBOM:
        return "what was signed is no statement about an SBOM"
    if statement.get("predicate") != found.sbom:
        return "what was signed is not the document"
    if statement.get("subject") != found.provenance.get("subject"):
        return "what was signed is about other images than the provenance"
    return None


def _named(envelope: Envelope) -> str:
    names = [signature.keyid for signature in envelope.signatures if signature.keyid]
    return f" (it says by {', '.join(names)})" if names else ""
