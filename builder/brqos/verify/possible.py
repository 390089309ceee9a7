"""Check 3: can it work. Cgroup v2, kernel, runtime and driver. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from brqos.kube.kubelet import KubeletFacts, node_info
from brqos.verify.model import Check, Finding, Status, Subject

_VERSION = re.compile(r"(\d+)\.(\d+)")
# KEP-2570 asks for these; older kernels stall at memory.high.
_KERNEL = (5, 9)
_CONTAINERD = (1, 6)
_HOW_TO_GET_V2 = "Use a variant for Kubernetes 1.26 or newer, without `systemd.unified_cgroup_hierarchy=0`."


def check_possible(node: Mapping[str, Any], facts: KubeletFacts | None, cgroup_v2: bool | None) -> Check:
    """Does the node have what MemoryQoS needs; `cgroup_v2` is what a container saw, None where none was asked."""
    info = node_info(node)
    findings = [_cgroup(cgroup_v2), _kernel(info), _runtime(info)]
    if facts is not None:
        findings.append(_driver(facts))
    return Check(subject=Subject.POSSIBLE, findings=tuple(findings))


def _cgroup(seen: bool | None) -> Finding:
    if seen is None:
        return Finding(
            status=Status.SKIPPED, what="cgroup v2", expected="yes", why="Only a container on the node can tell."
        )
    return Finding(
        status=Status.PASSED if seen else Status.FAILED,
        what="cgroup v2",
        expected="yes",
        observed="yes, with the memory controller" if seen else "no",
        why="" if seen else "memory.min, memory.low and memory.high exist in cgroup v2 only.",
        todo="" if seen else _HOW_TO_GET_V2,
    )


def _kernel(info: Mapping[str, Any]) -> Finding:
    told = str(info.get("kernelVersion") or "")
    return _at_least("kernel", told, told, _KERNEL, Status.WARNING, "Older kernels stall at memory.high.")


def _runtime(info: Mapping[str, Any]) -> Finding:
    told = str(info.get("containerRuntimeVersion") or "")
    name, _, version = told.partition("://")
    if name != "containerd":
        why = "brqos knows what containerd needs; of other runtimes it can only look at the values."
        return Finding(status=Status.WARNING, what="container runtime", expected="containerd", observed=told, why=why)
    why = "Older ones do not pass the values on to cgroup v2."
    return _at_least("container runtime", told, version, _CONTAINERD, Status.FAILED, why)


def _at_least(what: str, told: str, version: str, least: tuple[int, int], otherwise: Status, why: str) -> Finding:
    match = _VERSION.match(version)
    expected = f">= {least[0]}.{least[1]}"
    if match is None:
        return Finding(status=Status.UNANSWERED, what=what, expected=expected, observed=told or "not told")
    enough = (int(match[1]), int(match[2])) >= least
    status = Status.PASSED if enough else otherwise
    return Finding(status=status, what=what, expected=expected, observed=told, why="" if enough else why)


def _driver(facts: KubeletFacts) -> Finding:
    systemd = facts.cgroup_driver == "systemd"
    return Finding(
        status=Status.PASSED if systemd else Status.WARNING,
        what="cgroup driver",
        expected="systemd",
        observed=facts.cgroup_driver,
        why="" if systemd else "With systemd running, two managers of one cgroup tree get into each other's way.",
    )
