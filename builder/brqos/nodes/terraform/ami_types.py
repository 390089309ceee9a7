"""The module's `ami_type`: what the user data of an own AMI look like, and which one the official AMI is."""

from brqos.architecture import Architecture
from brqos.nodes.request import NodegroupRequest

OFFICIAL_FLAVORS = ("", "nvidia", "fips")
"""The flavors of which EKS and the module have the official AMI (_user_data/main.tf: ami_type_to_user_data_path)."""


def ami_type(request: NodegroupRequest) -> str:
    """`BOTTLEROCKET_x86_64`, `BOTTLEROCKET_ARM_64_NVIDIA` and so on."""
    parts = ["BOTTLEROCKET", "x86_64" if request.architecture is Architecture.X86_64 else "ARM_64"]
    if request.variant.is_nvidia:
        parts.append("NVIDIA")
    elif "fips" in request.variant.flavor.split("-"):
        parts.append("FIPS")
    return "_".join(parts)
