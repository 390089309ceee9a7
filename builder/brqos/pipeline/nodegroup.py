"""The nodegroup that uses a build's AMI; it also works from a record alone."""

from collections.abc import Mapping
from pathlib import Path

from brqos.architecture import Architecture
from brqos.errors import ConfigurationError
from brqos.monitor import Monitor
from brqos.nodes.file import eksctl_file
from brqos.nodes.request import NodegroupRequest, request_for, spec_of
from brqos.nodes.write import write_file
from brqos.pipeline.digest import digest
from brqos.pipeline.surroundings import Surroundings
from brqos.record import StoredBuild, find, now
from brqos.stages import Stage
from brqos.variant import VariantName


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
