"""What is asked for: an image, the cluster that its nodes join, and how they shall be."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from brqos.architecture import Architecture
from brqos.config.nodegroup import NodegroupKind, NodegroupSpec
from brqos.errors import ConfigurationError
from brqos.memoryqos.settings import KubeletSettings
from brqos.nodes.instances import InstanceType, default_type
from brqos.variant import VariantName

_CHARACTERS_OF_THE_ID = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeImage:
    """What the nodes run: an AMI of ours, or the official one of a release whose own settings do the job.

    `ami` is None for the official AMI, and `native` then has the settings; `release` is Bottlerocket's (`1.50.0`) where
    it is known, and `root_gib` the GiB of the AMI's root volume. `rehearsal` is whether the AMI is one of a rehearsal,
    which exists nowhere.
    """

    ami: str | None
    architecture: Architecture
    variant: VariantName
    release: str | None = None
    native: KubeletSettings | None = None
    root_gib: int | None = None
    rehearsal: bool = False

    @property
    def called(self) -> str:
        """The variant's name: `aws-k8s-1.29-memoryqos` for one of ours, `aws-k8s-1.37` for the official one."""
        return self.variant.base if self.ami is None else self.variant.memory_qos


@dataclass(frozen=True, slots=True, kw_only=True)
class NodegroupRequest:
    """One nodegroup of one image; `cluster` and `region` are what `spec` says, or what stood in for it.

    `types` has instance types by name, where EC2 was asked about them: that counts more than what a name tells.
    """

    image: NodeImage
    cluster: str
    region: str
    spec: NodegroupSpec
    types: Mapping[str, InstanceType] = field(default_factory=dict)

    @property
    def kind(self) -> NodegroupKind:
        """What makes the nodes."""
        return self.spec.effective_kind

    @property
    def managed(self) -> bool:
        """Whether EKS manages the nodegroup."""
        return self.kind.managed

    @property
    def ami(self) -> str | None:
        """The AMI's id; None for the official AMI."""
        return self.image.ami

    @property
    def architecture(self) -> Architecture:
        """The image's architecture."""
        return self.image.architecture

    @property
    def variant(self) -> VariantName:
        """The image's variant."""
        return self.image.variant

    @property
    def rehearsal(self) -> bool:
        """Whether all this is a rehearsal."""
        return self.image.rehearsal

    @property
    def name(self) -> str:
        """The nodegroup's name.

        The one made up for it ends like the AMI's id: the nodes of a new AMI stand beside the old ones until the pods
        have moved, and eksctl passes over a nodegroup whose name exists already. The official AMI, and one that
        Karpenter finds by itself, are replaced in place, and the name stays.
        """
        if self.spec.name is not None:
            return self.spec.name
        version = str(self.variant.kubernetes).replace(".", "-")
        parts = (
            "rehearsal" if self.rehearsal else "memoryqos",
            version,
            self.variant.flavor,
            self.architecture.kubernetes,
            "" if self._finds_its_ami() else self._id_ending(),
        )
        return "-".join(part for part in parts if part)

    def _finds_its_ami(self) -> bool:
        return self.kind is NodegroupKind.KARPENTER and self.spec.karpenter.ami_by != "id"

    def _id_ending(self) -> str:
        return re.sub(r"[^a-z0-9]", "", (self.ami or "").lower())[-_CHARACTERS_OF_THE_ID:]

    @property
    def instance_types(self) -> tuple[InstanceType, ...]:
        """The types asked for, or one that fits; raises ConfigurationError for a name that is none."""
        names = self.spec.instance_types or (default_type(self.architecture, nvidia=self.variant.is_nvidia),)
        return tuple(self.types.get(name) or InstanceType.parse(name) for name in names)


def request_for(spec: NodegroupSpec, image: NodeImage, *, region: str | None = None) -> NodegroupRequest:
    """The request for an image; `region` is the AMI's, for a spec that names none.

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
    return NodegroupRequest(image=image, cluster=spec.cluster, region=where, spec=spec)
