"""All facts held against all requests: what is refused, what is warned of, and what was not looked at."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from brqos.config.nodegroup import VpcSpec
from brqos.nodes.checks import image as checking
from brqos.nodes.checks.cluster import check_cluster, completed, warn_of_names, warn_of_network
from brqos.nodes.checks.facts import NodeFacts
from brqos.nodes.checks.types import known_types
from brqos.nodes.request import NodegroupRequest


@dataclass(frozen=True, slots=True)
class Checked:
    """Requests with what AWS told of them; `told` says what that was, `warnings` what to look at."""

    requests: tuple[NodegroupRequest, ...]
    told: tuple[str, ...]
    warnings: tuple[str, ...]


def hold(requests: Sequence[NodegroupRequest], facts: NodeFacts) -> Checked:
    """Hold facts against requests of one cluster; raises ConfigurationError for what cannot work.

    The requests that come back know the AMI's release and its root volume, the types as EC2 has them, and what their
    file needs of the cluster.
    """
    warnings: list[str] = []
    told: list[str] = []
    held = []
    for request in requests:
        known, more = _held(request, facts)
        warnings += more
        held.append(known)
        told += _told_of_image(known, facts)
    if facts.clusters is not None:
        warnings += check_cluster(held[0], facts.cluster)
        warnings += warn_of_names(held, facts.nodegroups or ())
        told += _told_of_cluster(requests[0], held[0], facts)
    warnings += [f"AWS could not be asked about {question}" for question in facts.unanswered]
    return Checked(tuple(held), tuple(told), tuple(dict.fromkeys(warnings)))


def _held(request: NodegroupRequest, facts: NodeFacts) -> tuple[NodegroupRequest, tuple[str, ...]]:
    warnings: tuple[str, ...] = ()
    if facts.types is not None:
        request = replace(request, types=known_types(request, facts.types))
    if facts.images is not None and request.ami is not None:
        image = facts.images[request.ami]
        warnings = checking.check_image(request, image)
        if image is not None:
            request = replace(request, image=checking.completed(request.image, image))
    if facts.cluster is not None:
        before = request.spec
        check_cluster(request, facts.cluster)
        request = replace(request, spec=completed(before, facts.cluster, facts.subnets))
        warnings = (*warnings, *warn_of_network(before, request.spec, facts.cluster))
    return request, warnings


def _told_of_image(request: NodegroupRequest, facts: NodeFacts) -> list[str]:
    if facts.images is None or request.ami is None:
        return []
    release = f", Bottlerocket v{request.image.release}" if request.image.release else ""
    return [f"{request.ami} is available and {request.architecture.ec2}{release}"]


def _told_of_cluster(before: NodegroupRequest, after: NodegroupRequest, facts: NodeFacts) -> list[str]:
    if facts.cluster is None:
        return []
    told = [f"the cluster {facts.cluster.name} runs Kubernetes {facts.cluster.version}"]
    if before.spec.vpc == VpcSpec() != after.spec.vpc:
        told.append(
            "eksctl did not make it, so the section vpc is from EKS (subnets that give public addresses stand under "
            "public)"
        )
    return told
