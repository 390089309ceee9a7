"""How many nodes of which types, bought how, and how many an update may take away: eksctl's words for it."""

from typing import Any

from brqos.config.nodegroup import NodegroupSpec
from brqos.errors import ConfigurationError
from brqos.nodes.request import NodegroupRequest

Document = dict[str, Any]

SPOT_STRATEGY = "price-capacity-optimized"
"""What EC2 recommends for Spot; eksctl takes it since 0.124.0 (v1alpha5/types.go: validateSpotAllocationStrategy)."""


def capacity(request: NodegroupRequest) -> Document:
    """Types, Spot, sizes and `updateConfig` of a nodegroup."""
    spec = request.spec
    part = _types(request)
    if spec.spot and request.managed:
        part["spot"] = True
    part |= {"minSize": spec.min_size, "maxSize": spec.max_size}
    if spec.desired_capacity is not None:
        part["desiredCapacity"] = spec.desired_capacity
    if spec.max_unavailable is not None:
        part["updateConfig"] = _update(spec.max_unavailable)
    return part


def is_mixed(request: NodegroupRequest) -> bool:
    """Whether a self-managed nodegroup has Spot instances, all of them or some."""
    return not request.managed and (request.spec.spot or _has_shares(request.spec))


def on_demand(spec: NodegroupSpec) -> tuple[int, int]:
    """Of a nodegroup with Spot the On-Demand nodes: their least number, and their share in percent above it."""
    return spec.on_demand_base or 0, spec.on_demand_percentage or 0


def check_capacity(request: NodegroupRequest) -> None:
    """Refuse an update that takes away more nodes than there may be (validation.go: ValidateManagedNodeGroup)."""
    spec = request.spec
    number = spec.max_unavailable
    if number is not None and not number.endswith("%") and int(number) > spec.max_size:
        raise ConfigurationError(
            f"an update may take away {number} nodes at once, and the nodegroup has {spec.max_size} at most",
            why="eksctl rejects it.",
            todo="Give a smaller number, or a share such as 25%.",
        )


def _has_shares(spec: NodegroupSpec) -> bool:
    return spec.on_demand_base is not None or spec.on_demand_percentage is not None


def _types(request: NodegroupRequest) -> Document:
    names = [type_.name for type_ in request.instance_types]
    if is_mixed(request):
        base, percentage = on_demand(request.spec)
        return {
            "instancesDistribution": {
                "instanceTypes": names,
                "onDemandBaseCapacity": base,
                "onDemandPercentageAboveBaseCapacity": percentage,
                "spotAllocationStrategy": SPOT_STRATEGY,
            }
        }
    if len(names) == 1:
        return {"instanceType": names[0]}
    if request.managed:
        return {"instanceTypes": names}
    # 100 is eksctl's own default; it stands there so that nobody wonders whether these are Spot instances.
    return {"instancesDistribution": {"instanceTypes": names, "onDemandPercentageAboveBaseCapacity": 100}}


def _update(most: str) -> Document:
    if most.endswith("%"):
        return {"maxUnavailablePercentage": int(most.removesuffix("%"))}
    return {"maxUnavailable": int(most)}
