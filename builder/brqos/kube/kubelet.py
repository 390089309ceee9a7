"""What a node's kubelet works with, read from its Node object, its configz and its metrics. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from brqos.errors import ConfigurationError
from brqos.kube.refusals import garbled
from brqos.memoryqos.allocatable import DEFAULT_EVICTION, eviction_bytes
from brqos.memoryqos.kubelet import Kubelet, default_factor
from brqos.memoryqos.quantity import parse_bytes
from brqos.memoryqos.settings import (
    FIRST_ON_BY_DEFAULT,
    FIRST_WITH_POLICY,
    GATE,
    ReservationPolicy,
)
from brqos.variant import KubernetesVersion

_SAMPLE = re.compile(r"^(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>[^}]*)\})?\s+(?P<value>\S+)", re.ASCII | re.MULTILINE)
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class KubeletFacts:
    """The inputs of MemoryQoS' formulas on one node.

    `factor` None is configz' null: nothing is throttled. `policy` is None where the version knows no such field.
    `allocatable` is what the formulas mean, in bytes: capacity - kube-reserved - system-reserved, which is
    status.allocatable + evictionHard[memory.available] + huge pages; `node_allocatable` is status.allocatable.
    `fused` is whether it is an arm64 node (see memoryqos.throttling). `gate_seen` tells what the metrics say, where
    they were read.
    """

    kubernetes: KubernetesVersion
    gate: bool
    factor: float | None
    policy: ReservationPolicy | None
    allocatable: int
    eviction: int
    node_allocatable: int
    capacity: int
    cgroup_driver: str
    cgroup_root: str
    fused: bool = False
    gate_seen: bool | None = None

    def kubelet(self) -> Kubelet:
        """The kubelet whose cgroup values can be predicted."""
        return Kubelet(self.kubernetes, self.allocatable, self.gate, self.factor, self.policy, self.fused)

    def with_metrics(self, metrics: str) -> "KubeletFacts":
        """The same, with what the metrics say about the gate; they are the better proof."""
        seen = gate_in_metrics(metrics)
        return self if seen is None else replace(self, gate=seen, gate_seen=seen)


def version_of(node: Mapping[str, Any]) -> KubernetesVersion:
    """The kubelet's minor version; raises KubeCallError where the node does not tell it."""
    told = node_info(node).get("kubeletVersion")
    if not isinstance(told, str) or re.match(r"v?\d+\.\d+", told) is None:
        raise garbled(f"the node {name_of(node)}", f"Its kubeletVersion is {told!r}.")
    return KubernetesVersion.parse(told)


def name_of(item: Mapping[str, Any]) -> str:
    """An object's name."""
    return str((item.get("metadata") or {}).get("name") or "")


def node_info(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """The node's status.nodeInfo, or nothing."""
    found = (node.get("status") or {}).get("nodeInfo")
    return found if isinstance(found, dict) else {}


def kubelet_facts(node: Mapping[str, Any], configz: Mapping[str, Any]) -> KubeletFacts:
    """The facts of a node and its kubelet's configuration; raises KubeCallError where a value has a wrong shape."""
    kubernetes = version_of(node)
    where = f"the configz of {name_of(node)}"
    gates = configz.get("featureGates") or {}
    if not isinstance(gates, dict):
        raise garbled(where, f"featureGates is {gates!r}.")
    capacity, node_allocatable = memory_of(node, "capacity"), memory_of(node, "allocatable")
    eviction = _eviction(configz, capacity, where)
    return KubeletFacts(
        kubernetes=kubernetes,
        gate=bool(gates.get(GATE, kubernetes >= FIRST_ON_BY_DEFAULT)),
        factor=_factor(configz, kubernetes, where),
        policy=_policy(configz, kubernetes, where),
        allocatable=node_allocatable + eviction + _huge_pages(node),
        eviction=eviction,
        node_allocatable=node_allocatable,
        capacity=capacity,
        cgroup_driver=str(configz.get("cgroupDriver") or "cgroupfs"),
        cgroup_root=str(configz.get("cgroupRoot") or "/"),
        fused=node_info(node).get("architecture") == "arm64",
    )


def memory_of(node: Mapping[str, Any], what: str) -> int:
    """status.capacity.memory or status.allocatable.memory in bytes."""
    told = ((node.get("status") or {}).get(what) or {}).get("memory")
    found = parse_bytes(str(told))
    if found is None:
        raise garbled(f"the node {name_of(node)}", f"Its status.{what}.memory is {told!r}.")
    return found


def samples(metrics: str, name: str) -> list[tuple[dict[str, str], float]]:
    """The samples of one metric, each with its labels."""
    found = []
    for match in _SAMPLE.finditer(metrics):
        if match["name"] == name:
            try:
                value = float(match["value"])
            except ValueError:
                continue
            found.append((dict(_LABEL.findall(match["labels"] or "")), value))
    return found


def gate_in_metrics(metrics: str) -> bool | None:
    """Whether `kubernetes_feature_enabled` says that the gate is on, at any stage; None where it does not tell."""
    for labels, value in samples(metrics, "kubernetes_feature_enabled"):
        if labels.get("name") == GATE:
            return value == 1
    return None


def started_at(metrics: str) -> float | None:
    """When this kubelet's process started, in seconds since 1970 by the node's clock."""
    found = samples(metrics, "process_start_time_seconds")
    return found[0][1] if found else None


def _factor(configz: Mapping[str, Any], kubernetes: KubernetesVersion, where: str) -> float | None:
    told = configz.get("memoryThrottlingFactor", default_factor(kubernetes))
    if told is None and kubernetes < FIRST_ON_BY_DEFAULT:
        return default_factor(kubernetes)
    if told is not None and (isinstance(told, bool) or not isinstance(told, int | float)):
        raise garbled(where, f"memoryThrottlingFactor is {told!r}.")
    return None if told is None else float(told)


def _policy(configz: Mapping[str, Any], kubernetes: KubernetesVersion, where: str) -> ReservationPolicy | None:
    if kubernetes < FIRST_WITH_POLICY:
        return None
    told = configz.get("memoryReservationPolicy") or "None"
    if told == "TieredReservation":
        return "TieredReservation"
    if told == "None":
        return "None"
    raise garbled(where, f"memoryReservationPolicy is {told!r}.")


def _eviction(configz: Mapping[str, Any], capacity: int, where: str) -> int:
    thresholds = configz.get("evictionHard")
    if thresholds is None:
        thresholds = {"memory.available": DEFAULT_EVICTION}
    if not isinstance(thresholds, dict):
        raise garbled(where, f"evictionHard is {thresholds!r}.")
    try:
        return eviction_bytes(str(thresholds.get("memory.available") or "0"), capacity)
    except ConfigurationError as error:
        raise garbled(where, f"evictionHard[memory.available]: {error.what}.") from None


def _huge_pages(node: Mapping[str, Any]) -> int:
    """The kubelet takes huge pages out of the memory that it tells, not out of the formulas' allocatable."""
    allocatable = (node.get("status") or {}).get("allocatable") or {}
    return sum(parse_bytes(str(value)) or 0 for name, value in allocatable.items() if name.startswith("hugepages-"))
