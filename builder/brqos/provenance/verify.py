"""Holding a build's documents against each other, against its record, and against the images as they lie there."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brqos.errors import BrqosError, ConfigurationError
from brqos.image.hashing import hash_image
from brqos.image.model import ImageRole
from brqos.monitor import Monitor
from brqos.provenance.checks import Check, compared, failed, not_checked, ok
from brqos.provenance.documents import PROVENANCE_FILE, SBOM_FILE, read_document
from brqos.provenance.statement import PROVENANCE, STATEMENT
from brqos.provenance.subjects import subjects_of
from brqos.record import StoredBuild

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Read:
    """Both documents, with the bytes that hashes and signatures are over."""

    sbom: Document
    sbom_sha256: str
    provenance: Document
    provenance_bytes: bytes

    @property
    def provenance_sha256(self) -> str:
        """The SHA-256 of the provenance."""
        return hashlib.sha256(self.provenance_bytes).hexdigest()

    @property
    def subjects(self) -> Mapping[str, str]:
        """Name and SHA-256 of everything that the provenance is about."""
        return dict(_subjects(self.provenance))


def read(stored: StoredBuild) -> Read:
    """Read both documents; raises ConfigurationError where one is not there, or is none."""
    sbom_bytes, sbom = read_document(stored, SBOM_FILE)
    provenance_bytes, provenance = read_document(stored, PROVENANCE_FILE)
    return Read(sbom, hashlib.sha256(sbom_bytes).hexdigest(), provenance, provenance_bytes)


def check_documents(stored: StoredBuild, found: Read) -> Iterator[Check]:
    """The documents against each other and against the record."""
    kind = (found.provenance.get("_type"), found.provenance.get("predicateType"))
    yield compared("provenance is SLSA's", kind, (STATEMENT, PROVENANCE), told=PROVENANCE)
    named = _byproduct(found.provenance, SBOM_FILE.name)
    yield compared("SBOM is the one of the provenance", found.sbom_sha256, named, told=f"SHA-256 {found.sbom_sha256}")
    record = stored.record
    wanted = {subject["name"]: subject["digest"]["sha256"] for subject in subjects_of(record)}
    # By digest, since the same image may have been given another name on its way.
    missing = sorted(name for name, sha256 in wanted.items() if found.subjects.get(name) != sha256)
    more = sorted(found.subjects.keys() - wanted.keys())
    told = f"{len(wanted)} subjects"
    if missing or more:
        words = [f"not in it: {', '.join(missing)}"] if missing else []
        words += [f"not in the record: {', '.join(more)}"] if more else []
        yield failed("subjects are those of the record", "; ".join(words))
    else:
        yield ok("subjects are those of the record", told)
    if record.result is not None:
        os_image = next((image.sha256 for image in record.result.images if image.role is ImageRole.OS), None)
        yield compared("SBOM is about the OS image", _os_image(found.sbom), os_image)
    if record.attested is not None:
        hashes_now = (found.sbom_sha256, found.provenance_sha256)
        known = (record.attested.sbom_sha256, record.attested.provenance_sha256)
        yield compared("documents are those of the record", hashes_now, known)


def check_images(stored: StoredBuild, found: Read, monitor: Monitor) -> Iterator[Check]:
    """The images of the record, as they lie in its folder, against the provenance's subjects."""
    result = stored.record.result
    for image in result.images if result else ():
        what, file = f"{image.role.value} image", stored.path(image.file)
        if not file.is_file():
            yield not_checked(what, f"{file.name} is not there")
            continue
        yield _check_file(what, image.role, file, found, monitor)


def check_image(file: Path, found: Read, monitor: Monitor) -> Check:
    """Any file against the provenance's subjects; raises ConfigurationError for a file that is no image."""
    if not file.is_file():
        raise ConfigurationError(f"there is no image {file}", todo="Correct --image.")
    return _check_file(f"image {file.name}", ImageRole.OS, file, found, monitor)


def _check_file(what: str, role: ImageRole, file: Path, found: Read, monitor: Monitor) -> Check:
    try:
        hashed = hash_image(role, file, monitor)
    except ConfigurationError as error:
        return failed(what, f"{error.what}: {error.why}")
    if hashed.sha256 not in found.subjects.values():
        return failed(what, f"SHA-256 {hashed.sha256} is no subject of the provenance")
    packed = "" if hashed.file_sha256 in found.subjects.values() else ", packed anew"
    return ok(what, f"SHA-256 {hashed.sha256}{packed}")


def told(error: BrqosError) -> str:
    """An error in one line of a table."""
    return ": ".join(part for part in (error.what, " ".join(error.why.split())) if part)


def _subjects(statement: Document) -> Iterator[tuple[str, str]]:
    subjects = statement.get("subject")
    for subject in subjects if isinstance(subjects, list) else []:
        if isinstance(subject, dict) and isinstance(digest := subject.get("digest"), dict):
            yield str(subject.get("name", "")), str(digest.get("sha256", ""))


def _byproduct(statement: Document, name: str) -> str | None:
    details = statement.get("predicate")
    for key in ("runDetails", "byproducts"):
        details = details.get(key) if isinstance(details, dict) else None
    for item in details if isinstance(details, list) else []:
        if isinstance(item, dict) and item.get("name") == name and isinstance(digest := item.get("digest"), dict):
            return str(digest.get("sha256"))
    return None


def _os_image(bom: Document) -> str | None:
    """The hash of the main component."""
    found: Any = bom
    for key in ("metadata", "component", "hashes"):
        found = found.get(key) if isinstance(found, dict) else None
    first = found[0] if isinstance(found, list) and found else None
    return str(first.get("content")) if isinstance(first, dict) else None
