"""A request as eksctl's ClusterConfig, as data: planning, so nothing is read or written here.

What goes where is told by eksctl 0.231, pkg/apis/eksctl.io/v1alpha5/types.go and its schema; which of it
may stand together, by eksctl_rules.py.
"""

from collections.abc import Sequence
from typing import Any

from brqos.nodes.eksctl.rules import check_nodegroup
from brqos.nodes.labels import check_taints
from brqos.nodes.request import NodegroupRequest
from brqos.nodes.user_data.settings import node_settings

Document = dict[str, Any]

API_VERSION = "eksctl.io/v1alpha5"


def document(requests: Sequence[NodegroupRequest]) -> Document:
    """The whole file, keys in the order in which they are to be read; the requests have passed rules.check.

    They are of one cluster. `metadata` has no version: eksctl takes the cluster's own, and a wrong one here would be
    one more thing to keep right.
    """
    first = requests[0]
    whole: Document = {
        "apiVersion": API_VERSION,
        "kind": "ClusterConfig",
        "metadata": {"name": first.cluster, "region": first.region},
    }
    for request in requests:
        nodegroup = _nodegroup(request)
        check_nodegroup(nodegroup, managed=request.managed)
        whole.setdefault(section(request), []).append(nodegroup)
    return whole


def section(request: NodegroupRequest) -> str:
    """The key of the file under which the nodegroup stands."""
    return "managedNodeGroups" if request.managed else "nodeGroups"


def _nodegroup(request: NodegroupRequest) -> Document:
    spec = request.spec
    nodegroup: Document = {"name": request.name, "ami": request.ami, "amiFamily": "Bottlerocket"}
    nodegroup |= _types(request)
    nodegroup |= {"minSize": spec.min_size, "maxSize": spec.max_size}
    if spec.desired_capacity is not None:
        nodegroup["desiredCapacity"] = spec.desired_capacity
    if spec.max_pods is not None and not request.managed:
        nodegroup["maxPodsPerNode"] = spec.max_pods
    if spec.volume_size is not None:
        nodegroup["volumeSize"] = spec.volume_size
    if spec.private_networking:
        nodegroup["privateNetworking"] = True
    if spec.labels:
        nodegroup["labels"] = dict(spec.labels)
    if spec.taints:
        nodegroup["taints"] = _taints(request)
    nodegroup["bottlerocket"] = {"settings": _settings(request)}
    return nodegroup


def _types(request: NodegroupRequest) -> Document:
    names = [type_.name for type_ in request.instance_types]
    if len(names) == 1:
        return {"instanceType": names[0]}
    if request.managed:
        return {"instanceTypes": names}
    # 100 is eksctl's own default; it stands there so that nobody wonders whether these are Spot instances.
    return {"instancesDistribution": {"instanceTypes": names, "onDemandPercentageAboveBaseCapacity": 100}}


def _taints(request: NodegroupRequest) -> list[Document]:
    taints = check_taints(request.spec.taints, managed=request.managed)
    return [
        {"key": taint.key, **({"value": taint.value} if taint.value else {}), "effect": taint.effect}
        for taint in taints
    ]


def _settings(request: NodegroupRequest) -> Document:
    settings = node_settings(request)
    if request.spec.max_pods is not None and request.managed:
        settings["kubernetes"] = {"max-pods": request.spec.max_pods, **settings.get("kubernetes", {})}
    return settings
