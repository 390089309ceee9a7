"""The comments in the emitted template: why a thing is there, for whoever reads it in a year."""

from collections.abc import Sequence

from brqos.nodes import memory_remarks
from brqos.nodes.emit import Path
from brqos.nodes.launch_template.document import (
    NODE_ROLE,
    SUBNETS,
    nodegroup_id,
    parameters,
    template_id,
)
from brqos.nodes.launch_template.names import logical_ids, stack_name
from brqos.nodes.launch_template.user_data import API_SERVER, CERTIFICATE
from brqos.nodes.remarks import (
    KEY_POLICY_REMARK,
    NO_TYPES,
    ON_THE_DATA_VOLUME,
    SET_BY_EKS_LATER,
    SYSTEM_STAYS,
    Remarks,
    containers,
    facts,
    fitting,
    in_head,
    no_custom_image,
    own_image,
    rehearsal,
    wrapped,
)
from brqos.nodes.request import NodegroupRequest
from brqos.nodes.user_data.settings import node_settings
from brqos.nodes.volumes import DATA_VOLUME_GIB, needs_key_policy

_NEW_AMI = (
    "A new AMI: write this file again with the same --name, and deploy it to the same stack. The launch template gets "
    "a new version, and EKS replaces the nodes one after the other."
)
_NEW_AMI_NEW_NAME = (
    "A new AMI gets a nodegroup of another name, in another stack; delete this one once nothing runs on its nodes any "
    "more. With a name of your own (--name) the stack stays the same, and EKS replaces the nodes in place."
)
_NEW_RELEASE = (
    "Nodes stay at the Bottlerocket release that they were made with, until `aws eks update-nodegroup-version` moves "
    "them to the newest one."
)
_REPLACED = (
    "Other instance types, subnets, another role, Spot or not: for these CloudFormation makes a new nodegroup, and "
    "it cannot have the old one's name. Give it another one (--name)."
)
_ASK_EKS = '"$(aws eks describe-cluster --region {{region}} --name {{cluster}} --query {} --output text)"'
_HOW_TO_TELL = {
    API_SERVER: _ASK_EKS.format("cluster.endpoint"),
    CERTIFICATE: _ASK_EKS.format("cluster.certificateAuthority.data"),
    NODE_ROLE: "ARN",
    SUBNETS: "SUBNET,SUBNET",
}


def command(requests: Sequence[NodegroupRequest]) -> str:
    """What comes next, with `{file}` for the file's path; words in capitals are to be filled in."""
    return " ".join(_command(requests))


def head(requests: Sequence[NodegroupRequest]) -> str:
    """The comment above everything, without comment signs; in a rehearsal its first line says so."""
    several = len(requests) > 1
    what = f"{len(requests)} launch templates and the EKS managed nodegroups that use them"
    title = (what if several else "A launch template and the EKS managed nodegroup that uses it") + ", for"
    _, *lines = in_head([f"{title} Bottlerocket nodes with MemoryQoS; a CloudFormation template, written by brqos."])
    for request in requests:
        lines += ["", *([f"Nodes    {request.name}"] if several else []), *facts(request)]
    written = [part.replace("{file}", "<this file>") for part in _command(requests)]
    lines += ["", " \\\n    ".join(written)]
    return "\n".join([*rehearsal(requests), *lines, *in_head(_paragraphs(requests))])


def remarks(requests: Sequence[NodegroupRequest]) -> Remarks:
    """The comment before each key that deserves one, by the key's path."""
    texts: Remarks = {}
    if parameters(requests):
        texts["Parameters",] = (
            "What was not known when this file was written. A stack keeps the values that it was given first, also "
            "when a template is deployed to it again without them."
        )
    for id_, request in zip(logical_ids(requests), requests, strict=True):
        texts |= _about_template(request, ("Resources", template_id(id_), "Properties"))
        texts |= _about_nodegroup(request, ("Resources", nodegroup_id(id_), "Properties"))
    return wrapped(texts)


