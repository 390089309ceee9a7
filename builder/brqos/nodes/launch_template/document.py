"""Requests as a CloudFormation template, as data: planning, so nothing is read or written here.

Intrinsic functions are in their long form (`Fn::Sub`, `Ref`), so that the file is plain YAML that any tool reads.

What the request knows stands in its place; what it does not know is a parameter. Not a parameter with a default:
`aws cloudformation deploy` keeps a stack's old values for parameters that are not given (aws-cli#2599), and a new
default would change nothing without a word.
"""

from collections.abc import Sequence
from typing import Any

from brqos.ami.tags import NAME, tag_list
from brqos.nodes.launch_template.data import own_tags, template_data, version_description
from brqos.nodes.launch_template.names import logical_ids, template_name
from brqos.nodes.launch_template.nodegroup import nodegroup
from brqos.nodes.launch_template.user_data import API_SERVER, CERTIFICATE, missing_endpoint, user_data
from brqos.nodes.request import NodegroupRequest

Document = dict[str, Any]

NODE_ROLE = "NodeRoleArn"
SUBNETS = "SubnetIds"

# base64 of “-----BEGIN CERTIFICATE-----”, whose length is a multiple of three.
_PEM = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t"
_PARAMETERS: dict[str, Document] = {
    API_SERVER: {
        "Type": "String",
        "Description": "URL of the cluster's API server (aws eks describe-cluster, cluster.endpoint)",
        "AllowedPattern": r"https://[A-Za-z0-9.-]+(:[0-9]+)?",
        "ConstraintDescription": "a URL that begins with https://",
    },
    CERTIFICATE: {
        "Type": "String",
        "Description": "The cluster's certificate in base64 (..., cluster.certificateAuthority.data)",
        "AllowedPattern": f"{_PEM}[A-Za-z0-9+/]+={{0,2}}",
        "ConstraintDescription": "base64 of a certificate, as EKS tells it",
    },
    NODE_ROLE: {
        "Type": "String",
        "Description": "ARN of the nodes' IAM role",
        "AllowedPattern": r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@/_-]+",
        "ConstraintDescription": "the ARN of a role",
    },
    SUBNETS: {
        "Type": "List<AWS::EC2::Subnet::Id>",
        "Description": "Subnets of the nodes, in the cluster's VPC",
    },
}


def document(requests: Sequence[NodegroupRequest]) -> Document:
    """The whole template, keys in the order in which they are to be read; the requests are of one cluster."""
    whole: Document = {"AWSTemplateFormatVersion": "2010-09-09", "Description": _description(requests)}
    if names := parameters(requests):
        whole["Parameters"] = {name: dict(_PARAMETERS[name]) for name in names}
    resources: Document = {}
    outputs: Document = {}
    for id_, request in zip(logical_ids(requests), requests, strict=True):
        template, group = template_id(id_), nodegroup_id(id_)
        latest = {"Fn::GetAtt": [template, "LatestVersionNumber"]}
        resources[template] = _template(request)
        resources[group] = _nodegroup(request, {"Id": {"Ref": template}, "Version": latest})
        outputs[f"{id_}NodegroupArn"] = {"Value": {"Fn::GetAtt": [group, "Arn"]}}
        outputs[f"{id_}LaunchTemplateId"] = {"Value": {"Ref": template}}
        outputs[f"{id_}LaunchTemplateVersion"] = {"Value": dict(latest)}
    return {**whole, "Resources": resources, "Outputs": outputs}


def template_id(id_: str) -> str:
    """The launch template's logical id."""
    return f"{id_}LaunchTemplate"


def nodegroup_id(id_: str) -> str:
    """The nodegroup's logical id."""
    return f"{id_}Nodegroup"


def parameters(requests: Sequence[NodegroupRequest]) -> list[str]:
    """What the template has to be told, since one of the requests does not know it."""
    needed = {name for request in requests for name in missing_endpoint(request)}
    needed |= {NODE_ROLE for request in requests if request.spec.node_role is None}
    needed |= {SUBNETS for request in requests if not request.spec.subnets}
    return [name for name in _PARAMETERS if name in needed]


def user_data_function(request: NodegroupRequest) -> Document:
    """The user data as an intrinsic function: encoded, and the cluster's parameters put in where there are some."""
    text = user_data(request)
    return {"Fn::Base64": {"Fn::Sub": text} if missing_endpoint(request) else text}


def _description(requests: Sequence[NodegroupRequest]) -> str:
    what = "An EKS managed nodegroup" if len(requests) == 1 else f"{len(requests)} EKS managed nodegroups"
    return f"{what} of Bottlerocket nodes with MemoryQoS in the cluster {requests[0].cluster}"


def _template(request: NodegroupRequest) -> Document:
    tags = tag_list({NAME: template_name(request), **own_tags(request)})
    return {
        "Type": "AWS::EC2::LaunchTemplate",
        "Properties": {
            "LaunchTemplateName": template_name(request),
            "VersionDescription": version_description(request),
            "LaunchTemplateData": template_data(request, user_data_function(request)),
            "TagSpecifications": [{"ResourceType": "launch-template", "Tags": tags}],
        },
    }


def _nodegroup(request: NodegroupRequest, template: Document) -> Document:
    spec = request.spec
    role = spec.node_role or {"Ref": NODE_ROLE}
    subnets = list(spec.subnets) or {"Ref": SUBNETS}
    return {
        "Type": "AWS::EKS::Nodegroup",
        "Properties": nodegroup(request, role=role, subnets=subnets, template=template),
    }
