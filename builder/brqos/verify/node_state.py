"""Whether a node is there and ready. Pure."""

from collections.abc import Mapping
from typing import Any

from brqos.kube.refusals import Refusal
from brqos.verify.answers import Answer
from brqos.verify.model import Finding, Status


def not_ready(node: Mapping[str, Any]) -> str:
    """Why the node is not ready, in Kubernetes' words; empty where it is."""
    for condition in (node.get("status") or {}).get("conditions") or []:
        if condition.get("type") == "Ready":
            if condition.get("status") == "True":
                return ""
            return f"{condition.get('reason') or 'NotReady'}: {condition.get('message') or 'no message'}"
    return "NotReady: it has not told its state yet"


def trouble_of(answer: Answer[dict[str, Any]], name: str) -> Finding | None:
    """The finding for a node that is gone or not ready; None where it is well, or nobody can say."""
    if answer.refusal is not None:
        if answer.refusal.kind is not Refusal.NOT_FOUND:
            return None
        observed, why = f"the node {name} has gone", "It was in the cluster when this began, and is not any more."
    elif answer.value is not None and (why := not_ready(answer.value)):
        observed = f"the node {name} is not ready"
    else:
        return None
    return Finding(
        status=Status.UNANSWERED,
        what="node",
        observed=observed,
        why=why,
        todo="Run it again on a node that stays (an autoscaler may have taken it away).",
    )
