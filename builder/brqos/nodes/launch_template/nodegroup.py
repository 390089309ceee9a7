"""A request as an EKS managed nodegroup with a launch template: CloudFormation's shape, and the API's. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from brqos.errors import ConfigurationError
from brqos.nodes.ami_types import OFFICIAL_FLAVORS, ami_type
from brqos.nodes.labels import check_taints
from brqos.nodes.launch_template.data import own_tags
from brqos.nodes.request import NodegroupRequest

Nodegroup = dict[str, Any]

_TEMPLATE = "launchTemplate"
# What is in these are a user's own words.
_FREE = frozenset({"Labels", "Tags"})


def nodegroup(request: NodegroupRequest, *, role: object, subnets: object, template: object) -> Nodegroup:
    """The properties of AWS::EKS::Nodegroup; the three may be values or CloudFormation's ways to get one.

    With an ImageId in the template neither AmiType nor Version nor ReleaseVersion may be set; a disk size and remote
    access never, with a launch template (EKS API Reference, CreateNodegroup). With the official AMI the version is set:
    EKS takes the cluster's own only, so that these settings do not meet an image that does not know them.
    """
    spec = request.spec
    properties: Nodegroup = {"ClusterName": request.cluster, "NodegroupName": request.name, "NodeRole": role}
    properties["Subnets"] = subnets
    properties["LaunchTemplate"] = template
    if request.ami is None:
        properties |= {"AmiType": official_ami_type(request), "Version": str(request.variant.kubernetes)}
    properties["InstanceTypes"] = [type_.name for type_ in request.instance_types]
    properties["CapacityType"] = "SPOT" if spec.spot else "ON_DEMAND"
    desired = spec.min_size if spec.desired_capacity is None else spec.desired_capacity
    properties["ScalingConfig"] = {"MinSize": spec.min_size, "MaxSize": spec.max_size, "DesiredSize": desired}
    if spec.max_unavailable is not None:
        properties["UpdateConfig"] = _update(spec.max_unavailable)
    if spec.labels:
        properties["Labels"] = dict(spec.labels)
    if taints := check_taints(spec.taints, managed=True):
        properties["Taints"] = [{key.title(): text for key, text in taint.for_eks().items()} for taint in taints]
    properties["Tags"] = dict(own_tags(request))
    return properties


def official_ami_type(request: NodegroupRequest) -> str:
    """EKS's word for the official image; raises ConfigurationError for a flavor that EKS has no image of."""
    flavors = request.variant.flavor.split("-") if request.variant.flavor else []
    if unknown := [flavor for flavor in flavors if flavor not in OFFICIAL_FLAVORS]:
        raise ConfigurationError(
            f"EKS has no official AMI of the variant {request.variant.base} for managed nodegroups",
            why=f"Its AMI types know Bottlerocket with and without nvidia and fips, not “{'-'.join(unknown)}”.",
            todo="Bake an AMI of this variant with brqos build, and give it here.",
        )
    return ami_type(request.architecture, flavors)


def nodegroup_json(request: NodegroupRequest, template_id: str, version: int) -> dict[str, Any]:
    """What `aws eks create-nodegroup --cli-input-json` takes; raises ConfigurationError without role or subnets."""
    spec = request.spec
    missing = [name for name, value in (("node-role", spec.node_role), ("subnets", spec.subnets)) if not value]
    if missing:
        raise ConfigurationError(
            f"the nodegroup has no {' and no '.join(missing)}",
            why="EKS makes a managed nodegroup in given subnets, with a role that is there already.",
            todo="Give both (--node-role, --subnet), or as node-role and subnets in [nodegroup].",
        )
    template = {"Id": template_id, "Version": str(version)}
    return _as_api(nodegroup(request, role=spec.node_role, subnets=list(spec.subnets), template=template))


def is_nodegroup_json(text: str, request: NodegroupRequest) -> bool:
    """Whether a text is what nodegroup_json makes of the request, with any version of any launch template."""
    try:
        there = json.loads(text)
    except ValueError:
        return False
    wanted = nodegroup_json(request, "", 0)
    return isinstance(there, dict) and {**there, _TEMPLATE: {}} == {**wanted, _TEMPLATE: {}}


def _update(wish: str) -> Nodegroup:
    if wish.endswith("%"):
        return {"MaxUnavailablePercentage": int(wish[:-1])}
    return {"MaxUnavailable": int(wish)}


def _as_api(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key[0].lower() + key[1:]: dict(value) if key in _FREE else _inner(value) for key, value in properties.items()
    }


def _inner(value: object) -> object:
    match value:
        case Mapping():
            return _as_api(value)
        case list():
            return [_inner(item) for item in value]
        case _:
            return value
