"""Check 4's effects: probe pods made, waited for, read, and removed whatever happens."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from brqos.kube import cluster
from brqos.kube.kubectl import Kubectl
from brqos.kube.kubelet import name_of
from brqos.kube.refusals import KubeCallError, Refusal
from brqos.monitor import Monitor, Task
from brqos.verify.answers import asked, unanswered
from brqos.verify.interrupts import cleaned_after
from brqos.verify.model import Finding, Status
from brqos.verify.node_state import trouble_of
from brqos.verify.owner import new_run, this_process
from brqos.verify.probe_pods import (
    CONTAINER,
    RUN_LABEL,
    Printed,
    Probe,
    ProbeSpec,
    lifetime,
    manifest,
    planned,
    read_log,
)
from brqos.verify.progress import Progress, event_lines, progress_of
from brqos.verify.removing import PATIENCE_SECONDS, POLITE_SECONDS, Removal, remove_leftovers

# What may be better at the next try.
_PASSING = (Refusal.CONNECTION, Refusal.TIMEOUT, Refusal.UNAVAILABLE, Refusal.THROTTLED, Refusal.GARBLED)
_SECONDS_BETWEEN = 1.0
_TRIES = 3
_LOST_AFTER = 5
"""So many polls in a row without an answer: the cluster is lost."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a probe: `pod` as the API server made it, what it printed, or the trouble with it."""

    probe: Probe
    pod: Mapping[str, Any] | None = None
    printed: Printed | None = None
    trouble: Finding | None = None


@dataclass(slots=True)
class Probing:
    """The outcomes by node, and the pods that could not be removed."""

    outcomes: dict[str, list[Outcome]] = field(default_factory=dict)
    left: tuple[str, ...] = ()


def probe_nodes(
    kubectl: Kubectl,
    nodes: Sequence[str],
    spec: ProbeSpec,
    monitor: Monitor,
    *,
    pause: Callable[[float], None] = time.sleep,
) -> Probing:
    """Run the four probes on each node, all at the same time.

    Troubles are outcomes; only KubeCallError about the namespace itself and ToolError are raised. Before anything else
    the probes of runs that are over are removed.
    """
    run, namespace = new_run(), kubectl.namespace()
    remove_leftovers(kubectl, namespace, run, None, monitor)
    work = _Run(kubectl, namespace, run, spec, monitor, pause)
    removal = Removal(
        kubectl, namespace, run, monitor, work.tried, pause=pause, patience=PATIENCE_SECONDS, polite=POLITE_SECONDS
    )
    with cleaned_after(removal), monitor.task(f"Probing {len(nodes)} node(s)", 4 * len(nodes)) as task:
        outcomes = work.outcomes(planned(run, list(nodes)), task)
        if work.server_time is not None:
            remove_leftovers(kubectl, namespace, run, work.server_time, monitor)
    by_node: dict[str, list[Outcome]] = {node: [] for node in nodes}
    for outcome in outcomes:
        by_node[outcome.probe.node].append(outcome)
    return Probing(by_node, removal.left)


