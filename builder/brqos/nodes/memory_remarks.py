"""What an emitted file says about memory: the settings that MemoryQoS goes by.

Reserved memory and eviction make out a node's allocatable memory, and that stands in for the limit in memory.high of
containers that have a request and no limit (KEP-2570).
"""

from collections.abc import Mapping
from typing import Any

from brqos.memoryqos.settings import KubeletSettings
from brqos.nodes.quantities import DEFAULT_EVICTION, FIRST_MERGING_RELEASE, lost_evictions, merges_evictions

Table = Mapping[str, Any]

_STANDS_IN = "stands in for the limit in memory.high of containers that have a request and no limit."
_KEPT = "Bottlerocket keeps 11 MiB per pod and 255 MiB from the pods"
_LEFT = f"The node's allocatable memory, which is left, {_STANDS_IN}"
_MISSING = f"is missing from the node's allocatable memory, which {_STANDS_IN}"

NOTHING_RESERVED = f"As kube-reserved memory is not set, {_KEPT}. {_LEFT}"
NOTHING_RESERVED_WITH_KARPENTER = (
    f"As no memory is reserved by kubeReserved, {_KEPT}, and Karpenter counts so too. {_LEFT}"
)


def kube_reserved(reserved: Table) -> str:
    """The comment on kube-reserved."""
    text = "Kept from the pods for kubelet and containerd."
    return f"{text} Reserved memory {_MISSING}" if "memory" in reserved else text


def system_reserved(reserved: Table, *, kube: str = "kube-reserved") -> str:
    """The comment on system-reserved; `kube` is what the other one is called there."""
    text = "Kept from the pods for the system's own services."
    return f"{text} Reserved memory lowers memory.high as that of {kube} does." if "memory" in reserved else text


def eviction(thresholds: Table, release: str | None) -> str:
    """The comment on eviction-hard; `release` is the image's, None if it is not known."""
    text = f"Where the kubelet begins to evict pods.{_about_defaults(thresholds, release)}"
    return f"{text} The scheduler hands out that much less memory." if "memory.available" in thresholds else text


def throttling(native: KubeletSettings) -> str:
    """The comment on memory-throttling-factor."""
    return f"{_first_up(_throttles(native))}. Without this setting none is throttled."


def protection(native: KubeletSettings) -> str:
    """The comment on memory-reservation-policy."""
    text = f"{_first_up(_protects(native))}."
    return f"{text} Without this setting none is protected." if native.protection() else text


def in_one(kubernetes: Table, native: KubeletSettings | None, release: str | None) -> list[str]:
    """All of it, for a file with one comment on its user data; `kubernetes` is the table settings.kubernetes."""
    texts = []
    if native is not None:
        texts.append(
            f"memory-throttling-factor {_throttles(native)}; memory-reservation-policy {_protects(native)}. Without "
            "the two MemoryQoS is on and does nothing."
        )
    kube, system = kubernetes.get("kube-reserved") or {}, kubernetes.get("system-reserved") or {}
    reserved = "memory" in kube or "memory" in system
    if reserved:
        texts.append(f"Memory that is reserved for kubelet, containerd and the system {_MISSING}")
    if "memory" not in kube:
        texts.append(f"As kube-reserved memory is not set, {_KEPT}." if reserved else NOTHING_RESERVED)
    if thresholds := kubernetes.get("eviction-hard"):
        texts.append(f"eviction-hard is where the kubelet begins to evict pods.{_about_defaults(thresholds, release)}")
    return texts


def _throttles(native: KubeletSettings) -> str:
    return (
        f"throttles a container above memory.high, which is {native.throttling_factor:g} of the way from its request "
        "to its limit"
    )


def _protects(native: KubeletSettings) -> str:
    protection_ = native.protection().replace(", ", " and ")
    return (
        f"protects memory requests from reclaim, by {protection_}"
        if protection_
        else ("protects no memory request from reclaim")
    )


def _first_up(text: str) -> str:
    return text[:1].upper() + text[1:]


def _about_defaults(thresholds: Table, release: str | None) -> str:
    """What becomes of the kubelet's own thresholds, as far as it is not all the same."""
    if merges_evictions(release):
        return " The kubelet's defaults for all others stay." if set(DEFAULT_EVICTION) - set(thresholds) else ""
    lost = [f"{signal} {threshold}" for signal, threshold in lost_evictions(thresholds, release).items()]
    before = " It" if release is not None else f" Before Bottlerocket {FIRST_MERGING_RELEASE} it"
    return f"{before} replaces all of the kubelet's defaults, so " + (
        f"these are gone: {', '.join(lost)}." if lost else "each is named here."
    )
