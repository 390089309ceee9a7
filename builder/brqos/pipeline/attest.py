"""A build's bill of materials and provenance: written when there are images, again when there are AMIs, signed, tagged.

The documents are the same bytes for the same record, so whoever writes them again changes nothing. A failure to sign or
to tag comes after everything else, and loses nothing: the record and the documents are there, and the next run of the
same command, or `brqos attest`, goes on.
"""

import hashlib
import importlib.util
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from brqos import __version__
from brqos.ami import tags as tagging
from brqos.ami.calls import PlannedCall, document_calls
from brqos.ami.everywhere import everywhere, told
from brqos.ami.model import RegionAmi
from brqos.ami.plan import AmiPlan
from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.regions import AwsRegions
from brqos.config.attest import AttestSpec, Signer
from brqos.doctor.attest import check_cosign
from brqos.doctor.model import Status
from brqos.doctor.probe import ThisMachine
from brqos.errors import AwsError, BrqosError, ConfigurationError, ToolError
from brqos.monitor import Monitor
from brqos.pipeline.surroundings import Surroundings
from brqos.provenance import cosign
from brqos.provenance.builder import builder_of
from brqos.provenance.documents import PROVENANCE_ENVELOPE, SBOM_ENVELOPE, Documents, compose, signed, write
from brqos.provenance.keys import parse_key
from brqos.provenance.kms_key import region_of
from brqos.provenance.signing import Wish, check_wish, sign
from brqos.provenance.statement import parameters_of
from brqos.record import AttestedRecord, OriginRecord, StoredBuild
from brqos.upstream.files import TreeFiles
from brqos.upstream.pins import pins_of

_NO_HASH = "<SHA-256>"


@dataclass(frozen=True, slots=True)
class Attested:
    """What there is now; `tagged` are the regions whose AMI has the documents' hashes."""

    documents: Documents
    signed: bool
    tagged: tuple[str, ...]


def origin_of(stored: StoredBuild, tree: TreeFiles | None, *, code: str) -> OriginRecord:
    """What makes the images in this very run; `tree` is upstream's source, None for a repacked image.

    `code` is the digest of brqos's own files before the work: in hours somebody may have installed another.
    """
    builder = builder_of(os.environ)
    log = stored.path(stored.record.log) if stored.record.log else None
    return OriginRecord(
        builder=builder.id,
        invocation=builder.invocation,
        brqos=__version__,
        brqos_sha256=code,
        pins=pins_of(tree, platform.machine()) if tree is not None else None,
        log_sha256=_digest(log) if log is not None and log.is_file() else None,
        parameters=parameters_of(stored.record),
        tools=stored.record.tools,
    )


def write_documents(stored: StoredBuild, monitor: Monitor, *, signs: bool = False) -> Documents:
    """Write both documents and put their hashes into the record; raises ConfigurationError without images.

    Whoever does not sign them next (`signs`) is told of signatures that are worth nothing any more.
    """
    documents = compose(stored)
    if write(stored, documents) and not signs:
        monitor.warn("the documents are others than before, so their signatures are taken away: sign them again")
    before = stored.record.attested
    hashes = {"sbom_sha256": documents.sbom_sha256, "provenance_sha256": documents.provenance_sha256}
    now = AttestedRecord(**hashes)
    if before is None or before.model_copy(update={"tagged": {}}) != now:
        stored.save(attested=now)
    if documents.why_no_inventory:
        monitor.warn(f"the bill of materials lists no packages: {documents.why_no_inventory}")
    return documents


def write_unless_off(stored: StoredBuild, around: Surroundings, monitor: Monitor) -> None:
    """Write the documents as soon as there are images: what follows may fail, or be another job's."""
    if around.spec.attest.enabled:
        write_documents(stored, monitor, signs=around.signs and around.spec.attest.sign is not None)


def attest_build(stored: StoredBuild, around: Surroundings, monitor: Monitor) -> None:
    """What `[attest]` asks for once all else of a run is done: documents, signatures, tags; raises BrqosError."""
    spec = around.spec.attest
    if spec.enabled and stored.record.result is not None:
        wish = wish_of(spec) if around.signs else None
        # Whoever publishes tags, too: what only builds has no right to, and perhaps no login.
        attest(stored, around.aws, monitor, wish=wish, rehearsal=around.rehearsal, tag=around.signs)


def attest(
    stored: StoredBuild,
    aws: AwsRegions,
    monitor: Monitor,
    *,
    wish: Wish | None,
    rehearsal: bool = False,
    again: bool = False,
    tag: bool = True,
) -> Attested:
    """Write the documents, tag the AMIs with their hashes, sign them as wished where they are not signed (or `again`).

    Raises the error of the step that failed; what was done before stays. A rehearsal signs with no key of cosign's.
    """
    documents = write_documents(stored, monitor, signs=wish is not None)
    if tag:
        tag_amis(stored, aws, monitor)
    if wish is not None and rehearsal and (why := _not_rehearsed(wish)):
        monitor.note(f"This rehearsal is not signed: {why}.")
    elif wish is not None and (again or not is_signed(stored)):
        try:
            sign(stored, documents, wish, aws, monitor)
        except BrqosError as error:
            raise _not_signed(stored, wish, error) from error
    tagged = stored.record.attested.tagged if stored.record.attested else {}
    return Attested(documents, is_signed(stored), tuple(sorted(tagged)))


