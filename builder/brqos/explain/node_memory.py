"""How much memory the node has for pods, by any of the ways in which people know it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from brqos.errors import ConfigurationError
from brqos.memoryqos.allocatable import (
    DEFAULT_EVICTION,
    allocatable_from_capacity,
    allocatable_from_node,
    bottlerocket_kube_reserved,
)
from brqos.memoryqos.quantity import parse_bytes, readable

_TABLE = Path(__file__).with_name("instance-types.txt")
_SIMILAR_SHOWN = 6
_LEAST_SENSIBLE = 2**24


@dataclass(frozen=True, slots=True)
class NodeMemory:
    """`allocatable` of the formulas in bytes (eviction not subtracted), where it is from, and whether it is a guess."""

    allocatable: int
    source: str
    estimate: bool = False


@dataclass(frozen=True, slots=True)
class InstanceMemory:
    """An instance type's memory in bytes and the kubelet's maxPods there."""

    memory: int
    max_pods: int


def bytes_of(option: str, text: str) -> int:
    """An amount of memory given with an option; raises ConfigurationError where it is none."""
    amount = parse_bytes(text)
    if amount is None or amount < 0:
        raise ConfigurationError(
            f"{option}: “{text}” is not an amount of memory in Kubernetes' notation",
            why="Units are Ki, Mi, Gi, Ti, Pi, Ei (powers of 1024) and k, M, G, T, P, E (powers of 1000).",
            todo=f"Write it for example as {option} 7Gi.",
        )
    return amount


def memory_of(option: str, text: str, key: str = "memory") -> str:
    """The amount in `memory=500Mi`; the amount may stand alone, too."""
    name, sign, amount = text.partition("=")
    if not sign:
        return name
    if name.strip() != key:
        raise ConfigurationError(
            f"{option} takes {key} here, not “{name.strip()}”",
            why="Only memory counts for MemoryQoS.",
            todo=f"Write it for example as {option} {key}=500Mi.",
        )
    return amount.strip()


def from_allocatable(text: str) -> NodeMemory:
    """`--allocatable`: the formulas' own value."""
    amount = bytes_of("--allocatable", text)
    return _sensible(NodeMemory(amount, f"allocatable {readable(amount)} as given, eviction not subtracted"), text)


def from_node_allocatable(text: str, *, eviction: str | None = None, capacity: str | None = None) -> NodeMemory:
    """`--node-allocatable` with `--eviction-hard`: what `kubectl describe node` shows, and the threshold."""
    shown = bytes_of("--node-allocatable", text)
    threshold = eviction if eviction is not None else DEFAULT_EVICTION
    whole = bytes_of("--capacity", capacity) if capacity is not None else None
    amount = allocatable_from_node(shown, capacity=whole, eviction=threshold)
    by = "the kubelet's default" if eviction is None else "given"
    source = f"the node's allocatable {readable(shown)} + eviction threshold {threshold} ({by})"
    return _sensible(NodeMemory(amount, source), text)


def from_capacity(text: str, *, kube_reserved: str | None = None, system_reserved: str | None = None) -> NodeMemory:
    """`--capacity` less what is reserved."""
    capacity = bytes_of("--capacity", text)
    kube = bytes_of("--kube-reserved", kube_reserved) if kube_reserved is not None else 0
    system = bytes_of("--system-reserved", system_reserved) if system_reserved is not None else 0
    amount = allocatable_from_capacity(capacity, kube_reserved=kube, system_reserved=system)
    source = f"capacity {readable(capacity)} - kube-reserved {readable(kube)} - system-reserved {readable(system)}"
    return _sensible(NodeMemory(amount, source), text)


def from_instance_type(
    name: str, *, max_pods: int | None = None, kube_reserved: str | None = None, system_reserved: str | None = None
) -> NodeMemory:
    """`--instance-type`: EC2's memory size less Bottlerocket's own kube-reserved (11 MiB a pod + 255 MiB).

    An estimate, and always too high: firmware and kernel keep 1 to 7 % of the memory, which only the node itself knows.
    """
    known = instance_types().get(name)
    if known is None:
        raise _unknown_type(name)
    pods = max_pods if max_pods is not None else known.max_pods
    if kube_reserved is None:
        kube = bottlerocket_kube_reserved(pods)
        of = f"kube-reserved {readable(kube)} (11 MiB x {pods} pods + 255 MiB)"
    else:
        kube = bytes_of("--kube-reserved", kube_reserved)
        of = f"kube-reserved {readable(kube)}"
    system = bytes_of("--system-reserved", system_reserved) if system_reserved is not None else 0
    if system:
        of += f" - system-reserved {readable(system)}"
    amount = allocatable_from_capacity(known.memory, kube_reserved=kube, system_reserved=system)
    source = f"{name}: {readable(known.memory)} - {of}; an estimate, since firmware and kernel keep 1 to 7 % too"
    return NodeMemory(amount, source, estimate=True)


@cache
def instance_types() -> Mapping[str, InstanceMemory]:
    """The packaged table, by name of the type; its source stands in the file."""
    found = {}
    for line in _TABLE.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            name, mebibytes, pods = line.split()
            found[name] = InstanceMemory(int(mebibytes) * 2**20, int(pods))
    return found


def _unknown_type(name: str) -> ConfigurationError:
    family = name.partition(".")[0]
    same = [known for known in instance_types() if known.partition(".")[0] == family]
    return ConfigurationError(
        f"brqos does not know the memory of the instance type “{name}”",
        why=f"Of {family} it knows: {', '.join(same[:_SIMILAR_SHOWN])}." if same else "",
        todo="Give --node-allocatable from `kubectl describe node`, or --capacity.",
    )


def _sensible(memory: NodeMemory, text: str) -> NodeMemory:
    if memory.allocatable < _LEAST_SENSIBLE:
        raise ConfigurationError(
            f"a node with {memory.allocatable} bytes for pods cannot be (“{text}”)",
            why="Without a unit a number is bytes.",
            todo="Add the unit, for example 7Gi.",
        )
    return memory
