"""The four files of a container's cgroup, as each version of the kubelet writes them.

kubernetes, pkg/kubelet/kuberuntime/kuberuntime_container_linux.go: generateLinuxContainerResources, read at v1.26.15,
v1.29.0, v1.34.0, v1.36.0 and v1.37.0.
"""

from brqos.memoryqos.kubelet import Amount, CgroupMemory, Kubelet, Prediction, as_read, protection_as_read
from brqos.memoryqos.pod import Container, Pod, QosClass, qos_class
from brqos.memoryqos.quantity import readable
from brqos.memoryqos.settings import FIRST_BETWEEN_REQUEST_AND_LIMIT, FIRST_ON_BY_DEFAULT
from brqos.memoryqos.throttling import on_the_way, share_of


def predict_container(kubelet: Kubelet, pod: Pod, container: Container, qos: QosClass | None = None) -> Prediction:
    """What the four files of one container's cgroup read, and why.

    `qos` is the pod's class where it is known already (`qos_class`).
    """
    maximum, max_why = _maximum(kubelet, pod, container)
    if not kubelet.gate:
        return Prediction(CgroupMemory(max=maximum), f"the gate MemoryQoS is off: nothing but the limit; {max_why}")
    protected, protection_why = _protected(kubelet, container)
    tier_of_low = kubelet.tiered and (qos or qos_class(pod, kubelet.kubernetes)) is not QosClass.GUARANTEED
    high, high_why = _high(kubelet, pod, container)
    memory = CgroupMemory(
        min=0 if tier_of_low else protected,
        low=protected if tier_of_low else 0,
        high=high,
        max=maximum,
    )
    file = "memory.low" if tier_of_low else "memory.min"
    return Prediction(memory, f"{protection_why.format(file=file)}; {high_why}; {max_why}")


def _maximum(kubelet: Kubelet, pod: Pod, container: Container) -> tuple[Amount, str]:
    limit = container.resources.memory_limit
    if limit:
        return as_read(limit), f"memory.max = limit {_both(limit)}"
    own = pod.own_resources(kubelet.kubernetes)
    if own is not None and own.memory_limit:
        return as_read(own.memory_limit), f"memory.max = the pod's own limit {_both(own.memory_limit)}"
    return "max", "no limit: memory.max stays max"


def _protected(kubelet: Kubelet, container: Container) -> tuple[int, str]:
    """The bytes that are protected; the words leave the name of the file open."""
    request = container.resources.memory_request
    if not request:
        return 0, "no request: nothing is protected"
    if not kubelet.protects:
        return 0, "memoryReservationPolicy None: the request is not protected"
    return protection_as_read(request), f"{{file}} = request {_both(request)}"


def _high(kubelet: Kubelet, pod: Pod, container: Container) -> tuple[Amount, str]:
    if kubelet.throttling_factor is None:
        return "max", "memoryThrottlingFactor is null: memory.high stays max"
    request, limit = container.resources.memory_request, container.resources.memory_limit
    if kubelet.kubernetes < FIRST_BETWEEN_REQUEST_AND_LIMIT:
        ceiling = limit or kubelet.allocatable
        high = share_of(ceiling, kubelet.throttling_factor)
        formula = f"int({ceiling} * {kubelet.throttling_factor!r})"
    else:
        if exception := _exception(kubelet, pod, request, limit):
            return "max", exception
        ceiling = limit or kubelet.allocatable
        high = on_the_way(request, ceiling, kubelet.throttling_factor, fused=kubelet.fused)
        formula = f"floor(({request} + ({ceiling} - {request}) * {kubelet.throttling_factor!r}) / 4096) * 4096"
    of = "request and limit" if limit else "request and allocatable"
    if high <= request:
        return "max", f"memory.high = {formula} = {high} is not above the request {request}: it stays max"
    reads = as_read(high)
    shown = f"{high}, reads {reads}" if reads != high else str(high)
    return reads, f"memory.high ({of}) = {formula} = {shown}"


def _exception(kubelet: Kubelet, pod: Pod, request: int, limit: int) -> str:
    """Why the formula of 1.27 and later is not used for these, or nothing."""
    if kubelet.kubernetes >= FIRST_ON_BY_DEFAULT:
        own = pod.own_resources(kubelet.kubernetes)
        if not limit and own is not None and own.memory_limit:
            return "no limit of its own, and the pod has one: memory.high is the pod's, the container's stays max"
        if request == limit and request:
            return f"request = limit {_both(limit)}: memory.high stays max"
        return ""
    if request != limit:
        return ""
    if request:
        return f"request = limit {_both(limit)}: memory.high stays max"
    return "neither request nor limit: taken as request = limit (kubernetes#137685), memory.high stays max"


def _both(number: int) -> str:
    return f"{readable(number)} ({number})"
