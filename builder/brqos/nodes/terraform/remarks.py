"""The comments in an emitted file for Terraform: why a thing is there, for whoever reads it in a year."""

from collections.abc import Container, Sequence

from brqos.nodes import memory_remarks
from brqos.nodes.remarks import (
    KEY_POLICY_REMARK,
    NO_TYPES,
    ON_THE_DATA_VOLUME,
    SET_BY_EKS_LATER,
    SYSTEM_STAYS,
    WIDTH,
    containers,
    control_plane,
    facts,
    fitting,
    in_head,
    lines,
    no_custom_image,
    own_image,
    rehearsal,
)
from brqos.nodes.request import NodegroupRequest
from brqos.nodes.terraform.hcl import INDENT
from brqos.nodes.user_data.settings import node_settings
from brqos.nodes.volumes import needs_key_policy

_BETWEEN = "\n\n"

_COMMANDS = "terraform init && terraform apply"
_NEW_AMI = (
    "A new AMI: put its id in the place of the old one, and EKS replaces the nodes in turn. Or let the next file stand "
    "beside this one, move the pods, and take this one away: no two of these files have a name in common."
)
_SAME_CONFIGURATION = (
    "The cluster has to be there already. If the same configuration makes it, put its module's or resource's values in "
    "the place of the data source."
)
_NAME = (
    "Exactly so, without the module's random end: `brqos verify --nodegroup` looks for it. What EKS cannot change in "
    "place, such as the instance types, needs a nodegroup with another name."
)
_OWN_AMI = (
    "With an own AMI, ami_type only says what the user data looks like. EKS adds nothing to that, so that no node "
    "would join without enable_bootstrap_user_data. The last two keep the module from looking for AWS's own AMIs."
)
_METADATA = (
    "Two hops, so that pods outside the host's network reach the instance's metadata too. The module's own default is "
    "one."
)
_OWN_ROLE = (
    "It needs AmazonEKSWorkerNodePolicy, AmazonEC2ContainerRegistryReadOnly, AmazonEKS_CNI_Policy (unless the CNI has "
    "a role of its own), and AmazonSSMManagedInstanceCore for Session Manager."
)
_ROLE_NAME = (
    "IAM takes 38 characters before the random end of a role's name, and the module's own name for it can have more. "
    "In a cluster with IPv6 the account needs the policy AmazonEKS_CNI_IPv6_Policy."
)
_APPENDED = (
    "Bottlerocket's settings. The module puts them right below its own [settings.kubernetes], and TOML takes that "
    "header once: what belongs there stands before the first header here."
)
_MERGED = "Bottlerocket's settings, which EKS merges with its own."


def head(requests: Sequence[NodegroupRequest]) -> str:
    """The comment above everything, without comment signs; in a rehearsal its first line says so."""
    what = "A managed nodegroup" if len(requests) == 1 else f"{len(requests)} managed nodegroups"
    found = [f"{what} of Bottlerocket nodes with MemoryQoS, for Terraform, written by brqos.", ""]
    for request in requests:
        found += facts(request)
    found.append("Needs    Terraform 1.5.7 or later, AWS provider 6.28 or later")
    official = next((request for request in requests if request.ami is None), None)
    paragraphs = (_COMMANDS, _NEW_AMI if official is None else no_custom_image(official), _SAME_CONFIGURATION)
    return "\n".join([*rehearsal(requests), *found, *in_head(paragraphs)])


def about(request: NodegroupRequest, arguments: Container[str]) -> dict[str, str]:
    """The comment before each argument that deserves one; `arguments` are the ones that are there."""
    texts = {
        "name": _NAME,
        **_about_image(request),
        "instance_types": _about_types(request),
        "min_size": "Terraform sets desired_size once, and leaves it to others from then on.",
        "update_config": "How many nodes may be away at once while EKS replaces them.",
        **_about_places(request),
        "metadata_options": _METADATA,
        **_about_identity(request),
        "bootstrap_extra_args": _about_settings(request),
    }
    return {name: _wrapped(text) for name, text in texts.items() if name in arguments}


def _wrapped(text: str) -> str:
    return _BETWEEN.join("\n".join(lines(paragraph, WIDTH - 2 - INDENT)) for paragraph in text.split(_BETWEEN))


def _about_image(request: NodegroupRequest) -> dict[str, str]:
    if request.ami is None:
        return {
            "cluster_ip_family": "For the role and the module's checks; EKS itself tells the nodes how to join.",
            "ami_type": f"The official Bottlerocket AMI for Kubernetes {request.variant.kubernetes}, the newest that "
            f"there is at each apply; {control_plane(request)}",
        }
    return {
        "cluster_endpoint": "What a node has to know to join: the module writes it into the user data.",
        "ami_id": own_image(request) + _BETWEEN + _OWN_AMI,
    }


def _about_types(request: NodegroupRequest) -> str:
    fits = f"{fitting(request)}, and so must each type here be; Terraform does not check it."
    return fits if request.spec.instance_types else f"{fits} {NO_TYPES}"


def _about_places(request: NodegroupRequest) -> dict[str, str]:
    spec = request.spec
    texts = {
        "cluster_primary_security_group_id": "Own security groups replace the cluster's. It is here so that nodes and "
        "control plane still reach each other.",
        "block_device_mappings": _about_volumes(request),
    }
    if not spec.subnets:
        texts["subnet_ids"] = (
            "The cluster's own. Put others here if the nodes belong elsewhere; in a public subnet each needs a public "
            "address to join."
        )
    return texts


def _about_volumes(request: NodegroupRequest) -> str:
    text = f"xvdb is the data volume, with {ON_THE_DATA_VOLUME}"
    if not request.spec.volume_encrypted:
        return f"{text}. {SYSTEM_STAYS}"
    text += "; xvda is the system's own. Both are encrypted."
    return f"{text} {KEY_POLICY_REMARK}" if needs_key_policy(request.spec) else text


def _about_identity(request: NodegroupRequest) -> dict[str, str]:
    taints = SET_BY_EKS_LATER
    if request.ami is not None:
        taints += " The node itself brings them along as node-taints (below), so that no pod slips in before."
    policies = "In addition to what every node needs, which the module attaches itself."
    if request.spec.control_container:
        policies += " Session Manager needs AmazonSSMManagedInstanceCore."
    return {
        "create_iam_role": _OWN_ROLE,
        "iam_role_name": _ROLE_NAME,
        "iam_role_additional_policies": policies,
        "key_name": "For SSH to the admin container, which is started for it. A security group of the nodes has to let "
        "it in.",
        "taints": taints,
    }


def _about_settings(request: NodegroupRequest) -> str:
    place = _MERGED if request.ami is None else _APPENDED
    if request.spec.max_pods is not None:
        place += " max-pods has its place here too: the module knows no argument for it."
    kubernetes = node_settings(request).get("kubernetes", {})
    memory = memory_remarks.in_one(kubernetes, request.image.native, request.image.release)
    return _BETWEEN.join([place, containers(request.spec), *memory])
