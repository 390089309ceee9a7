"""What EKS calls the Bottlerocket images of a managed nodegroup, `amiType` (EKS API Reference, CreateNodegroup)."""

from collections.abc import Collection

from brqos.architecture import Architecture

OFFICIAL_FLAVORS = frozenset({"nvidia", "fips"})
"""The flavors of which EKS has official images, alone and together."""

_ARCHITECTURES = {Architecture.X86_64: "x86_64", Architecture.AARCH64: "ARM_64"}


def ami_type(architecture: Architecture, flavors: Collection[str]) -> str:
    """`BOTTLEROCKET_x86_64`, `BOTTLEROCKET_ARM_64_NVIDIA_FIPS`; other flavors than nvidia and fips are not told."""
    wanted = [flavor.upper() for flavor in ("nvidia", "fips") if flavor in flavors]
    return "_".join(["BOTTLEROCKET", _ARCHITECTURES[architecture], *wanted])
