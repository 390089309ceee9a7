"""Holding a build's documents against each other, against its record, and against the images as they lie there."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brqos.errors import BrqosError, ConfigurationError
from brqos.image.hashing import hash_image
from brqos.image.model import Image, ImageRole
from brqos.monitor import Monitor
from brqos.provenance.checks import Check, compared, failed, not_checked, ok
from brqos.provenance.documents import PROVENANCE_FILE, SBOM_FILE, read_document
from brqos.provenance.materials import materials_of
from brqos.provenance.statement import PROVENANCE, STATEMENT
from brqos.provenance.subjects import subjects_of
from brqos.record import BuildRecord, StoredBuild

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
    kind = f"{found.provenance.get('predicateType')} in {found.provenance.get('_type')}"
    yield compared("provenance is SLSA's", kind, f"{PROVENANCE} in {STATEMENT}", told=PROVENANCE)
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
    yield _check_materials(record, found)
    if record.result is not None:
        os_image = next((image.sha256 for image in record.result.images if image.role is ImageRole.OS), None)
        yield compared("SBOM is about the OS image", _os_image(found.sbom), os_image)
    if record.attested is not None:
        yield compared("SBOM is the one of the record", found.sbom_sha256, record.attested.sbom_sha256)
        known = record.attested.provenance_sha256
        told = f"SHA-256 {known}"
        yield compared("provenance is the one of the record", found.provenance_sha256, known, told=told)


def check_images(stored: StoredBuild, found: Read, monitor: Monitor) -> Iterator[Check]:
    """The images of the record, as they lie in its folder, against the record and the provenance's subjects."""
    result = stored.record.result
    for image in result.images if result else ():
        what, file = f"{image.role.value} image", stored.path(image.file)
        if not file.is_file():
            yield not_checked(what, f"{file.name} is not there")
            continue
        yield _check_file(what, image.role, file, found, monitor, image)


def check_image(file: Path, found: Read, monitor: Monitor) -> Check:
    """Any file against the provenance's subjects; raises ConfigurationError for a file that is no image."""
    if not file.is_file():
        raise ConfigurationError(f"there is no image {file}", todo="Correct --image.")
    return _check_file(f"image {file.name}", ImageRole.OS, file, found, monitor)


def _check_file(
    what: str, role: ImageRole, file: Path, found: Read, monitor: Monitor, recorded: Image | None = None
) -> Check:
    try:
        hashed = hash_image(role, file, monitor)
    except ConfigurationError as error:
        return failed(what, f"{error.what}: {error.why}")
    # One of the subjects is not enough: the data image in the place of the OS image is none of this build's OS images.
    if recorded is not None and hashed.sha256 != recorded.sha256:
        return failed(what, f"SHA-256 is {hashed.sha256}, not {recorded.sha256} as the record has it")
    if hashed.sha256 not in found.subjects.values():
        return failed(what, f"SHA-256 {hashed.sha256} is no subject of the provenance")
    packed = "" if hashed.file_sha256 in found.subjects.values() else ", packed anew"
    return ok(what, f"SHA-256 {hashed.sha256}{packed}")


def told(error: BrqosError) -> str:
    """An error in one line of a table."""
    return ": ".join(part for part in (error.what, " ".join(error.why.split())) if part)


def _check_materials(record: BuildRecord, found: Read) -> Check:
    """What the provenance says of the build's sources against the record; a later brqos may know of more than it says.

    Without that, a record of another commit would pass with documents that nobody signed.
    """
    what = "sources are those of the record"
    known = [_material(item) for item in materials_of(record)]
    told = [_material(item) for item in _materials(found.provenance)]
    others = sorted({name for name, digest in told if (name, digest) not in known})
    if others or not told:
        return failed(what, f"other than in the record: {', '.join(others)}" if others else "it names none")
    return ok(what, f"{len(told)} of them")


def _material(descriptor: Document) -> tuple[str, object]:
    return str(descriptor.get("name", "")), descriptor.get("digest")


def _materials(statement: Document) -> list[Document]:
    found = _below(statement, "predicate", "buildDefinition", "resolvedDependencies")
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _below(document: object, *keys: str) -> Any:  # noqa: ANN401 - whatever JSON has
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def _subjects(statement: Document) -> Iterator[tuple[str, str]]:
    subjects = statement.get("subject")
    for subject in subjects if isinstance(subjects, list) else []:
        if isinstance(subject, dict) and isinstance(digest := subject.get("digest"), dict):
            yield str(subject.get("name", "")), str(digest.get("sha256", ""))


def _byproduct(statement: Document, name: str) -> str | None:
    details = _below(statement, "predicate", "runDetails", "byproducts")
    for item in details if isinstance(details, list) else []:
        if isinstance(item, dict) and item.get("name") == name and isinstance(digest := item.get("digest"), dict):
            return str(digest.get("sha256"))
    return None


def _os_image(bom: Document) -> str | None:
    """The hash of the main component."""
    found = _below(bom, "metadata", "component", "hashes")
    first = found[0] if isinstance(found, list) and found else None
    return str(first.get("content")) if isinstance(first, dict) else None
