"""What the soak finds, held against brqos: the values of real cgroups, and memory.high at work."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from brqos.memoryqos.kubelet import Kubelet
from brqos.variant import KubernetesVersion
from brqos.verify.cgroup_text import Cgroup, cgroup_of
from brqos.verify.model import Status
from brqos.verify.offline import verify_tree
from brqos.verify.pressure import check_pressure
from brqos.verify.workloads import Reading
from soak.guest import CACHE_HIGH, CACHE_READ_MIB, write_tree
from soak.pods import Node


@dataclass(frozen=True)
class Line:
    """One line of the result."""

    good: bool
    text: str


def values(node: Node, cgroups: dict[str, dict[str, str]]) -> Line:
    """The node's cgroups against brqos' prediction, by `brqos verify --cgroup-root` itself."""
    kernel = node.kernel
    policy = "TieredReservation" if kernel.policy else None
    kubelet = Kubelet(KubernetesVersion(1, kernel.minor), kernel.allocatable, True, kernel.factor, policy)
    with tempfile.TemporaryDirectory(prefix="brqos-soak-") as folder:
        write_tree(Path(folder), cgroups)
        report = verify_tree(Path(folder), node.pods, kubelet, None)
    entries = report.nodes[0].checks[0].compared
    wrong = [
        f"{entry.name} {file}: predicted {entry.expected.by_file()[file]}, read {entry.observed.by_file()[file]}"
        for entry in entries
        for file in entry.differing
        if entry.expected and entry.observed
    ]
    good = bool(entries) and not wrong and report.status is Status.PASSED and len(entries) == _expected_entries(node)
    told = "; ".join(wrong) or f"{len(entries)} cgroups read back as predicted"
    return Line(good, f"Kubernetes {node.title}: {told}")


def _expected_entries(node: Node) -> int:
    """Each pod and its container, and the three levels."""
    return 2 * len(node.pods) + 3


def reclaim(throttled: Cgroup, free: Cgroup) -> Line:
    """Reading much more than memory.high leaves its cgroup at memory.high, with nothing killed; without it, not."""
    assert throttled.current is not None
    assert free.current is not None
    events = throttled.events
    good = (
        throttled.current <= CACHE_HIGH
        and events["high"] > 0
        and events["oom_kill"] == 0
        and free.current > 2 * CACHE_HIGH
        and free.events["high"] == 0
    )
    return Line(
        good,
        f"memory.high {CACHE_HIGH} while reading {CACHE_READ_MIB} MiB: {throttled.current} used"
        f" (file {throttled.file}), high {events['high']}, oom_kill {events['oom_kill']};"
        f" without it {free.current} used (file {free.file})",
    )


def leak(cgroup: Cgroup) -> Line:
    """Anonymous memory at memory.high is throttled, and brqos says so."""
    check = check_pressure({("soak", "leak", "dd"): Reading(first=cgroup)})
    flagged = any("leak" in finding.why for finding in check.findings)
    return Line(
        flagged and cgroup.events["high"] > 0,
        f"a throttled leak: {cgroup.current} used, anon {cgroup.anon}, file {cgroup.file},"
        f" high {cgroup.events['high']}, {'flagged' if flagged else 'not flagged'}",
    )


def verdict(nodes: list[Node], shown: dict[str, dict[str, dict[str, str]]]) -> list[Line]:
    """All lines; a cgroup that was not shown is a bad one."""
    lines = []
    for number, node in enumerate(nodes):
        cgroups = shown.get(f"node{number}")
        lines.append(values(node, cgroups) if cgroups else Line(False, f"Kubernetes {node.title} was not shown"))
    works = {name: cgroup_of(shown.get(name, {}).get("", {})) for name in ("throttled", "free", "leak")}
    if works["throttled"] and works["free"]:
        lines.append(reclaim(works["throttled"], works["free"]))
    if works["leak"]:
        lines.append(leak(works["leak"]))
    return lines + [Line(False, f"{name} was not shown") for name, cgroup in works.items() if cgroup is None]
