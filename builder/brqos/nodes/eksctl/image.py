"""What the nodes boot: an AMI of ours, or the official one, which EKS or eksctl picks."""

from typing import Any

from brqos.errors import ConfigurationError
from brqos.nodes.ami_types import OFFICIAL_FLAVORS
from brqos.nodes.request import NodegroupRequest

Document = dict[str, Any]

FAMILY = "Bottlerocket"
FIPS_FAMILY = "BottlerocketFips"


def image(request: NodegroupRequest) -> Document:
    """`ami` and `amiFamily`.

    An own AMI is of the family Bottlerocket whatever its flavor: the user data are the same, and older releases of
    eksctl know no other. Of the official ones eksctl picks by the family and by the instance type, as newest as there
    is (eksctl 0.231, v1alpha5/amitype.go, pkg/ami/ssm_resolver.go); EKS's `releaseVersion` would pin one, but holds
    the commit of the image too (1.66.0-4edc9e5c), which is not known here.
    """
    if request.ami is not None:
        return {"ami": request.ami, "amiFamily": FAMILY}
    return {"amiFamily": FIPS_FAMILY if _is_fips(request) else FAMILY}


def needs(request: NodegroupRequest) -> str:
    """The first release of eksctl that takes the file.

    0.97.0 brought own AMIs of Bottlerocket to self-managed nodegroups, 0.211.0 to managed ones (eksctl#8418), 0.124.0
    Spot's allocation strategy, 0.230.0 the family BottlerocketFips (#8778). The official AMIs in question are for
    Kubernetes 1.37 and later, which no release before 0.230.0 knows.
    """
    if request.ami is None:
        return "0.230.0"
    if request.managed:
        return "0.211.0"
    shares = (request.spec.on_demand_base, request.spec.on_demand_percentage)
    return "0.124.0" if request.spec.spot or any(share is not None for share in shares) else "0.97.0"


def check_image(request: NodegroupRequest) -> None:
    """Refuse an official image that eksctl would not pick; raises ConfigurationError."""
    if request.ami is not None:
        return
    variant = request.variant
    if not set(filter(None, variant.flavor.split("-"))) <= OFFICIAL_FLAVORS:
        raise ConfigurationError(
            f"eksctl cannot pick the official AMI of {variant.base}",
            why="It goes by the instance type and by the families Bottlerocket and BottlerocketFips.",
            todo=f"Use {variant.plain}, or give the AMI by its id.",
        )
    gpu = next((type_.name for type_ in request.instance_types if type_.nvidia), None)
    if gpu is not None and not variant.is_nvidia:
        raise ConfigurationError(
            f"{gpu} has NVIDIA GPUs, for which eksctl picks the official AMI with NVIDIA's driver, not {variant.base}",
            why="It goes by the instance type alone where no AMI is named.",
            todo=f"Use the variant {variant.plain}-{'nvidia-fips' if _is_fips(request) else 'nvidia'}, or other types.",
        )


def _is_fips(request: NodegroupRequest) -> bool:
    return "fips" in request.variant.flavor.split("-")
