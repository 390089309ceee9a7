"""The AMIs of a build; it also works from a record alone, on another machine."""

from pathlib import Path

from brqos.ami.ids import check_ami_id
from brqos.ami.model import RegionAmi
from brqos.ami.plan import AmiPlan, plan_amis
from brqos.ami.publishing.amis_file import try_to_write_amis
from brqos.ami.release import Released, release
from brqos.ami.request import AmiRequest
from brqos.ami.setting import settings_for
from brqos.ami.upload.unfinished import check_unchanged, drop_unfinished
from brqos.config.ami import AmiSpec
from brqos.config.attest import AttestSpec
from brqos.errors import ConfigurationError, UsageError
from brqos.image.hashing import hash_image
from brqos.image.model import Image
from brqos.monitor import Monitor
from brqos.pipeline.digest import digest
from brqos.pipeline.surroundings import Surroundings, real
from brqos.record import StoredBuild, find, now
from brqos.stages import Stage

AMIS_FILE = "amis.json"


def registrable_build(build: str | None, record: Path | None) -> StoredBuild:
    """The build whose images can be registered; raises ConfigurationError for a rehearsal's, which are not real."""
    stored = find(build, record)
    if stored.record.rehearsal:
        raise ConfigurationError(
            f"the build {stored.record.id} is a rehearsal: its images do not boot",
            todo="Build without --rehearse, or rehearse this step too: brqos build --rehearse --region REGION",
        )
    return stored


def surroundings_of(stored: StoredBuild, spec: AmiSpec, attest: AttestSpec | None = None) -> Surroundings:
    """The real world for a recorded build with these wishes; raises UsageError where no region is given."""
    if not spec.regions:
        raise UsageError(
            "no AWS region is given", todo="Give one with --region, for example eu-west-1; repeat it for several."
        )
    recorded = stored.record.spec
    return real(recorded.model_copy(update={"ami": spec, "attest": attest or recorded.attest}))


def plans_of_build(stored: StoredBuild, spec: AmiSpec) -> tuple[AmiPlan, ...]:
    """What registering the images of a build would do; raises ConfigurationError."""
    return plan_amis(_ami_request(stored, spec))


def wanted_amis(stored: StoredBuild, spec: AmiSpec) -> dict[str, str]:
    """Per region the digest of the AMI that these wishes make of the build's images, which need not be at hand.

    It is what the record has as `inputs` of a region's AMI once all that was wished for is done. Raises
    ConfigurationError.
    """
    return {plan.region: _inputs(plan) for plan in plan_amis(_request(stored, spec))}


def register_build(
    stored: StoredBuild,
    around: Surroundings,
    monitor: Monitor,
    *,
    force: bool = False,
    check_images: bool = False,
    restart: bool = False,
) -> Released | None:
    """Make the AMIs that `around.spec` asks for, and put each into the record as soon as it is there.

    A region that has all that is wanted from the same images is done; None where all are. `check_images` reads the
    images first, for a record that comes from another machine; `restart` drops what an interrupted upload left. What
    was made is recorded, and written to amis.json, whatever becomes of the rest. Raises AwsError, ConfigurationError.
    """
    plans = plans_of_build(stored, around.spec.ami)
    inputs = {plan.region: _inputs(plan) for plan in plans}
    done = {region: ami for region, ami in stored.record.amis.items() if ami.inputs == inputs.get(region)}
    # What `latest` names is no matter of the record: whoever promotes looks at it each time.
    if not force and not around.spec.ami.promote and set(inputs) <= set(done):
        for region in inputs:
            monitor.note(f"{region}: the AMI is registered already, as {done[region].id} (--force looks again).")
        try_to_write_amis(stored.path(Path(AMIS_FILE)), stored.record.amis, monitor)
        return None
    if check_images:
        _check_images(tuple(item.image for item in plans[0].snapshots), monitor)
    started = now()

    def record(region: str, ami: RegionAmi) -> None:
        check_ami_id(ami.id, rehearsal=stored.record.rehearsal)
        # AMIs of other regions stay, whatever they were made from: what exists must be known.
        stored.save(amis={**stored.record.amis, region: ami})

    settings = settings_for(inputs, around.aws, monitor, journals=around.journals)
    folder = next(iter(settings.values())).journals
    if restart:
        drop_unfinished(plans, settings, folder)
    check_unchanged(plans, settings, folder)
    try:
        released = release(plans, settings, monitor, record)
        # Only now is all done that was wished for there, so only now may the next run pass it over.
        complete = {
            region: ami.model_copy(update={"inputs": inputs[region]})
            for region, ami in released.amis.items()
            if region not in released.failures
        }
        # `latest` is the work of all regions together: as long as it is not written, none of them is done.
        if around.spec.ami.promote and (released.promotion is None or released.promotion_failure):
            complete = {}
        if len(complete) == len(plans):
            stored.finish(Stage.REGISTER, digest(inputs), started, amis={**stored.record.amis, **complete})
        else:
            stored.save(amis={**stored.record.amis, **complete})
    finally:
        try_to_write_amis(stored.path(Path(AMIS_FILE)), stored.record.amis, monitor)
    return released


def _inputs(plan: AmiPlan) -> str:
    """The digest of all that one region's AMI depends on; where the images lie and what is copied is not among it."""
    facts = plan.model_dump(
        mode="json",
        exclude={"region": True, "copy_from": True, "snapshots": {"__all__": {"image": {"file", "file_sha256"}}}},
    )
    return digest(facts)


def _ami_request(stored: StoredBuild, spec: AmiSpec) -> AmiRequest:
    request = _request(stored, spec)
    for image in request.images:
        if not image.file.is_file():
            raise ConfigurationError(
                f"the {image.role} image of the build {stored.record.id} is not there: {image.file}",
                why="A record's files lie in its own folder and are carried along with it.",
                todo="Copy the whole folder of the build, or build again with --force.",
            )
    return request


def _request(stored: StoredBuild, spec: AmiSpec) -> AmiRequest:
    record, result = stored.record, stored.record.result
    if result is None:
        raise ConfigurationError(
            f"the build {record.id} has no image yet",
            todo="Finish it first: run the same `brqos build` again.",
        )
    return AmiRequest(
        images=tuple(image.model_copy(update={"file": stored.path(image.file)}) for image in result.images),
        variant=record.variant,
        arch=record.spec.arch,
        image_version=result.image_version,
        spec=spec,
        secure_boot=result.secure_boot,
        uefi_data=result.uefi_data,
        ami_spec=result.ami_spec,
        build=record.id,
        upstream_commit=record.upstream.commit,
    )


def _check_images(images: tuple[Image, ...], monitor: Monitor) -> None:
    for image in images:
        if hash_image(image.role, image.file, monitor).sha256 != image.sha256:
            raise ConfigurationError(
                f"the {image.role} image {image.file} is not the one that was built",
                why=f"Its SHA-256 is not {image.sha256}, as the record has it.",
                todo="Carry the image over once more, or build again.",
            )
