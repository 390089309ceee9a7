"""The names of Bottlerocket variants, and the Kubernetes version in them.

A variant is called `platform-runtime-version[-flavor...]` (upstream's variants/README.md). Twoliter takes the fourth
field as the flavor and ignores what follows, so our suffix has to come last: `aws-k8s-1.35-nvidia-memoryqos` is still
"nvidia".
"""

import re
from dataclasses import dataclass
from functools import total_ordering

from brqos.errors import ConfigurationError

SUFFIX = "memoryqos"

_VARIANT = re.compile(r"aws-k8s-(?P<version>1\.\d{1,3})(?P<flavor>(?:-[a-z0-9]+)*?)(?P<suffix>-memoryqos)?", re.ASCII)
_KUBERNETES = re.compile(r"v?(?P<major>\d+)\.(?P<minor>\d+)(?:\.\d+)?(?:[-+].*)?", re.ASCII)


@total_ordering
@dataclass(frozen=True, slots=True)
class KubernetesVersion:
    """A minor version of Kubernetes, such as 1.29; patch levels change nothing here."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"

    def __lt__(self, other: "KubernetesVersion") -> bool:
        return (self.major, self.minor) < (other.major, other.minor)

    @classmethod
    def parse(cls, text: str) -> "KubernetesVersion":
        """`1.29`, `v1.29`, `1.29.3` or a kubelet's `v1.29.3-eks-abc`; raises ConfigurationError."""
        if match := _KUBERNETES.fullmatch(text.strip()):
            return cls(int(match["major"]), int(match["minor"]))
        raise ConfigurationError(
            f"“{text}” is not a Kubernetes version", todo="Write it as major.minor, for example 1.29."
        )


@dataclass(frozen=True, slots=True)
class VariantName:
    """The name of an `aws-k8s-*` variant of upstream's, taken apart.

    `flavor` is empty, or what follows the version: `nvidia`, `fips`, `nvidia-fips`, `nvidia-595`.
    """

    kubernetes: KubernetesVersion
    flavor: str = ""

    def __str__(self) -> str:
        return self.base

    @property
    def base(self) -> str:
        """Upstream's own variant, `aws-k8s-1.29`."""
        return f"aws-k8s-{self.kubernetes}" + (f"-{self.flavor}" if self.flavor else "")

    @property
    def memory_qos(self) -> str:
        """The variant that we make of it, `aws-k8s-1.29-memoryqos`."""
        return f"{self.base}-{SUFFIX}"

    @property
    def plain(self) -> str:
        """The variant without its flavor, which names the file in `variants/`."""
        return f"aws-k8s-{self.kubernetes}"

    @property
    def is_nvidia(self) -> bool:
        """Whether nodes need a GPU of NVIDIA's."""
        return "nvidia" in self.flavor.split("-")

    @classmethod
    def parse(cls, text: str) -> "VariantName":
        """The name of a base or of what we made of it; raises ConfigurationError with an example."""
        if match := _VARIANT.fullmatch(text.strip()):
            return cls(KubernetesVersion.parse(match["version"]), match["flavor"].lstrip("-"))
        raise ConfigurationError(
            f"“{text}” is not the name of a Bottlerocket variant for EKS",
            why="MemoryQoS is the kubelet's; only the variants aws-k8s-<version>[-<flavor>] carry one for EKS.",
            todo="Use for example aws-k8s-1.29 or aws-k8s-1.29-nvidia; `brqos variants` lists them.",
        )


def crate_name(variant: str) -> str:
    """What upstream calls the variant's crate: a dot is not allowed in crate names."""
    return variant.replace(".", "_")
