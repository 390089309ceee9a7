"""What an emitted eksctl file says about memory: the settings that MemoryQoS goes by."""

from collections.abc import Mapping
from typing import Any

from brqos.nodes.quantities import missing_evictions
from brqos.nodes.request import NodegroupRequest

Path = tuple[str | int, ...]


Remarks = dict[Path, str]


def about_memory(request: NodegroupRequest, settings: Mapping[str, Any], kubernetes: Path) -> Remarks:
    """The comments on reserved memory, eviction and the native settings.

    `settings` is the table settings.kubernetes of the nodegroup, and `kubernetes` its path.
    """
    return {
        **_about_native(request, kubernetes),
        **_about_reserved(settings, kubernetes),
        **_about_eviction(settings, kubernetes),
    }


def _about_native(request: NodegroupRequest, kubernetes: Path) -> Remarks:
    native = request.image.native
    if native is None:
        return {}
    texts: Remarks = {
        (*kubernetes, "memory-throttling-factor"): (
            f"Throttles a container above memory.high, which is {native.throttling_factor:g} of the way from its "
            "request to its limit. Without this setting none is throttled."
        )
    }
    if native.reservation_policy is not None:
        protection = native.protection().replace(", ", " and ")
        texts[*kubernetes, "memory-reservation-policy"] = (
            f"Protects memory requests from reclaim, by {protection}. Without this setting none is protected."
            if protection
            else "Protects no memory request from reclaim."
        )
    return texts


def _about_reserved(settings: Mapping[str, Any], kubernetes: Path) -> Remarks:
    kube, system = settings.get("kube-reserved") or {}, settings.get("system-reserved") or {}
    texts: Remarks = {}
    if "memory" not in kube:
        texts[kubernetes[:-1]] = (
            "As kube-reserved memory is not set, Bottlerocket keeps 11 MiB per pod and 255 MiB from the pods. The "
            "node's allocatable memory, which is left, stands in for the limit in memory.high of containers that have "
            "a request and no limit."
        )
    if kube:
        texts[*kubernetes, "kube-reserved"] = "Kept from the pods for kubelet and containerd."
        if "memory" in kube:
            texts[*kubernetes, "kube-reserved"] += (
                " Reserved memory is missing from the node's allocatable memory, which stands in for the limit in "
                "memory.high of containers that have a request and no limit."
            )
    if system:
        texts[*kubernetes, "system-reserved"] = "Kept from the pods for the system's own services."
        if "memory" in system:
            texts[*kubernetes, "system-reserved"] += (
                " Reserved memory lowers memory.high as that of kube-reserved does."
            )
    return texts


def _about_eviction(settings: Mapping[str, Any], kubernetes: Path) -> Remarks:
    thresholds = settings.get("eviction-hard")
    if not thresholds:
        return {}
    lost = [f"{signal} {threshold}" for signal, threshold in missing_evictions(thresholds).items()]
    text = "Where the kubelet begins to evict pods. It replaces all of the kubelet's defaults, so " + (
        f"these are gone: {', '.join(lost)}." if lost else "each is named here."
    )
    if "memory.available" in thresholds:
        text += " The scheduler hands out that much less memory."
    return {(*kubernetes, "eviction-hard"): text}
