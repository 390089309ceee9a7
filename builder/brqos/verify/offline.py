"""The comparison on a copied cgroup tree: for support cases, without a cluster."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brqos.errors import ConfigurationError
from brqos.kube.refusals import KubeCallError
from brqos.memoryqos.kubelet import Kubelet, Prediction
from brqos.memoryqos.levels import Level, predict_levels, predict_pod
from brqos.memoryqos.pod import ContainerKind
from brqos.memoryqos.settings import KubeletSettings, kubelet_settings
from brqos.variant import KubernetesVersion
from brqos.verify.cgroup_text import Cgroup
from brqos.verify.compare import compared, named, pod_in, predictions
from brqos.verify.model import Check, Compared, Finding, NodeReport, Report, Status, Subject, Values, Wanted
from brqos.verify.pressure import check_pressure
from brqos.verify.prospect import Prospect
from brqos.verify.tree import Tree, plain_uid, read_cgroup, read_tree
from brqos.verify.workloads import Reading, Running, judged, nowhere

_CONFIG_HASH = "kubernetes.io/config.hash"
_UNREADABLE = "its files are missing from the tree, or hold no values"


@dataclass(frozen=True, slots=True)
class _Found:
    """A pod of the file whose cgroup is in the tree."""

    item: Mapping[str, Any]
    folder: Path


def read_pods(file: Path) -> list[dict[str, Any]]:
    """The pods of a `kubectl get pods -A -o json`; raises ConfigurationError."""
    todo = "Make it with: kubectl get pods --all-namespaces --output=json > pods.json"
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{file} cannot be read as JSON", why=str(error), todo=todo) from None
    items = content.get("items", [content]) if isinstance(content, dict) else None
    if not isinstance(items, list) or not all(isinstance(item, dict) and "spec" in item for item in items):
        raise ConfigurationError(f"{file} holds no pods", todo=todo)
    return items


def allocatable_of(root: Path) -> int | None:
    """The formulas' allocatable as the tree itself tells it: kubepods' memory.max, where the kubelet enforces it."""
    folder = read_tree(root).levels.get(Level.KUBEPODS)
    cgroup = read_cgroup(folder) if folder else None
    if cgroup is None or cgroup.values.memory_max == "max":
        return None
    return cgroup.values.memory_max


def settings_of_copy(
    kubernetes: KubernetesVersion, factor: float | None, policy: object, wanted: Wanted | None
) -> KubeletSettings:
    """The settings that the copy's kubelet had: what is given, else the record's, else what brqos writes.

    Raises ConfigurationError for settings that no kubelet of that version takes.
    """
    if policy not in (None, "None", "TieredReservation"):
        raise ConfigurationError(f"“{policy}” is not a memoryReservationPolicy", todo="Use TieredReservation or None.")
    if factor is None:
        factor = wanted.throttling_factor if wanted else 0.9
    chosen = policy or (wanted.reservation_policy if wanted else None)
    return kubelet_settings(
        kubernetes,
        throttling_factor=factor,
        reservation_policy=chosen,
    )


def verify_tree(root: Path, pods: Sequence[Mapping[str, Any]], kubelet: Kubelet, node: str | None) -> Report:
    """Compare every cgroup of the tree whose pod is in the list; `node` leaves out the pods of others."""
    tree = read_tree(root)
    try:
        report = _compare(tree, pods, kubelet, node)
    except KubeCallError as error:
        raise ConfigurationError("the file of the pods holds what is no pod", why=error.why) from None
    return Report(nodes=(NodeReport(node=node or str(root), checks=report),))


def _compare(tree: Tree, pods: Sequence[Mapping[str, Any]], kubelet: Kubelet, node: str | None) -> tuple[Check, ...]:
    here = [item for item in pods if node is None or (item.get("spec") or {}).get("nodeName") == node]
    found = [each for item in here if (each := _folder_of(tree, item)) is not None]
    prospect = Prospect(kubelet, kubelet)
    readings: dict[tuple[str, str, str], Reading] = {}
    entries: list[Compared] = []
    for each in found:
        entries += _pod(tree, each, prospect, readings)
    unknown = len(tree.pods) - len(found)
    if not unknown:
        entries += _levels(tree, found, kubelet)
    findings = [_summary(found, here, unknown), *filter(None, [nowhere(entries)])]
    return (
        Check(subject=Subject.WORKLOADS, findings=tuple(findings), compared=tuple(entries)),
        check_pressure(readings),
    )


def _summary(found: Sequence[_Found], here: Sequence[Mapping[str, Any]], unknown: int) -> Finding:
    observed = f"{len(found)} of {len(here)} are in the tree"
    why = ""
    if unknown:
        why = f"{unknown} pod(s) of the tree are not in the file; the sums of the QoS levels cannot be predicted."
    status = Status.FAILED if not found and here else Status.WARNING if unknown or not found else Status.PASSED
    if not found:
        why = "Are the tree and the file from the same node, and from the same time?"
    return Finding(status=status, what="pods of the file", observed=observed, why=why)


def _folder_of(tree: Tree, item: Mapping[str, Any]) -> _Found | None:
    metadata = item.get("metadata") or {}
    # A static pod's cgroup is named after the hash of its file, which the mirror pod carries.
    for uid in ((metadata.get("annotations") or {}).get(_CONFIG_HASH), metadata.get("uid")):
        folder = tree.pods.get(plain_uid(str(uid or "")))
        if folder is not None:
            return _Found(item, folder)
    return None


def _pod(tree: Tree, each: _Found, prospect: Prospect, readings: dict[tuple[str, str, str], Reading]) -> list[Compared]:
    pod, kubelet = pod_in(each.item), prospect.wanted
    whole = named(pod, "", kubelet, Status.SKIPPED).model_copy(update={"kind": "pod"})
    cgroup = read_cgroup(each.folder)
    entries = [_judged(whole, predict_pod(kubelet, pod), cgroup, Running(pod, "", None), prospect)]
    expected = predictions(kubelet, pod)
    ids = _container_ids(each.item)
    for container in pod.containers:
        folder = tree.containers.get(ids.get(container.name, ""))
        if folder is None or container.kind is ContainerKind.EPHEMERAL:
            continue
        cgroup = read_cgroup(folder)
        if cgroup is not None:
            readings[pod.namespace, pod.name, container.name] = Reading(first=cgroup)
        entry = named(pod, container.name, kubelet, Status.SKIPPED)
        running = Running(pod, container.name, None)
        entries.append(_judged(entry, expected[container.name], cgroup, running, prospect))
    return entries


def _judged(
    entry: Compared, expected: Prediction, cgroup: Cgroup | None, running: Running, prospect: Prospect
) -> Compared:
    observed = cgroup.values if cgroup else None
    if observed is None:
        entry = entry.model_copy(update={"status": Status.UNANSWERED, "remark": _UNREADABLE})
    entry = compared(entry, expected, observed)
    return judged(entry, running, prospect, None) if entry.status is Status.FAILED else entry


def _container_ids(item: Mapping[str, Any]) -> dict[str, str]:
    status = item.get("status") or {}
    every = [
        each
        for key in ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")
        for each in status.get(key) or []
    ]
    return {str(each.get("name")): str(each.get("containerID") or "").rpartition("://")[2] for each in every}


def _levels(tree: Tree, found: Sequence[_Found], kubelet: Kubelet) -> list[Compared]:
    """The kubelet sums over all pods, so this is only done where each pod of the tree is known."""
    active = [each for each in found if (each.item.get("status") or {}).get("phase") not in ("Succeeded", "Failed")]
    enforced = (cgroup := _cgroup_of(tree, Level.KUBEPODS)) is None or cgroup.memory_max != "max"
    expected = predict_levels(kubelet, [pod_in(each.item) for each in active], enforces_pods=enforced)
    entries = []
    for level, memory in expected.items():
        values = _cgroup_of(tree, level)
        if values is None:
            continue
        entry = Compared(
            status=Status.SKIPPED,
            pod=level.value,
            kind="level",
            expected=Values.of(memory),
            observed=values,
            why=f"the sum over {len(active)} pod(s)",
        )
        entries.append(entry.model_copy(update={"status": Status.FAILED if entry.differing else Status.PASSED}))
    return entries


def _cgroup_of(tree: Tree, level: Level) -> Values | None:
    folder = tree.levels.get(level)
    cgroup = read_cgroup(folder) if folder else None
    return cgroup.values if cgroup else None
