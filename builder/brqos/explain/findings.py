"""What a person should know about a container's or a node's values before it bites."""

from brqos.memoryqos.kubelet import (
    FIRST_WITH_POD_RESOURCES,
    FIRST_WITH_SIDECARS,
    CgroupMemory,
    Kubelet,
)
from brqos.memoryqos.pod import Container, ContainerKind, Pod
from brqos.memoryqos.quantity import NANO, readable
from brqos.memoryqos.settings import (
    FIRST_BETWEEN_REQUEST_AND_LIMIT,
    FIRST_ON_BY_DEFAULT,
    FIRST_WITH_POLICY,
)

NOTHING_WRITTEN = (
    "the gate is on and does nothing: memoryThrottlingFactor is null and memoryReservationPolicy is None, "
    "the defaults of 1.37"
)
NOT_THROTTLED = (
    "not throttled: a container with neither request nor limit, BestEffort or not, gets no memory.high on this version "
    "(kubernetes#137685)"
)
PAGE_CACHE_TRAP = (
    "memory.min = memory.max: none of it may be reclaimed, so page cache alone can get the container killed "
    "(kubernetes#126485, #137880)"
)

_NEAR_REQUEST = 0.05
_FAR_ABOVE_REQUEST = 4
_MUCH_OF_THE_NODE = 0.9
_LEAST_LIMIT = 4 * 2**20


def of_container(kubelet: Kubelet, container: Container, memory: CgroupMemory) -> list[str]:
    """The warnings about one container; nothing about MemoryQoS where the gate is off."""
    found = list(_about_amounts(container))
    if container.kind is ContainerKind.SIDECAR and kubelet.kubernetes < FIRST_WITH_SIDECARS:
        found.append(f"there are no sidecars before {FIRST_WITH_SIDECARS}: it is taken as an init container")
    if not kubelet.gate:
        return found
    request, limit = container.resources.memory_request, container.resources.memory_limit
    if not kubelet.protects and not kubelet.throttles:
        found.append(NOTHING_WRITTEN)
    elif not request and not limit and memory.high == "max" and _loses_throttling(kubelet):
        found.append(NOT_THROTTLED)
    if isinstance(memory.high, int) and 0 < memory.high - request < _NEAR_REQUEST * request:
        found.append(
            f"memory.high is only {readable(memory.high - request)} above the request {readable(request)}: "
            "a container that uses what it asked for is throttled at once"
        )
    if memory.min and memory.min == memory.max:
        found.append(PAGE_CACHE_TRAP)
    if request and limit >= _FAR_ABOVE_REQUEST * request:
        found.append(
            f"the limit is {limit / request:.3g} times the request: only {readable(request)} of {readable(limit)} is "
            "what the scheduler keeps free, the node can run out of memory first"
        )
    return found


def _loses_throttling(kubelet: Kubelet) -> bool:
    return kubelet.throttles and FIRST_BETWEEN_REQUEST_AND_LIMIT <= kubelet.kubernetes < FIRST_ON_BY_DEFAULT


def _about_amounts(container: Container) -> list[str]:
    found = []
    for what, amounts in (("request", container.resources.requests), ("limit", container.resources.limits)):
        nano = amounts.get("memory", 0)
        if nano % NANO:
            found.append(f"the memory {what} is no whole number of bytes; “m” means thousandths, “M” is meant perhaps")
    limit = container.resources.memory_limit
    if 0 < limit < _LEAST_LIMIT:
        found.append(f"a memory limit of {limit} bytes is too small for any container; perhaps the unit is missing")
    return found


def of_pod(kubelet: Kubelet, pod: Pod) -> list[str]:
    """The warnings about a pod as a whole."""
    if pod.resources is not None and kubelet.kubernetes < FIRST_WITH_POD_RESOURCES:
        return [f"resources of the pod itself are not heeded before {FIRST_WITH_POD_RESOURCES}"]
    return []


def of_node(kubelet: Kubelet, kubepods: CgroupMemory, requests: int) -> list[str]:
    """The warnings about the settings, and about all pods together; `requests` is the sum of theirs in bytes."""
    found = []
    if kubelet.gate and not kubelet.protects and not kubelet.throttles:
        found.append(NOTHING_WRITTEN)
    elif kubelet.gate and not kubelet.protects:
        found.append("memoryReservationPolicy is None: requests are not protected, only throttling is on")
    elif kubelet.gate and not kubelet.throttles:
        found.append("memoryThrottlingFactor is null: nothing is throttled, only requests are protected")
    found += _start_up(kubelet)
    if requests > kubelet.allocatable:
        found.append(
            f"the pods ask for {readable(requests)}, more than the {readable(kubelet.allocatable)} of one node: "
            "they do not fit on it together"
        )
    elif kubepods.min > _MUCH_OF_THE_NODE * kubelet.allocatable:
        found.append(
            f"the sum of memory.min, {readable(kubepods.min)}, is {100 * kubepods.min / kubelet.allocatable:.0f} % of "
            f"the node's {readable(kubelet.allocatable)}: little is left that can be reclaimed for anybody else"
        )
    return found


def _start_up(kubelet: Kubelet) -> list[str]:
    """Settings with which the kubelet does not start (pkg/kubelet/apis/config/validation)."""
    if kubelet.gate or kubelet.kubernetes < FIRST_WITH_POLICY:
        return []
    if kubelet.tiered:
        return ["with the gate off, a kubelet that is told TieredReservation does not start"]
    if kubelet.kubernetes >= FIRST_ON_BY_DEFAULT and kubelet.throttling_factor not in (None, 0.9):
        return ["with the gate off, a kubelet that is told a memoryThrottlingFactor does not start"]
    return []