def _command(requests: Sequence[NodegroupRequest]) -> list[str]:
    first = requests[0]
    parts = [
        f"aws cloudformation deploy --region {first.region} --stack-name {stack_name(requests)}",
        "--template-file {file}",
    ]
    if names := parameters(requests):
        told = [f"{name}={_HOW_TO_TELL[name].format(region=first.region, cluster=first.cluster)}" for name in names]
        parts += [f"--parameter-overrides {told[0]}", *told[1:]]
    return parts


def _paragraphs(requests: Sequence[NodegroupRequest]) -> list[str]:
    own = [request for request in requests if request.ami is not None]
    official = [request for request in requests if request.ami is None]
    paragraphs = [no_custom_image(official[0]), _NEW_RELEASE] if official else []
    if own:
        paragraphs.append(_NEW_AMI_NEW_NAME if own[0].spec.name is None else _NEW_AMI)
    return [*paragraphs, _REPLACED]


def _about_template(request: NodegroupRequest, here: Path) -> Remarks:
    spec = request.spec
    data: Path = (*here, "LaunchTemplateData")
    texts: Remarks = {}
    if request.ami is not None:
        texts[*data, "ImageId"] = own_image(request)
    texts[*data, "BlockDeviceMappings"] = _about_volumes(request)
    texts[*data, "MetadataOptions"] = (
        "IMDSv2 only. Two hops, since a pod with a network of its own is one further away than its node."
    )
    if spec.security_groups:
        texts[*data, "SecurityGroupIds"] = (
            "With these EKS does not add the cluster security group: it is among them, or their rules let nodes and "
            "control plane reach each other."
        )
    if spec.ssh_key is not None:
        texts[*data, "KeyName"] = "For SSH to the admin container, which the user data switch on for it."
    texts[*data, "TagSpecifications"] = "Of the instances and their volumes; EKS does not pass on a nodegroup's tags."
    texts[*data, "UserData"] = _about_user_data(request)
    return texts


def _about_volumes(request: NodegroupRequest) -> str:
    spec = request.spec
    size = f"GiB of the data volume, /dev/xvdb, with {ON_THE_DATA_VOLUME}"
    if spec.volume_size is None:
        size += f"; none was asked for, and the AMI's own 20 soon fill, so {DATA_VOLUME_GIB}"
    if not spec.volume_encrypted:
        return f"{size}. {SYSTEM_STAYS}"
    text = f"{size}. Of the system's volume, /dev/xvda, only the encryption is said here; the rest is the AMI's."
    return f"{text} {KEY_POLICY_REMARK}" if needs_key_policy(spec) else text


def _about_user_data(request: NodegroupRequest) -> str:
    if request.ami is None:
        text = "EKS merges these settings with its own, which join the node to the cluster."
    else:
        text = (
            "With an own AMI EKS adds nothing here: without cluster-name, api-server and cluster-certificate a node "
            "never joins."
        )
        if request.spec.taints:
            text += " The taints stand here too, as EKS sets its own some moments after a node has joined."
    kubernetes = node_settings(request).get("kubernetes", {})
    memory = memory_remarks.in_one(kubernetes, request.image.native, request.image.release)
    return " ".join([text, containers(request.spec), *memory])


def _about_nodegroup(request: NodegroupRequest, here: Path) -> Remarks:
    fits = (
        f"{fitting(request)}, and so must each type here be. They stand here, as the launch template may name one only."
    )
    if not request.spec.instance_types:
        fits += f" {NO_TYPES}"
    texts: Remarks = {
        (*here, "LaunchTemplate"): "The newest version is the one that this stack made last; a change above makes one, "
        "and EKS then replaces the nodes.",
        (*here, "InstanceTypes"): fits,
    }
    if request.ami is None:
        texts[*here, "AmiType"] = (
            "EKS takes its newest image of this type and version. The settings are for this version; EKS refuses it if "
            "the cluster has another."
        )
    if request.spec.labels:
        texts[*here, "Labels"] = SET_BY_EKS_LATER
    return texts
