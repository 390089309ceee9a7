"""What is wanted: the frozen BuildSpec, and the shape of `brqos.toml` (whose JSON schema is made from it)."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator

from brqos.architecture import Architecture
from brqos.config.ami import AmiSpec
from brqos.config.base import REGION_PATTERN, Model
from brqos.variant import VariantName

BOTTLEROCKET = "https://github.com/bottlerocket-os/bottlerocket.git"
CORE_KIT = "https://github.com/bottlerocket-os/bottlerocket-core-kit.git"


class Delivery(StrEnum):
    """How MemoryQoS gets into the image (design.md, "Delivery")."""

    DROP_IN = "drop-in"
    TEMPLATE = "template"
    NATIVE = "native"


class UpstreamSpec(Model):
    """Where Bottlerocket's source comes from."""

    repository: str = BOTTLEROCKET
    """URL or path of the bottlerocket repository."""
    ref: str | None = None
    """Tag, branch or commit to build; the variant's pinned release where it is not given."""
    core_kit: str = CORE_KIT
    """URL or path of the core kit's repository; read for releases before v1.44 and for Kubernetes >= 1.37."""
    core_kit_ref: str | None = None
    """Tag, branch or commit of the core kit; the tag that Twoliter.toml pins where it is not given."""
    offline: bool = False
    """Use what is mirrored already and never the network."""


class KubeletSpec(Model):
    """What the kubelet of the image is told."""

    throttling_factor: float = 0.9
    """memoryThrottlingFactor: where between request and limit memory.high lies; 0 < factor <= 1."""
    # In the order of memoryqos.settings: typing takes the same words in another order for the same type, and what is
    # imported first would decide what the schema shows.
    reservation_policy: Literal["None", "TieredReservation"] | None = None
    """memoryReservationPolicy, from Kubernetes 1.36; TieredReservation there where it is not given."""
    feature_gates: dict[str, bool] = Field(default_factory=dict)
    """Further feature gates of the kubelet."""


class BuildSection(Model):
    """How upstream's build is run."""

    delivery: Delivery | None = None
    """drop-in, template or native; found from the tree where it is not given."""
    bake: bool = False
    """Build an image even where the official one needs nothing but settings (native)."""
    jobs: int | None = Field(default=None, ge=1, le=512)
    """Parallel `docker build` commands (upstream's BUILDSYS_JOBS)."""
    pretty_name: str = Field(
        default="Bottlerocket derivative with MemoryQoS", min_length=1, max_length=120, pattern=r'^[^"\\$`\x00-\x1f]+$'
    )
    """The image's name in os-release; upstream's trademark policy asks that it says who modified it."""
    sbkeys_profile: Path | None = None
    """Folder of the Secure Boot signing profile, kept outside the work tree."""
    make_env: dict[str, str] = Field(default_factory=dict)
    """Anything else for `cargo make -e KEY=VALUE`."""


class NodegroupSpec(Model):
    """The nodegroup file that uses the AMI."""

    cluster: str | None = Field(default=None, pattern=r"^[0-9A-Za-z][0-9A-Za-z_-]{0,99}$")
    """Name of the EKS cluster; without it no nodegroup is written."""
    name: str | None = Field(default=None, pattern=r"^[0-9A-Za-z][0-9A-Za-z-]{0,62}$")
    """Name of the nodegroup; made from the variant where it is not given."""
    region: str | None = Field(default=None, pattern=f"^{REGION_PATTERN}$")
    """Region of the cluster; the only region of the AMI where it is not given."""
    self_managed: bool = False
    """A self-managed nodegroup instead of an EKS managed one."""
    instance_types: tuple[str, ...] = ()
    """EC2 instance types; one that fits the architecture where none is given."""
    min_size: int = Field(default=1, ge=0)
    """Least number of nodes."""
    max_size: int = Field(default=3, ge=0)
    """Largest number of nodes."""
    desired_capacity: int | None = Field(default=None, ge=0)
    """Number of nodes at first."""
    volume_size: int | None = Field(default=None, ge=1, le=65536)
    """GiB of the data volume /dev/xvdb; eksctl's 80 where it is not given."""
    max_pods: int | None = Field(default=None, ge=1, le=1000)
    """The kubelet's maxPods; EKS's own number for the instance type where it is not given."""
    private_networking: bool = False
    """Nodes without public addresses."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Labels of the nodes."""
    taints: tuple[str, ...] = ()
    """Taints of the nodes, each key=value:Effect."""
    kube_reserved: dict[str, str] = Field(default_factory=dict)
    """The kubelet's kubeReserved, such as memory = "500Mi"."""
    system_reserved: dict[str, str] = Field(default_factory=dict)
    """The kubelet's systemReserved."""
    eviction_hard: dict[str, str] = Field(default_factory=dict)
    """The kubelet's evictionHard, such as "memory.available" = "100Mi"."""


def _parsed_variant(value: object) -> object:
    return VariantName.parse(value).base if isinstance(value, str) else value


class BuildSpec(Model):
    """Everything that one build is asked for."""

    variant: Annotated[str, BeforeValidator(_parsed_variant)]
    """The variant of upstream's that the image is based on."""
    arch: Architecture
    """The processor architecture; that of this machine where it is not given."""
    upstream: UpstreamSpec = UpstreamSpec()
    kubelet: KubeletSpec = KubeletSpec()
    build: BuildSection = BuildSection()
    ami: AmiSpec = AmiSpec()
    nodegroup: NodegroupSpec = NodegroupSpec()

    @field_validator("arch", mode="before")
    @classmethod
    def _any_spelling(cls, value: object) -> object:
        return Architecture.parse(value) if isinstance(value, str) else value

    @property
    def variant_name(self) -> VariantName:
        """The variant, taken apart."""
        return VariantName.parse(self.variant)
