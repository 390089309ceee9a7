"""The comment at the top of an emitted eksctl file: what it is, what it needs, and what comes after it."""

import re
from collections.abc import Sequence
from textwrap import wrap

from brqos.config.nodegroup import VpcSpec
from brqos.nodes.eksctl.image import needs
from brqos.nodes.request import NodegroupRequest

REHEARSAL = "REHEARSAL - DO NOT USE: the AMI below does not exist; this only shows what a file looks like."

_WIDTH = 96

_COMMAND = "eksctl create nodegroup --config-file=<this file>"
_NEW_AMI = (
    "A new AMI means a new nodegroup with another name: create that, then drain and delete this one. `eksctl upgrade "
    "nodegroup` cannot change an own AMI."
)
_OFFICIAL = (
    "No custom image is needed: Kubernetes {version} has MemoryQoS on, though idle, and the settings "
    "memory-throttling-factor and memory-reservation-policy below put it to work. The official images of Bottlerocket "
    "1.66.0 and later know them."
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
    lines = [REHEARSAL, ""] if any(request.rehearsal for request in requests) else []
    lines += [f"{_kinds(requests)} of Bottlerocket nodes with MemoryQoS, written by brqos.", ""]
    if len(requests) == 1:
        lines += [*_image(requests[0], place=f", in {requests[0].region}"), f"Needs    {_needs(requests)}"]
    else:
        lines += [f"Cluster  {requests[0].cluster}, in {requests[0].region}", f"Needs    {_needs(requests)}"]
        for request in requests:
            lines += ["", f"Nodes    {request.name}", *_image(request)]
    for paragraph in _paragraphs(requests):
        lines += ["", *wrap(paragraph, _WIDTH, break_on_hyphens=False)]
    return "\n".join(lines)


def _kinds(requests: Sequence[NodegroupRequest]) -> str:
    kinds = {"managed" if request.managed else "self-managed" for request in requests}
    if len(requests) == 1:
        return f"A {kinds.pop()} nodegroup"
    return f"{' and '.join(sorted(kinds))} nodegroups".capitalize()


def _image(request: NodegroupRequest, place: str = "") -> list[str]:
    kubernetes = request.variant.kubernetes
    architecture = request.architecture.ec2
    if request.ami is None:
        return [f"AMI      official, {architecture}{place}", f"Variant  {request.variant}, Kubernetes {kubernetes}"]
    return [
        f"AMI      {request.ami}, {architecture}{place}",
        f"Variant  {request.variant.memory_qos}, Kubernetes {kubernetes}",
    ]


def _needs(requests: Sequence[NodegroupRequest]) -> str:
    newest = max((needs(request) for request in requests), key=lambda release: [int(n) for n in release.split(".")])
    text = f"eksctl {newest} or later"
    official = sorted({request.variant.kubernetes for request in requests if request.ami is None})
    return text + (f"; a cluster with Kubernetes {official[-1]} or later" if official else "")


def _paragraphs(requests: Sequence[NodegroupRequest]) -> list[str]:
    official = [request for request in requests if request.ami is None]
    texts = [_OFFICIAL.format(version=official[0].variant.kubernetes)] if official else []
    texts.append(_COMMAND)
    if len(official) < len(requests):
        texts.append(_for_several(_NEW_AMI) if len(requests) > 1 else _NEW_AMI)
    if any(request.managed for request in official):
        texts.append(_NEWER_OFFICIAL)
    if any(not request.managed for request in official):
        texts.append(_NEWER_OFFICIAL_SELF_MANAGED)
    if all(request.spec.vpc == VpcSpec() for request in requests):
        texts.append(_FOREIGN_CLUSTER)
    return texts


def _for_several(text: str) -> str:
    return re.sub(r"delete this one", "delete the old one", text)
