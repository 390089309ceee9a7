"""What EC2 and EKS refuse of a launch template and its nodegroup: mostly late, when the first instance is started.

Each rule is a function that raises ConfigurationError, or returns warnings. The rules for nodes of any kind
(nodes/rules.py) come before these.
"""

import re
from collections.abc import Sequence

from brqos.errors import ConfigurationError
from brqos.nodes.launch_template.data import own_tags
from brqos.nodes.launch_template.names import template_name
from brqos.nodes.launch_template.nodegroup import official_ami_type
from brqos.nodes.launch_template.user_data import user_data
from brqos.nodes.request import NodegroupRequest
from brqos.nodes.tags import check_number
from brqos.nodes.user_data.joining import check_endpoint
from brqos.nodes.volumes import check_volumes

MOST_TEMPLATE_BYTES = 51_200
"""What CloudFormation takes of a template that does not lie in S3 (CloudFormation quotas, "Template body size")."""

_TEMPLATE_NAME = re.compile(r"[a-zA-Z0-9().\-/_]{3,128}", re.ASCII)
# eks:cluster-name, eks:nodegroup-name, kubernetes.io/cluster/..., two of the cluster autoscaler's, and some to spare.
_TAGS_OF_EKS = 8
_MOST_SECURITY_GROUPS = 16
_CLUSTER_SECURITY_GROUP = (
    "With own security groups EKS leaves the cluster security group away: it has to be among them, or their rules have "
    "to let nodes and control plane reach each other; else no node joins."
)


def check(request: NodegroupRequest) -> tuple[str, ...]:
    """Hold a request against all rules of this file: raises for the first that it breaks, returns warnings."""
    spec = request.spec
    check_template_name(template_name(request))
    check_endpoint(spec.endpoint)
    if request.ami is None:
        official_ami_type(request)
    # Its size, its settings given twice, and what EKS cannot merge.
    user_data(request)
    check_volumes(spec, request.region)
    check_number(len(own_tags(request)), others=_TAGS_OF_EKS, whose="EKS's own on the nodes")
    return check_security_groups(spec.security_groups)


def check_template_name(name: str) -> None:
    """3 to 128 of these characters (EC2 API Reference, CreateLaunchTemplate, LaunchTemplateName)."""
    if _TEMPLATE_NAME.fullmatch(name) is None:
        raise ConfigurationError(
            f"“{name}” cannot be the name of a launch template",
            why=f"It has {len(name)} characters; EC2 takes 3 to 128 letters, digits and ( ) . - / _ there. brqos names "
            "it after cluster and nodegroup.",
            todo="Give another name of the nodegroup (--name).",
        )


def check_security_groups(groups: Sequence[str]) -> tuple[str, ...]:
    """A network interface has at most 16 (5 by default); with own ones EKS does not add the cluster's."""
    if len(groups) > _MOST_SECURITY_GROUPS:
        raise ConfigurationError(
            f"{len(groups)} security groups are too many",
            why=f"A network interface has 5, or up to {_MOST_SECURITY_GROUPS} where the account's quota was raised.",
            todo="Leave some out.",
        )
    if not groups:
        return ()
    return (_CLUSTER_SECURITY_GROUP,)


def warn_of_size(text: str) -> tuple[str, ...]:
    """Warn of a template that has to go through S3."""
    size = len(text.encode())
    if size <= MOST_TEMPLATE_BYTES:
        return ()
    warning = (
        f"The template has {size} bytes, more than CloudFormation takes directly ({MOST_TEMPLATE_BYTES}): give "
        "`aws cloudformation deploy` a bucket with --s3-bucket, or write a file for each nodegroup."
    )
    return (warning,)
