"""Requests as eksctl's ClusterConfig, as data: planning, so nothing is read or written here.

What goes where is told by eksctl 0.231, pkg/apis/eksctl.io/v1alpha5/types.go and its schema. Each part of a nodegroup
has its own module, with the rules for what is wished there; which fields may stand together is in rules.py.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from brqos.errors import ConfigurationError
from brqos.nodes.eksctl.access import bottlerocket, check_access, iam, ssh
from brqos.nodes.eksctl.capacity import capacity, check_capacity
from brqos.nodes.eksctl.image import check_image, image
from brqos.nodes.eksctl.names import check_names
from brqos.nodes.eksctl.network import check_network, network, vpc
from brqos.nodes.eksctl.rules import check_nodegroup
from brqos.nodes.eksctl.volumes import check_wished_volumes, volumes
from brqos.nodes.labels import check_taints
from brqos.nodes.request import NodegroupRequest
from brqos.nodes.tags import check_not_taken, check_number
from brqos.nodes.user_data.settings import merged, node_settings
from brqos.nodes.user_data.toml import ROOM_TO_JOIN, to_toml

Document = dict[str, Any]

API_VERSION = "eksctl.io/v1alpha5"
KIND = "ClusterConfig"
SECTIONS = ("managedNodeGroups", "nodeGroups")

_TAGS_OF_OTHERS = 10
_OWN_TAGS = ("Name",)
_OWN_PREFIXES = ("alpha.eksctl.io/", "eksctl.cluster.k8s.io/", "eksctl.io/", "kubernetes.io/cluster/")


def document(requests: Sequence[NodegroupRequest]) -> Document:
    """The whole file, keys in the order in which they are to be read; the requests have passed check_wishes.

    `metadata` has no version: eksctl takes the cluster's own, and a wrong one here would be one more thing to keep
    right. Raises ConfigurationError for requests of two clusters.
    """
    first = requests[0]
    if any((other.cluster, other.region) != (first.cluster, first.region) for other in requests):
        raise ConfigurationError(
            "one file cannot have nodegroups of two clusters",
            why="eksctl's file describes one cluster.",
            todo="Make one file for each.",
        )
    whole: Document = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": first.cluster, "region": first.region},
        **vpc(requests),
    }
    for request in requests:
        nodegroup = _nodegroup(request)
        check_nodegroup(nodegroup, managed=request.managed)
        whole.setdefault(section(request), []).append(nodegroup)
    return whole


def places(requests: Sequence[NodegroupRequest]) -> Iterator[tuple[NodegroupRequest, tuple[str, int]]]:
    """Each request with the path of its nodegroup in the document: the section, and the number in it."""
    numbers = dict.fromkeys(SECTIONS, 0)
    for request in requests:
        key = section(request)
        yield request, (key, numbers[key])
        numbers[key] += 1


def section(request: NodegroupRequest) -> str:
    """The key of the file under which the nodegroup stands."""
    return SECTIONS[0] if request.managed else SECTIONS[1]


def check_wishes(request: NodegroupRequest) -> tuple[str, ...]:
    """Refuse what eksctl cannot do or would get wrong; raises ConfigurationError, returns warnings."""
    check_names(request.cluster, request.name)
    check_image(request)
    check_capacity(request)
    check_network(request)
    _check_tags(request)
    # What eksctl writes of them has to fit into the user data beside what it adds.
    to_toml(_settings(request), room=ROOM_TO_JOIN)
    return (*check_wished_volumes(request), *check_access(request))


def _nodegroup(request: NodegroupRequest) -> Document:
    spec = request.spec
    nodegroup: Document = {"name": request.name, **image(request), **capacity(request)}
    if spec.max_pods is not None and not request.managed:
        nodegroup["maxPodsPerNode"] = spec.max_pods
    nodegroup |= volumes(request) | network(request) | iam(request) | ssh(request)
    if spec.tags:
        nodegroup["tags"] = dict(spec.tags)
    if spec.labels:
        nodegroup["labels"] = dict(spec.labels)
    if spec.taints:
        nodegroup["taints"] = _taints(request)
    nodegroup |= {"bottlerocket": bottlerocket(request, _settings(request))}
    return nodegroup


def _taints(request: NodegroupRequest) -> list[dict[str, str]]:
    return [taint.manifest() for taint in check_taints(request.spec.taints, managed=request.managed)]


def _settings(request: NodegroupRequest) -> Document:
    settings = node_settings(request)
    if request.spec.max_pods is None or not request.managed:
        return settings
    # First among Kubernetes' settings, as the others depend on it.
    ours = {"host-containers": settings["host-containers"], "kubernetes": {"max-pods": request.spec.max_pods}}
    rest = {key: value for key, value in settings.items() if key != "host-containers"}
    return merged(ours, rest)


def _check_tags(request: NodegroupRequest) -> None:
    """cfn/builder/managed_launch_template.go: makeTags; v1alpha5/defaults.go: SetManagedNodeGroupDefaults."""
    tags = request.spec.tags
    check_not_taken(tags, _OWN_TAGS, prefixes=_OWN_PREFIXES, by="eksctl")
    check_number(len(tags), others=_TAGS_OF_OTHERS, whose="eksctl, CloudFormation and EKS")
