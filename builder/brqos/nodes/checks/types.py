"""Instance types as EC2 describes them: what a name alone does not tell, or tells wrongly."""

from collections.abc import Mapping

from brqos.architecture import Architecture
from brqos.aws.instance_types import DescribedInstanceType
from brqos.errors import ConfigurationError
from brqos.nodes.instances import InstanceType
from brqos.nodes.request import NodegroupRequest


def known_types(
    request: NodegroupRequest, described: Mapping[str, DescribedInstanceType]
) -> Mapping[str, InstanceType]:
    """The request's types as they are; raises ConfigurationError for one that the region does not have."""
    return {type_.name: _known(type_, described, request.region) for type_ in request.instance_types}


def _known(type_: InstanceType, described: Mapping[str, DescribedInstanceType], region: str) -> InstanceType:
    fact = described.get(type_.name)
    if fact is None:
        raise ConfigurationError(
            f"{region} has no instance type {type_.name}",
            why="EC2 does not know it there (DescribeInstanceTypes).",
            todo="`aws ec2 describe-instance-type-offerings` lists those that a region has.",
        )
    architectures = [arch for arch in Architecture if arch.ec2 in fact.architectures]
    # Some old types start images of i386 too; none starts both of ours.
    architecture = architectures[0] if architectures else type_.architecture
    return InstanceType(type_.name, architecture, nvidia="NVIDIA" in {maker.upper() for maker in fact.gpus})
