"""A kubelet and a kernel in miniature: the files of a new container's cgroup, computed apart from brqos' own code.

Straight from the table of Kubernetes' versions, in whole numbers where that is the same: it serves as the truth that
brqos' predictions are held against.
"""

import math
from dataclasses import dataclass
from typing import Any

PAGE = 4096
UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "": 1}


@dataclass(frozen=True)
class Kernel:
    """What a node's kubelet does; `allocatable` is capacity without the reserved parts, in bytes."""

    minor: int = 29
    gate: bool = True
    factor: float | None = 0.9
    policy: str | None = None
    allocatable: int = 7 * 2**30
    cgroup_version: int = 2

    def files(self, pod: dict[str, Any], container: dict[str, Any]) -> dict[str, str]:
        resources = container.get("resources") or {}
        limit = _bytes((resources.get("limits") or {}).get("memory"))
        request = _bytes((resources.get("requests") or {}).get("memory")) or limit or 0
        if not request and not limit:
            limit = None
        values = {"memory.min": "0", "memory.low": "0", "memory.high": "max", "memory.max": _text(limit)}
        if self.gate:
            values |= self._protection(qos_class(pod), request)
            high = self._high(request, limit)
            if high:
                values["memory.high"] = _text(high)
        return values

    def _protection(self, qos: str, request: int) -> dict[str, str]:
        if self.minor <= 35:
            return {"memory.min": _text(request)} if request else {}
        if self.policy != "TieredReservation" or not request:
            return {}
        return {"memory.min" if qos == "Guaranteed" else "memory.low": _text(request)}

    def _high(self, request: int, limit: int | None) -> int:
        if self.factor is None:
            return 0
        if self.minor <= 26:
            high = int((limit or self.allocatable) * self.factor)
        elif request == (limit or 0) and not (self.minor >= 37 and request == 0):
            return 0
        else:
            top = limit or self.allocatable
            high = math.floor((request + (top - request) * self.factor) / PAGE) * PAGE
        return high if high > request else 0


def qos_class(pod: dict[str, Any]) -> str:
    """Guaranteed, Burstable or BestEffort, as the API server finds it."""
    kinds = set()
    for container in pod["spec"]["containers"]:
        resources = container.get("resources") or {}
        limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
        if not limits and not requests:
            kinds.add("none")
        elif {"cpu", "memory"} <= set(limits) and all(
            requests.get(key, value) == value for key, value in limits.items()
        ):
            kinds.add("all")
        else:
            kinds.add("some")
    return {frozenset({"none"}): "BestEffort", frozenset({"all"}): "Guaranteed"}.get(frozenset(kinds), "Burstable")


def _bytes(text: str | None) -> int | None:
    if text is None:
        return None
    unit = text.lstrip("0123456789")
    return int(text.removesuffix(unit)) * UNITS[unit]


def _text(value: int | None) -> str:
    return "max" if value is None else str(value // PAGE * PAGE)
