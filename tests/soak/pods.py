"""The pods of the soak, and what a kubelet writes into their cgroups: bytes, which the kernel has not floored yet."""

import json
import math
from dataclasses import dataclass
from typing import Any

from kube.kernel import PAGE, Kernel, qos_class
from verify.trees import pod_object

ALLOCATABLE = 7516192768
TOP = "kubepods.slice"


@dataclass(frozen=True)
class Node:
    """One node of the soak: a kubelet of some version, its pods, and the cgroups that it makes, each with its files."""

    title: str
    kernel: Kernel
    pods: list[dict[str, Any]]

    def cgroups(self) -> dict[str, dict[str, str]]:
        """Relative path to file to the text that is written; parents come first."""
        made: dict[str, dict[str, str]] = {TOP: self._top()}
        for pod in self.pods:
            qos = pod["status"]["qosClass"]
            level = "" if qos == "Guaranteed" else f"-{qos.lower()}"
            parent = f"{TOP}/kubepods{level}.slice" if level else TOP
            if level:
                made.setdefault(parent, self._level(qos))
            uid = pod["metadata"]["uid"].replace("-", "_")
            folder = f"{parent}/kubepods{level}-pod{uid}.slice"
            container = pod["spec"]["containers"][0]
            written = self._written(pod, container)
            made[folder] = {name: text for name, text in written.items() if name != "memory.high"}
            id_ = pod["status"]["containerStatuses"][0]["containerID"].removeprefix("containerd://")
            made[f"{folder}/cri-containerd-{id_}.scope"] = written
        return made

    def pods_file(self) -> str:
        return json.dumps({"kind": "List", "items": self.pods})

    def _written(self, pod: dict[str, Any], container: dict[str, Any]) -> dict[str, str]:
        """What is not a default; requests and limits as they are, the rest as the tests' own kubelet has it."""
        resources = container["resources"]
        request = resources.get("requests", {}).get("memory")
        limit = resources.get("limits", {}).get("memory")
        written = {}
        for name, text in self.kernel.files(pod, container).items():
            if text in ("0", "max"):
                continue
            exact = {"memory.min": request, "memory.low": request, "memory.max": limit}.get(name)
            written[name] = exact or text
        if self.kernel.minor <= 26 and "memory.high" in written:
            # The only one that the old formula leaves between pages.
            assert self.kernel.factor is not None
            written["memory.high"] = str(int(int(limit or self.kernel.allocatable) * self.kernel.factor))
        return written

    def _top(self) -> dict[str, str]:
        protected = self._sum("Guaranteed", "Burstable") if self._protects else 0
        top = {"memory.max": str(self.kernel.allocatable), "memory.min": str(protected)}
        if self.kernel.minor >= 37 and self.kernel.policy == "TieredReservation":
            top["memory.low"] = str(self._sum("Burstable"))
        return top

    def _level(self, qos: str) -> dict[str, str]:
        if qos != "Burstable" or not self._protects:
            return {}
        file = "memory.low" if self.kernel.policy == "TieredReservation" else "memory.min"
        return {file: str(self._sum("Burstable"))}

    @property
    def _protects(self) -> bool:
        return self.kernel.minor <= 35 or self.kernel.policy == "TieredReservation"

    def _sum(self, *classes: str) -> int:
        requests = [
            int(pod["spec"]["containers"][0]["resources"].get("requests", {}).get("memory", "0"))
            for pod in self.pods
            if qos_class(pod) in classes
        ]
        return math.fsum(requests).__trunc__()


def nodes() -> list[Node]:
    """One for each family of versions."""
    families = [
        ("1.26", Kernel(minor=26, factor=0.8, allocatable=ALLOCATABLE)),
        ("1.29", Kernel(minor=29, factor=0.9, allocatable=ALLOCATABLE)),
        ("1.36", Kernel(minor=36, factor=0.9, policy="TieredReservation", allocatable=ALLOCATABLE)),
        ("1.37", Kernel(minor=37, factor=0.7, policy="TieredReservation", allocatable=ALLOCATABLE)),
    ]
    return [Node(title, kernel, _pods()) for title, kernel in families]


def _pods() -> list[dict[str, Any]]:
    """In bytes; some are not whole pages, and are read back as such."""
    one, two, odd = str(100 * 2**20), str(200 * 2**20), str(100_000_000)
    assert int(odd) % PAGE
    shapes: list[dict[str, Any]] = [
        {"requests": {"memory": two, "cpu": "1"}, "limits": {"memory": two, "cpu": "1"}},
        {"requests": {"memory": one}, "limits": {"memory": two}},
        {"requests": {"memory": one}},
        {},
        {"requests": {"memory": odd}, "limits": {"memory": "333333333"}},
    ]
    return [pod_object(number, f"pod-{number}", shape) for number, shape in enumerate(shapes, start=1)]
