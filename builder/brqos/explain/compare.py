"""The same workloads under several settings: who loses what."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from brqos.errors import UsageError
from brqos.explain.configuration import Configuration, kubelet_of, without_gate
from brqos.explain.result import ExplainedContainer, Explanation, Node, explain
from brqos.explain.workloads import Workload
from brqos.memoryqos.kubelet import Amount, CgroupMemory, Kubelet
from brqos.memoryqos.quantity import readable
from brqos.memoryqos.settings import FIRST_WITH_POLICY, ReservationPolicy
from brqos.variant import KubernetesVersion

GATE = "gate"


@dataclass(frozen=True, slots=True)
class Side:
    """One of the settings that are compared, and its outcome."""

    label: str
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class Change:
    """What one container has otherwise than on the side before: `lost` and `gained` in words."""

    namespace: str
    pod: str
    container: str
    before: str
    after: str
    lost: tuple[str, ...]
    gained: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the flags say for every side; None is nothing."""

    factor: float | None = None
    policy: ReservationPolicy | None = None


def kubelets(what: str, base: Kubelet, configuration: Configuration, wishes: Wishes) -> list[tuple[str, Kubelet]]:
    """The sides that `--compare` names: `gate`, or at least two versions; raises UsageError."""
    if what == GATE:
        return [("gate off", without_gate(base)), ("gate on", replace(base, gate=True))]
    names = [name.strip() for name in what.split(",") if name.strip()]
    if len(names) < 2 or len(set(names)) < len(names):
        raise UsageError(
            f"--compare does not take “{what}”",
            todo="Use --compare gate, or two or more versions: --compare 1.35,1.36,1.37.",
        )
    sides = []
    for name in names:
        version = KubernetesVersion.parse(name)
        one = kubelet_of(
            configuration,
            allocatable=base.allocatable,
            kubernetes=version,
            gate=base.gate,
            fused=base.fused,
            factor=wishes.factor,
            policy=wishes.policy if version >= FIRST_WITH_POLICY else None,
        )
        sides.append((str(version), one))
    return sides


def compare(workloads: Sequence[Workload], node: Node, sides: Sequence[tuple[str, Kubelet]]) -> list[Side]:
    """The outcome under each of the kubelets, everything else of the node the same."""
    return [Side(label, explain(workloads, replace(node, kubelet=kubelet))) for label, kubelet in sides]


def changes(sides: Sequence[Side]) -> list[Change]:
    """Who has what otherwise, from each side to the next."""
    found = []
    for before, after in pairwise(sides):
        pairs = zip(before.explanation.containers, after.explanation.containers, strict=True)
        for old, new in pairs:
            lost, gained = _difference(old, new)
            if lost or gained:
                pod = new.workload.pod
                name = new.container.name
                found.append(Change(pod.namespace, pod.name, name, before.label, after.label, lost, gained))
    return found


def _difference(old: ExplainedContainer, new: ExplainedContainer) -> tuple[tuple[str, ...], tuple[str, ...]]:
    lost: list[str] = []
    gained: list[str] = []
    _protection(old.memory, new.memory, lost, gained)
    _throttling(old.memory.high, new.memory.high, lost, gained)
    if old.memory.max != new.memory.max:
        gained.append(f"memory.max {shown(new.memory.max)} instead of {shown(old.memory.max)}")
    return tuple(lost), tuple(gained)


def _protection(old: CgroupMemory, new: CgroupMemory, lost: list[str], gained: list[str]) -> None:
    if (old.min, old.low) == (new.min, new.low):
        return
    if old.min and new.low and not new.min:
        lost.append(f"memory.min {readable(old.min)} becomes memory.low {readable(new.low)}: soft instead of hard")
        return
    if old.low and new.min and not new.low:
        gained.append(f"memory.low {readable(old.low)} becomes memory.min {readable(new.min)}: hard instead of soft")
        return
    for file, before, after in (("memory.min", old.min, new.min), ("memory.low", old.low, new.low)):
        if before > after:
            lost.append(f"{file} {readable(before)}" + (f" becomes {readable(after)}" if after else ""))
        elif after > before:
            gained.append(f"{file} {readable(after)}")


def _throttling(old: Amount, new: Amount, lost: list[str], gained: list[str]) -> None:
    if old == new:
        return
    if new == "max":
        lost.append(f"throttling at memory.high {shown(old)}")
    elif old == "max":
        gained.append(f"throttling at memory.high {shown(new)}")
    elif new < old:
        gained.append(f"memory.high {shown(new)} instead of {shown(old)}: throttled earlier")
    else:
        lost.append(f"memory.high {shown(new)} instead of {shown(old)}: throttled later")


def shown(amount: Amount) -> str:
    """A value for people."""
    return amount if isinstance(amount, str) else readable(amount)
