"""What the values on a node are predicted with: the kubelet as it should be, and as it says it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from brqos.kube.kubelet import KubeletFacts, kubelet_facts, version_of
from brqos.memoryqos.kubelet import Kubelet
from brqos.memoryqos.settings import FIRST
from brqos.verify.model import Finding, Status, Wanted
from brqos.verify.switched_on import wanted_facts


@dataclass(frozen=True, slots=True)
class Prospect:
    """`wanted` is the kubelet as it should be; `configured` what configz says, None where it could not be read.

    Without configz the hard eviction threshold is the kubelet's default, which matters to containers without a limit.
    """

    wanted: Kubelet
    configured: Kubelet | None = None

    @property
    def assumes_eviction(self) -> bool:
        """Whether allocatable rests on the default threshold."""
        return self.configured is None


def prospect_of(node: Mapping[str, Any], facts: KubeletFacts | None, wanted: Wanted | None) -> Prospect | None:
    """What to predict with; None where neither configz nor a record says with which settings.

    Raises KubeCallError where the Node object does not tell its version or memory.
    """
    if facts is not None:
        if facts.kubernetes < FIRST:
            return None
        return Prospect(wanted_facts(facts, wanted).kubelet(), facts.kubelet())
    if wanted is None or version_of(node) < FIRST:
        return None
    return Prospect(wanted_facts(kubelet_facts(node, {}), wanted).kubelet())


def assumption(prospect: Prospect) -> Finding:
    """The finding that tells of the assumed threshold."""
    return Finding(
        status=Status.WARNING,
        what="inputs of the prediction",
        observed=f"allocatable {prospect.wanted.allocatable}, settings of the build record",
        why="configz could not be read: evictionHard is taken to be the kubelet's default, 100Mi, and memory.high of"
        " containers without a limit rests on it.",
    )
