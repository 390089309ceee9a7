"""What comes after the image: AMIs, and the nodegroup that uses one. Both also work from a record alone."""

from collections.abc import Mapping
from pathlib import Path

from brqos.ami.ids import check_ami_id
from brqos.ami.model import RegionAmi
from brqos.ami.plan import AmiRequest, plan_amis
from brqos.ami.register import register_all
from brqos.ami.result import Registration
from brqos.architecture import Architecture
from brqos.config.model import AmiSpec
from brqos.errors import ConfigurationError, UsageError
from brqos.image.hashing import hash_image
from brqos.image.model import Image
from brqos.monitor import Monitor
from brqos.nodes.file import eksctl_file
from brqos.nodes.request import NodegroupRequest, request_for, spec_of
from brqos.nodes.write import write_file
from brqos.pipeline.digest import digest
from brqos.pipeline.surroundings import Surroundings, real
from brqos.record import StoredBuild, find, now
from brqos.stages import Stage
from brqos.variant import VariantName


def registration_of_build(
    build: str | None, record: Path | None, wishes: Mapping[str, object]
) -> tuple[StoredBuild, Surroundings, Registration]:
    """What registering a recorded build would do; `wishes` are the fields of AmiSpec that were given.

    Raises ConfigurationError for a rehearsal, whose images are not real, UsageError where no region is given.
    """
    stored = find(build, record)
    if stored.record.rehearsal:
        raise ConfigurationError(
            f"the build {stored.record.id} is a rehearsal: its images do not boot",
            todo="Build without --rehearse, or rehearse this step too: brqos build --rehearse --region REGION",
        )
    spec = stored.record.spec
    spec = spec.model_copy(update={"ami": spec.ami.model_copy(update=dict(wishes))})
    if not spec.ami.regions:
        raise UsageError(
            "no AWS region is given", todo="Give one with --region, for example eu-west-1; repeat it for several."
        )
    request = _ami_request(stored, spec.ami)
    return stored, real(spec), Registration(images=request.images, plans=plan_amis(request))


def register_build(
    stored: StoredBuild, around: Surroundings, monitor: Monitor, *, force: bool = False, check_images: bool = False
) -> None:
    """Make the AMIs that `around.spec` asks for, and put each into the record as soon as it is there.

    A region that has its AMI from the same images and wishes is skipped. `check_images` reads them first, for a record
    that comes from another machine. Raises AwsError and ConfigurationError; what succeeded is recorded.
    """
    spec = around.spec.ami
    request = _ami_request(stored, spec)
    inputs = digest(request.model_dump(mode="json", exclude={"images": {"__all__": {"file"}}, "spec": {"regions"}}))
    done = {region: ami for region, ami in stored.record.amis.items() if ami.inputs == inputs and not force}
    missing = tuple(region for region in dict.fromkeys(spec.regions) if region not in done)
    for region in spec.regions:
        if region in done:
            monitor.note(f"{region}: the AMI is registered already, as {done[region].id} (--force looks again).")
    if not missing:
        return
    if check_images:
        _check_images(request.images, monitor)
    started = now()

    def record(region: str, ami: RegionAmi) -> None:
        check_ami_id(ami.id, rehearsal=stored.record.rehearsal)
        # AMIs of other regions stay, whatever they were made from: what exists must be known.
        amis = {**stored.record.amis, region: ami.model_copy(update={"inputs": inputs})}
        stored.finish(Stage.REGISTER, inputs, started, amis=amis)

    plans = plan_amis(_ami_request(stored, spec.model_copy(update={"regions": missing})))
    register_all(plans, around.aws, monitor, on_ami=record)


def write_nodegroup(stored: StoredBuild, around: Surroundings, monitor: Monitor, *, force: bool = False) -> None:
    """Write the nodegroup file of the build into its folder."""
    wishes = around.spec.nodegroup.model_dump(by_alias=False)
    if wishes["region"] is None and len(regions := around.spec.ami.regions) > 1:
        monitor.note(f"The nodegroup is for {regions[0]}, the first region (nodegroup.region names another).")
        wishes["region"] = regions[0]
    file = eksctl_file(_nodegroup_request(stored, wishes))
    inputs = digest(file.text)
    if not force and stored.is_done(Stage.NODEGROUP, inputs):
        monitor.note("The nodegroup file is written already.")
        return
    for warning in file.warnings:
        monitor.warn(warning)
    started = now()
    name = Path(f"{file.request.name}.eksctl.yaml")
    # The file is the build's own: a user's changes belong into a copy, or into brqos.toml.
    write_file(stored.path(name), file.text, force=True)
    stored.finish(Stage.NODEGROUP, inputs, started, nodegroup=name)


def check_nodegroup(around: Surroundings) -> None:
    """Refuse a nodegroup that cannot work, before there is an AMI for it; raises ConfigurationError."""
    spec = around.spec
    eksctl_file(
        request_for(
            spec.nodegroup,
            ami="ami-rehearsal0" if around.rehearsal else "ami-00000000",
            architecture=spec.arch,
            variant=spec.variant_name,
            region=spec.ami.regions[0],
            rehearsal=around.rehearsal,
        )
    )


def nodegroup_of_build(build: str | None, record: Path | None, wishes: Mapping[str, object]) -> NodegroupRequest:
    """The request for a nodegroup of a build's AMI; `wishes` are the fields of NodegroupSpec that were given."""
    stored = find(build, record)
    return _nodegroup_request(stored, {**stored.record.spec.nodegroup.model_dump(by_alias=False), **wishes})


def _ami_request(stored: StoredBuild, spec: AmiSpec) -> AmiRequest:
    record, result = stored.record, stored.record.result
    if result is None:
        raise ConfigurationError(
            f"the build {record.id} has no image yet",
            todo="Finish it first: run the same `brqos build` again.",
        )
    images = tuple(image.model_copy(update={"file": stored.path(image.file)}) for image in result.images)
    for image in images:
        if not image.file.is_file():
            raise ConfigurationError(
                f"the {image.role} image of the build {record.id} is not there: {image.file}",
                why="A record's files lie in its own folder and are carried along with it.",
                todo="Copy the whole folder of the build, or build again with --force.",
            )
    return AmiRequest(
        images=images,
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


def _nodegroup_request(stored: StoredBuild, wishes: Mapping[str, object]) -> NodegroupRequest:
    record = stored.record
    spec = spec_of({key: value for key, value in wishes.items() if value is not None})
    region = _region(stored, spec.region)
    return request_for(
        spec,
        ami=record.amis[region].id,
        architecture=Architecture(record.spec.arch),
        variant=VariantName.parse(record.variant),
        region=region,
        rehearsal=record.rehearsal,
    )


def _region(stored: StoredBuild, wanted: str | None) -> str:
    """The region whose AMI is meant: the one asked for, or the only one that there is."""
    regions = list(stored.record.amis)
    if not regions:
        raise ConfigurationError(
            f"the build {stored.record.id} has no AMI yet",
            todo=f"Register it first: brqos register --build {stored.record.id} --region REGION",
        )
    if wanted is None and len(regions) > 1:
        raise ConfigurationError(
            f"the build {stored.record.id} has AMIs in {len(regions)} regions: {', '.join(regions)}",
            todo="Say which one the cluster is in, with --region or `region` in [nodegroup].",
        )
    region = wanted or regions[0]
    if region not in regions:
        raise ConfigurationError(
            f"the build {stored.record.id} has no AMI in {region}",
            why=f"It has one in {', '.join(regions)}.",
            todo=f"Register it there: brqos register --build {stored.record.id} --region {region}",
        )
    return region
