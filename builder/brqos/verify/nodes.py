"""The six checks on live nodes, in their order, with what each needs from the others."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from brqos.kube import cluster
from brqos.kube.kubectl import Kubectl
from brqos.kube.kubelet import KubeletFacts, kubelet_facts, name_of, started_at
from brqos.monitor import Monitor
from brqos.verify.answers import Answer, asked, unanswered
from brqos.verify.effect import cgroup_v2_seen, check_effect
from brqos.verify.image import InstanceImage, check_image, differing_nodes, instance_of
from brqos.verify.model import Check, Finding, NodeReport, Report, Status, Subject, Wanted
from brqos.verify.node_state import not_ready, trouble_of
from brqos.verify.possible import check_possible
from brqos.verify.pressure import check_pressure
from brqos.verify.probe_pods import ProbeSpec
from brqos.verify.probing import Outcome, Probing, probe_nodes
from brqos.verify.prospect import Prospect, prospect_of
from brqos.verify.switched_on import Kubeletting, check_on
from brqos.verify.workloads import Workloads, check_workloads, read_all, running_containers


class Instances(Protocol):
    """Who knows the AMI of an instance."""

    def image_of(self, instance: str, region: str) -> InstanceImage:
        """Its AMI, or in words why that is not known; raises nothing."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is to be done: `probe` makes pods, `inspect` asks all else, `execute` reads what runs there."""

    probe: ProbeSpec | None
    inspect: bool = True
    execute: bool = False


@dataclass(frozen=True, slots=True)
class _Told:
    """What a node and its kubelet answered before anything was made."""

    node: dict[str, Any]
    kubelet: Kubeletting
    prospect: Answer[Prospect | None]

    @property
    def kubelet_started(self) -> float | None:
        metrics = self.kubelet.metrics.value
        return started_at(metrics) if metrics is not None else None


def verify_nodes(
    kubectl: Kubectl,
    nodes: Sequence[dict[str, Any]],
    wanted: Wanted | None,
    scope: Scope,
    instances: Instances,
    monitor: Monitor,
    *,
    pause: Callable[[float], None] = time.sleep,
) -> Report:
    """Verify these nodes (v1.Node objects).

    What cannot be asked of one node is a finding, and the rest goes on. Raises ToolError without kubectl, KubeCallError
    where not even the kubeconfig can be read.
    """
    told = [_ask(kubectl, node, wanted) for node in nodes]
    probing = Probing()
    ready = [name_of(each.node) for each in told if not not_ready(each.node)]
    if scope.probe is not None and ready:
        probing = probe_nodes(kubectl, ready, scope.probe, monitor, pause=pause)
    others = differing_nodes(nodes)
    reports = []
    with monitor.task("Looking at nodes", len(told)) as task:
        for each in told:
            task.describe(name_of(each.node))
            checks = _checks(kubectl, each, wanted, scope, instances, probing, others, pause)
            reports.append(NodeReport(node=name_of(each.node), checks=tuple(checks)))
            task.advance(1)
    return Report(nodes=tuple(reports), left=probing.left)


def _ask(kubectl: Kubectl, node: dict[str, Any], wanted: Wanted | None) -> _Told:
    name = name_of(node)
    metrics: Answer[str] = asked(lambda: cluster.metrics(kubectl, name))

    def facts() -> KubeletFacts:
        found = kubelet_facts(node, cluster.configz(kubectl, name))
        return found.with_metrics(metrics.value) if metrics.value is not None else found

    answer = asked(facts)
    return _Told(node, Kubeletting(answer, metrics), asked(lambda: prospect_of(node, answer.value, wanted)))


def _checks(
    kubectl: Kubectl,
    told: _Told,
    wanted: Wanted | None,
    scope: Scope,
    instances: Instances,
    probing: Probing,
    others: Mapping[str, Finding],
    pause: Callable[[float], None],
) -> list[Check]:
    outcomes = probing.outcomes.get(name_of(told.node), [])
    checks = []
    if scope.inspect:
        checks.append(_image(told, wanted, instances, others))
        checks.append(check_on(told.kubelet, wanted, proof_follows=bool(outcomes)))
        checks.append(check_possible(told.node, told.kubelet.facts.value, cgroup_v2_seen(outcomes)))
    checks.append(_effect(told, scope, outcomes))
    if scope.inspect:
        checks += _workloads(kubectl, told, scope, pause)
    return checks


def _image(told: _Told, wanted: Wanted | None, instances: Instances, others: Mapping[str, Finding]) -> Check:
    instance = instance_of(told.node)
    if instance is None:
        image = InstanceImage(unknown="The node does not say which EC2 instance it is.")
    else:
        image = instances.image_of(instance.id, instance.region)
    check = check_image(told.node, wanted, image)
    other = others.get(name_of(told.node))
    return check if other is None else check.model_copy(update={"findings": (*check.findings, other)})


def _effect(told: _Told, scope: Scope, outcomes: Sequence[Outcome]) -> Check:
    if scope.probe is None:
        finding = Finding(status=Status.SKIPPED, what="probe pods", why="None were made (--read-only).")
        return Check(subject=Subject.EFFECT, findings=(finding,))
    trouble = trouble_of(Answer(value=told.node), name_of(told.node))
    if trouble is not None and not outcomes:
        return Check(subject=Subject.EFFECT, findings=(trouble,))
    check = check_effect(outcomes, told.prospect.value)
    if told.prospect.refusal is None:
        return check
    finding = unanswered("inputs of the prediction", told.prospect.refusal)
    return check.model_copy(update={"findings": (*check.findings, finding)})


def _workloads(kubectl: Kubectl, told: _Told, scope: Scope, pause: Callable[[float], None]) -> list[Check]:
    def ask() -> Workloads:
        running = running_containers(cluster.pods_on(kubectl, name_of(told.node)))
        return Workloads(running, read_all(kubectl, running, pause=pause) if scope.execute else {})

    workloads = asked(ask)
    readings = workloads.value.readings if workloads.value else {}
    return [
        check_workloads(workloads, told.prospect.value, told.kubelet_started, executed=scope.execute),
        check_pressure(readings),
    ]
