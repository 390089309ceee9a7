"""The documents in a build's folder: their names, how they come to be, and how they are read again."""

import hashlib
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from brqos.errors import ConfigurationError
from brqos.files import write_atomically
from brqos.provenance import envelope
from brqos.provenance.bom import bom_of
from brqos.provenance.envelope import Envelope
from brqos.provenance.inventory import Inventory, read_inventory
from brqos.provenance.statement import provenance_statement, sbom_statement, written
from brqos.record import StoredBuild
from brqos.stages import Stage

FOLDER = Path("attestations")
SBOM_FILE = FOLDER / "sbom.cdx.json"
PROVENANCE_FILE = FOLDER / "provenance.json"
SBOM_ENVELOPE = FOLDER / "sbom.dsse.json"
PROVENANCE_ENVELOPE = FOLDER / "provenance.dsse.json"
CYCLONEDX = "application/vnd.cyclonedx+json"


@dataclass(frozen=True, slots=True)
class Documents:
    """Both documents as they are written, and what goes into the envelopes."""

    sbom: str
    provenance: str
    packages: int
    why_no_inventory: str = ""

    @property
    def sbom_sha256(self) -> str:
        """The SHA-256 of the bill of materials."""
        return hashlib.sha256(self.sbom.encode()).hexdigest()

    @property
    def provenance_sha256(self) -> str:
        """The SHA-256 of the provenance."""
        return hashlib.sha256(self.provenance.encode()).hexdigest()


def compose(stored: StoredBuild) -> Documents:
    """Write both documents into memory; raises ConfigurationError for a build that has no images yet."""
    record = stored.record
    if record.result is None:
        raise ConfigurationError(
            f"the build {record.id} has no image yet, so there is nothing to attest",
            todo="Finish it first: run the same `brqos build` again.",
        )
    inventory, why = _inventory(stored)
    sbom = written(bom_of(record, inventory, why_none=why, made=_made(stored)))
    sha256 = hashlib.sha256(sbom.encode()).hexdigest()
    byproducts = [_byproduct(SBOM_FILE, sha256, CYCLONEDX), *_left(stored, inventory)]
    provenance = written(provenance_statement(record, byproducts))
    return Documents(sbom, provenance, len(inventory.packages) if inventory else 0, why)


def write(stored: StoredBuild, documents: Documents) -> bool:
    """Put both into the build's folder; an envelope over another content is taken away, since it speaks of that.

    So is what is no envelope at all: it could never be signed again. Returns whether one was taken away.
    """
    taken_away = False
    for file, text in ((SBOM_FILE, documents.sbom), (PROVENANCE_FILE, documents.provenance)):
        write_atomically(stored.path(file), text)
    for file, payload in payloads(stored, documents).items():
        if _is_over_another(stored, file, payload):
            stored.path(file).unlink(missing_ok=True)
            bundle_of(stored.path(file)).unlink(missing_ok=True)
            taken_away = True
    return taken_away


def is_signed_as(stored: StoredBuild, documents: Documents) -> bool:
    """Whether both envelopes are there, over just these documents."""
    found = payloads(stored, documents)
    return all(stored.path(file).is_file() and not _is_over_another(stored, file, found[file]) for file in found)


def _is_over_another(stored: StoredBuild, file: Path, payload: bytes) -> bool:
    try:
        old = signed(stored, file)
    except ConfigurationError:
        return True
    return old is not None and old.payload != payload


def payloads(stored: StoredBuild, documents: Documents) -> dict[Path, bytes]:
    """What is signed, by the envelope's file: the provenance as it lies there, and a statement about the other."""
    statement = sbom_statement(stored.record, json.loads(documents.sbom))
    return {PROVENANCE_ENVELOPE: documents.provenance.encode(), SBOM_ENVELOPE: written(statement).encode()}


def signed(stored: StoredBuild, file: Path) -> Envelope | None:
    """The envelope of that name; None where there is none. Raises ConfigurationError for what is none."""
    path = stored.path(file)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    return envelope.parse(data, path)


def bundle_of(file: Path) -> Path:
    """Where cosign keeps certificate and log entry of a signature without a key, beside the envelope."""
    return file.with_name(file.name.replace(".dsse.json", ".sigstore.json"))


def read_document(stored: StoredBuild, file: Path) -> tuple[bytes, dict[str, Any]]:
    """A document's bytes and what is in it; raises ConfigurationError where it is not there or no document."""
    path = stored.path(file)
    try:
        data = path.read_bytes()
        found = json.loads(data)
    except FileNotFoundError:
        raise ConfigurationError(f"there is no {path}", todo="Write it: brqos attest.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"{path} is no document", why=str(error), todo="Write it: brqos attest.") from None
    if not isinstance(found, dict):
        raise ConfigurationError(f"{path} is no document", why="It is no JSON object.", todo="Write it: brqos attest.")
    return data, found


def _inventory(stored: StoredBuild) -> tuple[Inventory | None, str]:
    result = stored.record.result
    if result is None or result.inventory is None:
        where = "the image" if stored.record.repack else "the build's output"
        return None, f"{where} has no application-inventory.json"
    try:
        return read_inventory(stored.path(result.inventory)), ""
    except ConfigurationError as error:
        return None, f"{Path(result.inventory).name} cannot be used. {error.why}"


def _made(stored: StoredBuild) -> datetime:
    """SOURCE_DATE_EPOCH (reproducible-builds.org), else when the image was there."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    if epoch.isdigit():
        try:
            return datetime.fromtimestamp(int(epoch), UTC)
        except (OverflowError, ValueError, OSError):
            raise ConfigurationError(
                f"SOURCE_DATE_EPOCH={epoch} is no time", todo="Give seconds since 1970, or unset it."
            ) from None
    done = stored.record.stages.get(Stage.BUILD)
    return done.finished if done else stored.record.created


def _left(stored: StoredBuild, inventory: Inventory | None) -> list[dict[str, Any]]:
    """What else the build left: its log, as it was then, and upstream's list of packages."""
    record = stored.record
    found = []
    if record.log and record.origin and record.origin.log_sha256:
        found.append(_byproduct(record.log, record.origin.log_sha256, "text/plain"))
    if inventory and record.result and record.result.inventory:
        found.append(_byproduct(record.result.inventory, inventory.sha256, "application/json"))
    return found


def _byproduct(file: Path, sha256: str, kind: str) -> dict[str, Any]:
    return {"name": file.name, "digest": {"sha256": sha256}, "mediaType": kind}
