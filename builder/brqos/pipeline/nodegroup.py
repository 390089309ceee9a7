"""The nodes that use a build's AMI; it also works from a record alone."""

from collections.abc import Sequence
from pathlib import Path

from brqos.architecture import Architecture
from brqos.config.nodegroup import NodegroupSpec
from brqos.errors import ConfigurationError
from brqos.monitor import Monitor
from brqos.nodes.file import node_file
from brqos.nodes.request import NodegroupRequest, NodeImage, request_for
from brqos.nodes.several import requests_for
from brqos.nodes.write import write_file
from brqos.pipeline.digest import digest
from brqos.pipeline.surroundings import Surroundings
from brqos.record import StoredBuild, now
from brqos.stages import Stage
from brqos.variant import VariantName


def write_nodegroup(stored: StoredBuild, around: Surroundings, monitor: Monitor, *, force: bool = False) -> None:
    """Write the nodegroup file of the build into its folder."""
    wanted = around.spec.nodegroup
    if wanted.region is None and len(regions := around.spec.ami.regions) > 1:
        monitor.note(f"The nodegroup is for {regions[0]}, the first region (nodegroup.region names another).")
        wanted = wanted.model_copy(update={"region": regions[0]})
    file = node_file(requests_of_builds(wanted, [stored]))
    inputs = digest(file.text)
    if not force and stored.is_done(Stage.NODEGROUP, inputs):
        monitor.note("The nodegroup file is written already.")
        return
    for warning in file.warnings:
        monitor.warn(warning)
    started = now()
    name = Path(f"{file.requests[0].name}{file.suffix}")
    # The file is the build's own: a user's changes belong into a copy, or into brqos.toml.
    write_file(stored.path(name), file.text, force=True)
    stored.finish(Stage.NODEGROUP, inputs, started, nodegroup=name)


def check_nodegroup(around: Surroundings) -> None:
    """Refuse a nodegroup that cannot work, before there is an AMI for it; raises ConfigurationError."""
    spec = around.spec
    image = NodeImage(
        ami="ami-rehearsal0" if around.rehearsal else "ami-00000000",
        architecture=spec.arch,
        variant=spec.variant_name,
        rehearsal=around.rehearsal,
    )
    node_file([request_for(spec.nodegroup, image, region=spec.ami.regions[0])])


def requests_of_builds(spec: NodegroupSpec, builds: Sequence[StoredBuild]) -> tuple[NodegroupRequest, ...]:
    """A request for the AMI of each build in the region that the spec names, or in the only one that it has.

    Raises ConfigurationError where there is no such AMI.
    """
    regions = [_region(stored, spec.region) for stored in builds]
    images = [_image(stored, region) for stored, region in zip(builds, regions, strict=True)]
    return requests_for(spec, images, regions=regions)


def _image(stored: StoredBuild, region: str) -> NodeImage:
    record = stored.record
    return NodeImage(
        ami=record.amis[region].id,
        architecture=Architecture(record.spec.arch),
        variant=VariantName.parse(record.variant),
        release=record.upstream.release,
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