@dataclass(slots=True)
class _Run:
    """The probes of one run, from being made to being read."""

    kubectl: Kubectl
    namespace: str
    run: str
    spec: ProbeSpec
    monitor: Monitor
    pause: Callable[[float], None]
    tried: list[str] = field(default_factory=list)
    """Names of the pods that may exist, each put here before it is asked for."""
    server_time: datetime | None = None

    def outcomes(self, probes: list[Probe], task: Task) -> list[Outcome]:
        made: dict[str, tuple[Probe, dict[str, Any]]] = {}
        done: dict[str, Outcome] = {}
        seconds = lifetime(self.spec, len(probes))
        owner = this_process()
        for probe in probes:
            task.describe(f"making {probe.name} on {probe.node}")
            outcome = self._make(probe, owner, seconds)
            if outcome.trouble is None and outcome.pod is not None:
                made[probe.name] = (probe, dict(outcome.pod))
            else:
                done[probe.name] = outcome
                task.advance(1)
        done |= self._wait(made, task)
        return [done[probe.name] for probe in probes]

    def _make(self, probe: Probe, owner: str, seconds: int) -> Outcome:
        self.tried.append(probe.name)
        wish = manifest(probe, self.spec, self.run, owner, seconds)
        try:
            pod = self.kubectl.create(cluster.pods_path(self.namespace), wish)
        except KubeCallError as error:
            if error.kind is Refusal.CONFLICT:
                # Names are ours alone: an earlier try was heard, though its answer was lost.
                return Outcome(probe, pod=wish)
            return Outcome(probe, trouble=self._refused(probe, error))
        self._note_time(pod)
        return Outcome(probe, pod=pod)

    def _refused(self, probe: Probe, error: KubeCallError) -> Finding:
        what = f"probe {probe.shape.words}"
        if error.kind is Refusal.FORBIDDEN and "cannot create resource" not in error.why:
            # Quotas, LimitRanges, Pod Security and policies answer as if it were a permission.
            return Finding(
                status=Status.UNANSWERED,
                what=what,
                observed=f"the namespace {self.namespace} refuses the pod",
                why=error.why,
                todo="Choose a namespace that takes it, with --namespace, or leave the probes out with --read-only.",
            )
        finding = unanswered(what, error)
        if error.kind is Refusal.FORBIDDEN:
            return finding.model_copy(update={"todo": f"{error.todo} Or leave the probes out with --read-only."})
        return finding

    def _note_time(self, pod: Mapping[str, Any]) -> None:
        try:
            self.server_time = datetime.fromisoformat(str((pod.get("metadata") or {}).get("creationTimestamp")))
        except ValueError:
            self.server_time = None

    def _wait(self, made: dict[str, tuple[Probe, dict[str, Any]]], task: Task) -> dict[str, Outcome]:
        done: dict[str, Outcome] = {}
        last: dict[str, Progress] = dict.fromkeys(made, Progress())
        deadline = time.monotonic() + self.spec.timeout
        silent = 0
        error: KubeCallError | None = None
        while made.keys() - done.keys() and time.monotonic() < deadline and silent < _LOST_AFTER:
            answer = asked(lambda: cluster.pods_in(self.kubectl, self.namespace, f"{RUN_LABEL}={self.run}"))
            if answer.value is None:
                assert answer.refusal is not None
                error, silent = answer.refusal, silent + 1
                if error.kind not in _PASSING:
                    break
            else:
                error, silent = None, 0
                there = {name_of(pod): pod for pod in answer.value}
                for name in made.keys() - done.keys():
                    outcome = self._look(made[name], there.get(name), last)
                    if outcome is not None:
                        done[name] = outcome
                        task.advance(1)
            if made.keys() - done.keys():
                task.describe(f"waiting for {len(made) - len(done)} probe(s)")
                self.pause(_SECONDS_BETWEEN)
        for name in made.keys() - done.keys():
            done[name] = self._given_up(made[name], last[name], error)
        return done

    def _look(
        self, made: tuple[Probe, dict[str, Any]], pod: dict[str, Any] | None, last: dict[str, Progress]
    ) -> Outcome | None:
        """The outcome, as soon as there is one."""
        probe = made[0]
        if pod is None:
            return Outcome(probe, made[1], trouble=self._in_trouble(probe, "it was removed by somebody else", ""))
        progress = last[probe.name] = progress_of(pod)
        if progress.failed:
            why = "\n".join(part for part in (progress.words, self._events(probe)) if part)
            return Outcome(probe, pod, trouble=self._in_trouble(probe, "it failed", why, progress.todo))
        return self._read(probe, pod) if progress.done else None

    def _read(self, probe: Probe, pod: Mapping[str, Any]) -> Outcome:
        for number in range(_TRIES):
            answer = asked(lambda: cluster.log_of(self.kubectl, self.namespace, probe.name, CONTAINER))
            if answer.value is not None:
                return Outcome(probe, pod, printed=read_log(answer.value))
            # A node that is gone explains it, and does not come back.
            state = self._node_trouble(probe)
            if state is not None:
                return Outcome(probe, pod, trouble=state)
            assert answer.refusal is not None
            if answer.refusal.kind not in _PASSING:
                break
            if number + 1 < _TRIES:
                self.pause(_SECONDS_BETWEEN)
        assert answer.refusal is not None
        return Outcome(probe, pod, trouble=unanswered(f"probe {probe.shape.words}: its log", answer.refusal))

    def _given_up(self, made: tuple[Probe, dict[str, Any]], progress: Progress, error: KubeCallError | None) -> Outcome:
        probe, pod = made
        if error is not None:
            return Outcome(probe, pod, trouble=unanswered(f"probe {probe.shape.words}", error))
        why = "\n".join(part for part in (progress.words, self._events(probe)) if part)
        observed = f"it did not end within {self.spec.timeout:g} seconds"
        todo = progress.todo or "Give it longer with --probe-timeout, or look at the node's kubelet and runtime."
        return Outcome(probe, pod, trouble=self._in_trouble(probe, observed, why, todo))

    def _in_trouble(self, probe: Probe, observed: str, why: str, todo: str = "") -> Finding:
        state = self._node_trouble(probe)
        if state is not None:
            return state
        return Finding(
            status=Status.UNANSWERED,
            what=f"probe {probe.shape.words}",
            expected="its four files",
            observed=observed,
            why=why,
            todo=todo,
        )

    def _node_trouble(self, probe: Probe) -> Finding | None:
        """What is wrong with the node itself, which explains more than any probe does."""
        found = trouble_of(asked(lambda: cluster.node(self.kubectl, probe.node)), probe.node)
        return found and found.model_copy(update={"what": f"probe {probe.shape.words}"})

    def _events(self, probe: Probe) -> str:
        answer = asked(lambda: cluster.events_of(self.kubectl, self.namespace, probe.name))
        return event_lines(answer.value or [])
