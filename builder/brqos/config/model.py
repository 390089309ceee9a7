"""What is wanted: the frozen BuildSpec, and the shape of `brqos.toml` (whose JSON schema is made from it)."""

from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from brqos.architecture import Architecture
from brqos.config.ami import AmiSpec
from brqos.config.attest import AttestSpec
from brqos.config.base import Model
from brqos.config.codebuild import CodeBuildSpec
from brqos.config.matrix import MatrixSpec, Variant
from brqos.config.mirrors import MirrorsSpec
from brqos.config.nodegroup import NodegroupSpec
from brqos.config.repack import RepackSpec
from brqos.variant import VariantName

BOTTLEROCKET = "https://github.com/bottlerocket-os/bottlerocket.git"
CORE_KIT = "https://github.com/bottlerocket-os/bottlerocket-core-kit.git"


class Delivery(StrEnum):
    """How MemoryQoS gets into the image (design.md, "Delivery")."""

    DROP_IN = "drop-in"
    TEMPLATE = "template"
    NATIVE = "native"


class Engine(StrEnum):
    """What makes the image."""

    SOURCE = "source"
    REPACK = "repack"


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
    """How the image is made."""

    engine: Engine = Engine.SOURCE
    """source: upstream's own build; repack: a built image is changed, in seconds and without Docker."""
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


class BuildSpec(Model):
    """Everything that one build is asked for."""

    variant: Variant
    """The variant of upstream's that the image is based on."""
    arch: Architecture
    """The processor architecture; that of this machine where it is not given."""
    upstream: UpstreamSpec = UpstreamSpec()
    mirrors: MirrorsSpec = MirrorsSpec()
    kubelet: KubeletSpec = KubeletSpec()
    build: BuildSection = BuildSection()
    repack: RepackSpec = RepackSpec()
    ami: AmiSpec = AmiSpec()
    nodegroup: NodegroupSpec = NodegroupSpec()
    matrix: MatrixSpec = MatrixSpec()
    attest: AttestSpec = AttestSpec()
    codebuild: CodeBuildSpec = CodeBuildSpec()

    @field_validator("arch", mode="before")
    @classmethod
    def _any_spelling(cls, value: object) -> object:
        return Architecture.parse(value) if isinstance(value, str) else value

    @property
    def variant_name(self) -> VariantName:
        """The variant, taken apart."""
        return VariantName.parse(self.variant)