def wish_of(spec: AttestSpec) -> Wish | None:
    """Who signs by the section `[attest]`, if anybody does."""
    return Wish(spec.sign, spec.key) if spec.sign is not None else None


def check_signing(spec: AttestSpec, aws: AwsRegions, *, tools: bool = True) -> None:
    """Refuse before a build what would fail after it: a wrong key, one whose region nobody says, a missing program.

    Raises UsageError, ToolError.
    """
    wish = wish_of(spec) if spec.enabled else None
    if wish is None:
        return
    check_wish(wish)
    if wish.signer is Signer.KMS and wish.key is not None:
        region_of(parse_key(wish.key), aws)
    if tools and wish.signer is Signer.COSIGN:
        _check_cosign()


def _check_cosign() -> None:
    why = "attest.sign of brqos.toml is cosign."
    check = check_cosign(ThisMachine())
    if check.stops and not check.version:
        raise cosign.not_installed(why)
    if check.stops:
        found = f"cosign {check.version}" + (" is too old" if check.status is Status.TOO_OLD else "")
        raise ToolError(found, why=f"{why} Needed is {check.needed}.", todo=f"Install it: {check.remedy}")


def is_signed(stored: StoredBuild) -> bool:
    """Whether both envelopes are there; ones over other documents are gone since these were written."""
    try:
        return all(signed(stored, file) is not None for file in (PROVENANCE_ENVELOPE, SBOM_ENVELOPE))
    except ConfigurationError:
        return False


def document_tags(sbom_sha256: str, provenance_sha256: str) -> dict[str, str]:
    """The tags by which an AMI names its documents."""
    return {tagging.SBOM: sbom_sha256, tagging.PROVENANCE: provenance_sha256}


def planned_tags(stored: StoredBuild, documents: Documents) -> list[PlannedCall]:
    """The calls that would tag the record's AMIs, without those that have these tags already."""
    tags = document_tags(documents.sbom_sha256, documents.provenance_sha256)
    attested, amis = stored.record.attested, stored.record.amis
    if attested is not None and tags == document_tags(attested.sbom_sha256, attested.provenance_sha256):
        amis = {region: amis[region] for region in _untagged(attested, amis)}
    return [document_calls(region, tags, ami.id) for region, ami in amis.items()]


def tagging_calls(plans: Sequence[AmiPlan]) -> list[PlannedCall]:
    """The calls that would tag AMIs that are not there yet, with the hashes of documents that are not written yet."""
    tags = document_tags(_NO_HASH, _NO_HASH)
    return [document_calls(plan.region, tags) for plan in plans]


def tag_amis(stored: StoredBuild, aws: AwsRegions, monitor: Monitor) -> None:
    """Put the documents' hashes on every AMI of the record that does not have them; raises AwsError."""
    attested, amis = stored.record.attested, stored.record.amis
    if attested is None:
        return
    wanted = _untagged(attested, amis)
    if not wanted:
        return
    tags = document_tags(attested.sbom_sha256, attested.provenance_sha256)
    outcome = everywhere(wanted, lambda region: _tagged(aws, region, amis[region].id, tags))
    done = {region: amis[region].id for region, there in outcome.results.items() if there}
    stored.save(attested=attested.model_copy(update={"tagged": {**attested.tagged, **done}}))
    for region, there in outcome.results.items():
        if there:
            monitor.note(f"{region}: {amis[region].id} has the hashes of its documents as tags.")
        elif not stored.record.rehearsal:
            monitor.warn(f"{region}: {amis[region].id} is gone, so it gets no tags for its documents")
    if outcome.failures:
        raise AwsError(
            f"the AMI has no tags for its documents in {', '.join(outcome.failures)}",
            why=told(outcome.failures),
            todo=f"The AMIs and the record are whole. Afterwards: brqos attest --tag --record {stored.file}",
        )


def _untagged(attested: AttestedRecord, amis: Mapping[str, RegionAmi]) -> list[str]:
    return [region for region, ami in amis.items() if attested.tagged.get(region) != ami.id]


def _not_rehearsed(wish: Wish) -> str:
    """Why a rehearsal does not sign, or nothing."""
    if wish.signer is Signer.COSIGN:
        return "the key that cosign would sign with is a real one"
    if importlib.util.find_spec("cryptography") is None:
        return "the stand-in for KMS needs cryptography (pip install 'brqos[attest]')"
    return ""


def _tagged(aws: AwsRegions, region: str, ami: str, tags: Mapping[str, str]) -> bool:
    """Tag an AMI; false for one that is gone: pruned, or of an earlier rehearsal, whose AWS ended with it."""
    try:
        aws.session(region).ec2(region).tag(ami, tags)
    except AwsCallError as error:
        if error.kind is ErrorKind.NOT_FOUND:
            return False
        raise
    return True


def _not_signed(stored: StoredBuild, wish: Wish, error: BrqosError) -> BrqosError:
    """The same error with its exit code, and what it means here."""
    key = f" --key {wish.key}" if wish.key else ""
    again = f"brqos attest --record {stored.file} --sign {wish.signer}{key}"
    error.why = "\n".join(part for part in (error.what, error.why) if part)
    error.what = f"the documents of {stored.record.id} are not signed"
    error.todo = "\n".join(part for part in (error.todo, f"All else is done and recorded. Then: {again}") if part)
    return error


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
