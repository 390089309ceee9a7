"""The comment at the top of an emitted eksctl file: what it is, what it needs, and what comes after it."""

from collections.abc import Sequence

from brqos.config.nodegroup import VpcSpec
from brqos.nodes import remarks
from brqos.nodes.eksctl.image import needs
from brqos.nodes.request import NodegroupRequest

_COMMAND = "eksctl create nodegroup --config-file=<this file>"
_NEW_AMI = (
    "A new AMI means a new nodegroup with another name: create that, then drain and delete {old}. `eksctl upgrade "
    "nodegroup` cannot change an own AMI."
)
_NEWER_OFFICIAL = "`eksctl upgrade nodegroup` brings newer official AMIs to a managed nodegroup, node by node."
_NEWER_OFFICIAL_SELF_MANAGED = (
    "eksctl picks the newest official AMI when it creates the nodegroup. A newer one means a new nodegroup with "
    "another name, or Bottlerocket's own in-place updates."
)
_FOREIGN_CLUSTER = (
    "If eksctl did not create the cluster, this file needs a section “vpc” too, with id, securityGroup and subnets."
)


def head(requests: Sequence[NodegroupRequest]) -> str:
    """The comment above everything, without comment signs; in a rehearsal its first line says so."""
    title = f"{_kinds(requests)} of Bottlerocket nodes with MemoryQoS, written by brqos."
    lines = [*remarks.rehearsal(requests), title, ""]
    if len(requests) == 1:
        lines += [*remarks.facts(requests[0]), f"Needs    {_needs(requests)}"]
    else:
        lines += [f"Cluster  {requests[0].cluster}, in {requests[0].region}", f"Needs    {_needs(requests)}"]
        for request in requests:
            lines += ["", f"Nodes    {request.name}", *remarks.facts(request, place=False)]
    return "\n".join([*lines, *remarks.in_head(_paragraphs(requests))])


def _kinds(requests: Sequence[NodegroupRequest]) -> str:
    kinds = {"managed" if request.managed else "self-managed" for request in requests}
    if len(requests) == 1:
        return f"A {kinds.pop()} nodegroup"
    return f"{' and '.join(sorted(kinds))} nodegroups".capitalize()


def _needs(requests: Sequence[NodegroupRequest]) -> str:
    newest = max((needs(request) for request in requests), key=lambda release: [int(n) for n in release.split(".")])
    text = f"eksctl {newest} or later"
    official = sorted({request.variant.kubernetes for request in requests if request.ami is None})
    return text + (f"; a cluster with Kubernetes {official[-1]} or later" if official else "")


def _paragraphs(requests: Sequence[NodegroupRequest]) -> list[str]:
    official = [request for request in requests if request.ami is None]
    texts = [remarks.no_custom_image(official[0])] if official else []
    texts.append(_COMMAND)
    if len(official) < len(requests):
        texts.append(_NEW_AMI.format(old="the old one" if len(requests) > 1 else "this one"))
    if any(request.managed for request in official):
        texts.append(_NEWER_OFFICIAL)
    if any(not request.managed for request in official):
        texts.append(_NEWER_OFFICIAL_SELF_MANAGED)
    if all(request.spec.vpc == VpcSpec() for request in requests):
        texts.append(_FOREIGN_CLUSTER)
    return texts
