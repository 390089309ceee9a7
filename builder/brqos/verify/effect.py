"""Check 4: did it take effect. What the probes printed against the prediction. Pure."""

from collections.abc import Sequence

from brqos.verify.compare import compared, named, pod_in, predictions
from brqos.verify.model import Check, Compared, Finding, Status, Subject, Values
from brqos.verify.probe_pods import CONTAINER, ProbeClass
from brqos.verify.probing import Outcome
from brqos.verify.prospect import Prospect, assumption


def cgroup_v2_seen(outcomes: Sequence[Outcome]) -> bool | None:
    """What the probes saw; None where none could tell."""
    seen = [each.printed.cgroup_v2 for each in outcomes if each.printed and each.printed.cgroup_v2 is not None]
    return all(seen) if seen else None


def check_effect(outcomes: Sequence[Outcome], prospect: Prospect | None) -> Check:
    """Do new containers have the predicted values."""
    findings = [assumption(prospect)] if prospect is not None and prospect.assumes_eviction else []
    entries = []
    for outcome in outcomes:
        if outcome.trouble is not None:
            findings.append(outcome.trouble)
        elif outcome.printed is not None and outcome.printed.cgroup is None:
            findings.append(_unreadable(outcome))
        elif outcome.printed is not None and outcome.printed.cgroup is not None:
            entries.append(_entry(outcome, outcome.printed.cgroup.values, prospect))
    if prospect is None:
        findings += _by_appearance(entries)
    return Check(subject=Subject.EFFECT, findings=tuple(_once(findings)), compared=tuple(entries))


def _once(findings: Sequence[Finding]) -> list[Finding]:
    """A trouble of the node is told by each of its probes; once is enough."""
    kept: list[Finding] = []
    for finding in findings:
        if not any((finding.observed, finding.why) == (other.observed, other.why) for other in kept):
            kept.append(finding)
    return kept


def _unreadable(outcome: Outcome) -> Finding:
    printed = outcome.printed
    assert printed is not None
    return Finding(
        status=Status.FAILED if printed.cgroup_v2 is False else Status.UNANSWERED,
        what=f"probe {outcome.probe.shape.words}",
        expected="its four files",
        observed=printed.trouble,
        todo="" if printed.cgroup_v2 is False else "Is the image of --image one with a POSIX shell and cat?",
    )


def _entry(outcome: Outcome, observed: Values, prospect: Prospect | None) -> Compared:
    assert outcome.pod is not None
    pod = pod_in(outcome.pod)
    remarks = _changed(outcome, pod.status_qos.value if pod.status_qos else "")
    entry = named(pod, CONTAINER, prospect.wanted if prospect else None, Status.WARNING).model_copy(
        update={"pod": f"probe {outcome.probe.shape.words}", "namespace": "", "container": ""}
    )
    if prospect is None:
        return compared(entry, None, observed)
    entry = compared(entry, predictions(prospect.wanted, pod)[CONTAINER], observed)
    if entry.status is Status.FAILED:
        as_configured = prospect.configured and Values.of(predictions(prospect.configured, pod)[CONTAINER].memory)
        if (
            prospect.assumes_eviction
            and entry.differing == ("memory.high",)
            and not pod.containers[0].resources.memory_limit
        ):
            remarks.append("the eviction threshold is assumed, so this may be right")
            entry = entry.model_copy(update={"status": Status.WARNING})
        elif as_configured == observed:
            remarks.append("the kubelet does what it is configured to, and that is not what is wanted")
        elif observed.untouched:
            remarks.append("MemoryQoS wrote nothing here")
    return entry.model_copy(update={"remark": "; ".join(remarks)})


def _changed(outcome: Outcome, qos: str) -> list[str]:
    if not qos or qos == outcome.probe.shape.qos:
        return []
    return [f"the cluster made it {qos} (a LimitRange, a quota or a webhook); predicted for what it became"]


def _by_appearance(entries: Sequence[Compared]) -> list[Finding]:
    """Without settings to predict with, only whether anything is there."""
    shown = [entry for entry in entries if entry.observed is not None and entry.pod != _BEST_EFFORT]
    if not shown:
        return []
    touched = any(entry.observed is not None and not entry.observed.untouched for entry in shown)
    return [
        Finding(
            status=Status.WARNING if touched else Status.FAILED,
            what="values of new containers",
            expected="requests protected, memory.high below the limit",
            observed="there is something" if touched else "nothing but limits",
            why="The kubelet's configuration could not be read and there is no build record: nothing can be predicted.",
            todo="Grant `get` on nodes/proxy (`brqos verify --rbac`), or give the record with --record.",
        )
    ]


_BEST_EFFORT = f"probe {ProbeClass.BEST_EFFORT.words}"
