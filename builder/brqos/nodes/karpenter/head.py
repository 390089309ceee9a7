"""The comment above everything in a file for Karpenter."""

from collections.abc import Sequence

from brqos.nodes import remarks
from brqos.nodes.request import NodegroupRequest

_COMMAND = "kubectl apply -f <this file>"
_PAIRS = (
    "Each AMI has an EC2NodeClass and a NodePool of its own: Karpenter tells the AMIs of one EC2NodeClass apart by "
    "architecture and by nothing else."
)
_NEW_AMI = {
    "id": (
        "A new AMI: write its id below and apply this file again, and Karpenter replaces the nodes by itself (drift); "
        "or apply the new file beside this one and delete the old NodePool, whose nodes Karpenter then drains."
    ),
    "tags": (
        "A new AMI needs no new file: Karpenter takes the newest one with the tags below, and replaces the nodes by "
        "itself (drift)."
    ),
    "ssm": (
        "A new AMI needs no new file: Karpenter follows the SSM parameter below, and replaces the nodes by itself "
        "(drift)."
    ),
}
_AUTO_MODE = (
    "Not for EKS Auto Mode: its NodeClass (eks.amazonaws.com/v1) takes no own AMI. Karpenter itself has to run in the "
    "cluster."
)


def head(requests: Sequence[NodegroupRequest]) -> str:
    """The comment without its signs; in a rehearsal the first line says so."""
    lines = [*remarks.rehearsal(requests), "Karpenter nodes of Bottlerocket with MemoryQoS, written by brqos."]
    for request in requests:
        lines += ["", f"NodePool {request.name}", *remarks.facts(request)]
    ways = dict.fromkeys(request.spec.karpenter.ami_by for request in requests)
    needs = "Needs    Karpenter 1.0 or later" + (", with ssmParameter in its CRD" if "ssm" in ways else "")
    lines += ["", needs] if len(requests) > 1 else [needs]
    several = [_PAIRS] if len(requests) > 1 else []
    paragraphs = (_COMMAND, *several, *(_NEW_AMI[way] for way in ways), _AUTO_MODE)
    return "\n".join([*lines, *remarks.in_head(paragraphs)])
