"""What a nodegroup file is made from: an AMI, what is in it, and how the nodegroup shall be."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from brqos.architecture import Architecture
from brqos.config.model import NodegroupSpec
from brqos.errors import ConfigurationError
from brqos.nodes.instances import InstanceType, default_type
from brqos.variant import VariantName

_CHARACTERS_OF_THE_ID = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class NodegroupRequest:
    """One nodegroup of one AMI.

    `cluster` and `region` are what `spec` says, or what stood in for it. `rehearsal` is whether the AMI is one of a
    rehearsal, which exists nowhere.
    """

    ami: str
    architecture: Architecture
    variant: VariantName
    cluster: str
    region: str
    spec: NodegroupSpec
    rehearsal: bool = False

    @property
    def managed(self) -> bool:
        """Whether EKS manages the nodegroup."""
        return not self.spec.self_managed

    @property
    def kind(self) -> str:
        """The kind of configuration, in the words of `--kind`."""
        return "eksctl-managed" if self.managed else "eksctl"

    @property
    def name(self) -> str:
        """The nodegroup's name.

        The one made up for it ends like the AMI's id: eksctl passes over a nodegroup whose name exists already, so with
        a name that stayed the same, the next AMI's file would do nothing.
        """
        if self.spec.name is not None:
            return self.spec.name
        version = str(self.variant.kubernetes).replace(".", "-")
        id_ = re.sub(r"[^a-z0-9]", "", self.ami.lower())[-_CHARACTERS_OF_THE_ID:]
        parts = (
            "rehearsal" if self.rehearsal else "memoryqos",
            version,
            self.variant.flavor,
            self.architecture.kubernetes,
            id_,
        )
        return "-".join(part for part in parts if part)

    @property
    def instance_types(self) -> tuple[InstanceType, ...]:
        """The types asked for, or one that fits; raises ConfigurationError for a name that is none."""
        names = self.spec.instance_types or (default_type(self.architecture, nvidia=self.variant.is_nvidia),)
        return tuple(InstanceType.parse(name) for name in names)


def request_for(
    spec: NodegroupSpec,
    *,
    ami: str,
    architecture: Architecture,
    variant: VariantName,
    region: str | None = None,
    rehearsal: bool = False,
) -> NodegroupRequest:
    """The request for an AMI; `region` is the AMI's, for a spec that names none.

    Raises ConfigurationError without a cluster or a region.
    """
    if spec.cluster is None:
        raise ConfigurationError(
            "the nodegroup has no cluster",
            why="The file names the EKS cluster that the nodes shall join.",
            todo="Give it with --cluster, or as “cluster” in the section [nodegroup] of brqos.toml.",
        )
    where = spec.region or region
    if where is None:
        raise ConfigurationError(
            "the nodegroup has no region",
            why="An AMI exists in one region only, and the cluster has to be there too.",
            todo="Give it with --region, or as “region” in the section [nodegroup] of brqos.toml.",
        )
    return NodegroupRequest(
        ami=ami,
        architecture=architecture,
        variant=variant,
        cluster=spec.cluster,
        region=where,
        spec=spec,
        rehearsal=rehearsal,
    )


def spec_of(given: Mapping[str, object]) -> NodegroupSpec:
    """The specification with these fields, named as in the model; raises ConfigurationError for a wrong one."""
    try:
        return NodegroupSpec.model_validate(dict(given))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(
            f"the nodegroup's {field.replace('_', '-')} cannot be “{first['input']}”",
            why=first["msg"] + ".",
            todo="Correct the value; `brqos nodegroup --help` says what each option takes.",
        ) from None
