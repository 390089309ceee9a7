"""The cgroups above the containers: the pod's, those of the QoS levels, and kubepods.

kubernetes, pkg/kubelet/cm: helpers_linux.go (ResourceConfigForPod, ApplyPodLevelMemoryHigh),
qos_container_manager_linux.go (setMemoryQoS), read at v1.26.15, v1.29.0, v1.34.0, v1.36.0 and v1.37.0.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from brqos.memoryqos.kubelet import CgroupMemory, Kubelet, Prediction, as_read, protection_as_read
from brqos.memoryqos.pod import (
    Pod,
    QosClass,
    memory_limit_declared,
    pod_memory_limit,
    pod_memory_request,
    qos_class,
)
from brqos.memoryqos.quantity import readable
from brqos.memoryqos.settings import FIRST_ON_BY_DEFAULT
from brqos.memoryqos.throttling import on_the_way


class Level(StrEnum):
    """The cgroups that the kubelet keeps for all pods; `kubepods` is also the parent of the Guaranteed pods."""

    KUBEPODS = "kubepods"
    BURSTABLE = "burstable"
    BEST_EFFORT = "besteffort"


@dataclass(frozen=True, slots=True)
class PodMemory:
    """What the levels' sums take from a pod: its class and its request in bytes."""

    qos: QosClass
    request: int


def pod_memory(pod: Pod, kubelet: Kubelet) -> PodMemory:
    """A pod's class and memory request, overhead included."""
    return PodMemory(qos_class(pod, kubelet.kubernetes), pod_memory_request(pod, kubelet.kubernetes))


def predict_pod(kubelet: Kubelet, pod: Pod, known: PodMemory | None = None) -> Prediction:
    """What the four files of a pod's cgroup read, and why; the kubelet writes them when it creates the cgroup only.

    `known` is what `pod_memory` gave, where it is at hand already.
    """
    known = known or pod_memory(pod, kubelet)
    words: list[str] = []
    limit = pod_memory_limit(pod, kubelet.kubernetes)
    declared = memory_limit_declared(pod, kubelet.kubernetes)
    memory_max = as_read(limit) if known.qos is not QosClass.BEST_EFFORT and declared and limit else "max"
    protected = protection_as_read(known.request) if kubelet.protects else 0
    tier_of_low = kubelet.tiered and known.qos is not QosClass.GUARANTEED
    if not kubelet.gate:
        words.append("the gate MemoryQoS is off: nothing but the limit")
    elif protected:
        file = "memory.low" if tier_of_low else "memory.min"
        words.append(f"{file} = the pod's request {readable(known.request)} ({known.request})")
    else:
        words.append("no request is protected")
    high = None
    if declared and limit:
        high = _pod_high(kubelet, pod, known.request, limit)
    if high is not None:
        words.append(f"memory.high = {high}, from the pod's request {known.request} and limit {limit}")
    words.append(f"memory.max = {memory_max}" if memory_max == "max" else f"memory.max = the pod's limit {limit}")
    memory = CgroupMemory(
        min=0 if tier_of_low else protected,
        low=protected if tier_of_low else 0,
        high="max" if high is None else as_read(high),
        max=memory_max,
    )
    return Prediction(memory, "; ".join(words))


def _pod_high(kubelet: Kubelet, pod: Pod, request: int, limit: int) -> int | None:
    """From 1.37, for pods with resources of their own and a memory limit there or on every container."""
    if kubelet.kubernetes < FIRST_ON_BY_DEFAULT or not kubelet.gate or kubelet.throttling_factor is None:
        return None
    if pod.own_resources(kubelet.kubernetes) is None or request == limit:
        return None
    high = on_the_way(request, limit, kubelet.throttling_factor, fused=kubelet.fused)
    return high if high > request else None


def predict_levels(
    kubelet: Kubelet, pods: Iterable[Pod | PodMemory], *, enforces_pods: bool = True
) -> dict[Level, CgroupMemory]:
    """What the cgroups of the QoS levels read while just these pods are on the node.

    The kubelet writes them anew every 60 seconds. `enforces_pods` is whether enforceNodeAllocatable has `pods` (its
    default), which puts kubepods' memory.max at allocatable.
    """
    sums = dict.fromkeys(QosClass, 0)
    for each in pods:
        known = each if isinstance(each, PodMemory) else pod_memory(each, kubelet)
        sums[known.qos] += known.request
    both, burstable = sums[QosClass.GUARANTEED] + sums[QosClass.BURSTABLE], sums[QosClass.BURSTABLE]
    maximum = as_read(kubelet.allocatable) if enforces_pods else "max"
    if not kubelet.protects:
        both = burstable = 0
    both, burstable = protection_as_read(both), protection_as_read(burstable)
    # Only 1.37 hands the tier of memory.low down from kubepods itself; before, an ancestor without it undid it.
    low = burstable if kubelet.tiered and kubelet.kubernetes >= FIRST_ON_BY_DEFAULT else 0
    return {
        Level.KUBEPODS: CgroupMemory(min=both, low=low, max=maximum),
        Level.BURSTABLE: CgroupMemory(low=burstable) if kubelet.tiered else CgroupMemory(min=burstable),
        Level.BEST_EFFORT: CgroupMemory(),
    }
