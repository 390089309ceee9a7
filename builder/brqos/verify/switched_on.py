"""Check 2: is it on. The kubelet's metrics and configz against the rules of its version. Pure."""

import dataclasses
from dataclasses import dataclass

from brqos.kube.kubelet import KubeletFacts
from brqos.memoryqos.settings import FIRST_ON_BY_DEFAULT, FIRST_WITH_POLICY, GATE
from brqos.verify.answers import Answer, unanswered
from brqos.verify.model import Check, Finding, Status, Subject, Wanted

_RESTART = "A kubelet reads its configuration when it starts: replace the node by one of the built AMI."


@dataclass(frozen=True, slots=True)
class Kubeletting:
    """What the kubelet answered: its facts (configz with the Node object), and its metrics."""

    facts: Answer[KubeletFacts]
    metrics: Answer[str]


def check_on(told: Kubeletting, wanted: Wanted | None, *, proof_follows: bool) -> Check:
    """Does the kubelet say that MemoryQoS is on, as wanted.

    `proof_follows` is whether probe pods are to show it anyway: then a missing permission is only a warning.
    """
    findings = []
    for what, answer in (("configuration (configz)", told.facts), ("metrics", told.metrics)):
        if answer.refusal is not None:
            lighter = answer.forbidden and (proof_follows or told.facts.value is not None)
            status = Status.WARNING if lighter else Status.UNANSWERED
            findings.append(unanswered(f"the kubelet's {what}", answer.refusal, status))
    facts = told.facts.value
    if facts is None:
        from_metrics = _gate_by_metrics_alone(told)
        return Check(subject=Subject.ON, findings=(*from_metrics, *findings))
    findings += [_gate(facts), _factor(facts, wanted), *_policy(facts, wanted), _altogether(facts)]
    return Check(subject=Subject.ON, findings=tuple(findings))


def _gate_by_metrics_alone(told: Kubeletting) -> tuple[Finding, ...]:
    from brqos.kube.kubelet import gate_in_metrics

    seen = gate_in_metrics(told.metrics.value) if told.metrics.value is not None else None
    if seen is None:
        return ()
    status = Status.PASSED if seen else Status.FAILED
    return (Finding(status=status, what=f"gate {GATE}", expected="on", observed=_on(seen), why="By its metrics."),)


def _gate(facts: KubeletFacts) -> Finding:
    source = "configz" if facts.gate_seen is None else "kubernetes_feature_enabled"
    needless = facts.kubernetes >= FIRST_ON_BY_DEFAULT
    return Finding(
        status=Status.PASSED if facts.gate else Status.FAILED,
        what=f"gate {GATE}",
        expected="on",
        observed=_on(facts.gate),
        why=f"By {source}" + (f"; on by default in Kubernetes {facts.kubernetes}." if needless else "."),
        todo="" if facts.gate else _RESTART,
    )


def _factor(facts: KubeletFacts, wanted: Wanted | None) -> Finding:
    observed = "null" if facts.factor is None else f"{facts.factor:g}"
    expected = f"{wanted.throttling_factor:g}" if wanted else "a factor"
    if facts.factor is None:
        return Finding(
            status=Status.FAILED,
            what="memoryThrottlingFactor",
            expected=expected,
            observed=observed,
            why="Nothing is throttled: memory.high stays max everywhere.",
            todo="Set settings.kubernetes.memory-throttling-factor, or bake it (`brqos build --bake`).",
        )
    same = wanted is None or facts.factor == wanted.throttling_factor
    return Finding(
        status=Status.PASSED if same else Status.FAILED,
        what="memoryThrottlingFactor",
        expected=expected,
        observed=observed,
        todo="" if same else _RESTART,
    )


def _policy(facts: KubeletFacts, wanted: Wanted | None) -> list[Finding]:
    if facts.kubernetes < FIRST_WITH_POLICY:
        return []
    observed, expected = str(facts.policy), str(wanted.reservation_policy) if wanted else "TieredReservation"
    if observed == expected:
        status, why = Status.PASSED, ""
    else:
        # Without a record nobody said that requests were to be protected.
        status = Status.FAILED if wanted else Status.WARNING
        why = "Requests are not protected: memory.min and memory.low stay 0." if observed == "None" else ""
    return [Finding(status=status, what="memoryReservationPolicy", expected=expected, observed=observed, why=why)]


def _altogether(facts: KubeletFacts) -> Finding:
    """The gate alone does nothing on 1.37: what counts is whether anything will be written."""
    kubelet = facts.kubelet()
    effects = [word for word, does in (("protects", kubelet.protects), ("throttles", kubelet.throttles)) if does]
    return Finding(
        status=Status.PASSED if effects else Status.FAILED,
        what=f"altogether, on Kubernetes {facts.kubernetes}",
        expected="on",
        observed=f"on: {' and '.join(effects)}" if effects else "off",
        why="" if effects else "The kubelet writes nothing but limits with this configuration.",
    )


def wanted_facts(facts: KubeletFacts, wanted: Wanted | None) -> KubeletFacts:
    """The facts as they should be: the gate on, with the record's settings, else those that the kubelet has.

    Where neither the record nor the kubelet's configuration asks for anything (1.37's defaults), it is what brqos would
    write: factor 0.9 and TieredReservation.
    """
    if wanted is not None:
        return dataclasses.replace(facts, gate=True, factor=wanted.throttling_factor, policy=wanted.reservation_policy)
    idle = facts.factor is None and facts.policy == "None"
    return dataclasses.replace(
        facts, gate=True, factor=0.9 if facts.factor is None else facts.factor,
        policy="TieredReservation" if idle else facts.policy,
    )  # fmt: skip


def _on(value: bool) -> str:
    return "on" if value else "off"
