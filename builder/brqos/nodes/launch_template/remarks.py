"""The comments in the emitted template: why a thing is there, for whoever reads it in a year."""

from collections.abc import Sequence
from textwrap import wrap as wrapped

from brqos.nodes.launch_template.data import DATA_VOLUME_GIB
from brqos.nodes.launch_template.document import (
    NODE_ROLE,
    SUBNETS,
    nodegroup_id,
    parameters,
    template_id,
)
from brqos.nodes.launch_template.names import logical_ids, stack_name
from brqos.nodes.launch_template.user_data import API_SERVER, CERTIFICATE
from brqos.nodes.quantities import missing_evictions
from brqos.nodes.request import NodegroupRequest

Path = tuple[str | int, ...]

_WIDTH = 98
_STEP = 2
_REHEARSAL = "REHEARSAL - DO NOT USE: the AMI below does not exist; this only shows what a file looks like."
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
    lines = [_REHEARSAL, ""] if requests[0].rehearsal else []
    title = (what if several else "A launch template and the EKS managed nodegroup that uses it") + ", for"
    lines += _wrap(
        f"{title} Bottlerocket nodes with MemoryQoS; a CloudFormation template, written by brqos.", _WIDTH - _STEP
    )
    for request in requests:
        lines += ["", *_facts(request, several=several)]
    written = [part.replace("{file}", "<this file>") for part in _command(requests)]
    lines += ["", " \\\n    ".join(written)]
    for paragraph in _paragraphs(requests):
        lines += ["", *_wrap(paragraph, _WIDTH - _STEP)]
    return "\n".join(lines)


def remarks(requests: Sequence[NodegroupRequest]) -> dict[Path, str]:
    """The comment before each key that deserves one, by the key's path."""
    texts: dict[Path, str] = {}
    if parameters(requests):
        texts["Parameters",] = (
            "What was not known when this file was written. A stack keeps the values that it was given first, also "
            "when a template is deployed to it again without them."
        )
    for id_, request in zip(logical_ids(requests), requests, strict=True):
        texts |= _about_template(request, ("Resources", template_id(id_), "Properties"))
        texts |= _about_nodegroup(request, ("Resources", nodegroup_id(id_), "Properties"))
    return {path: "\n".join(_wrap(text, _WIDTH - _STEP * len(path))) for path, text in texts.items() if text}


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


def _facts(request: NodegroupRequest, *, several: bool) -> list[str]:
    variant = request.variant
    lines = [f"Nodes    {request.name}"] if several else []
    if request.ami is None:
        return [
            *lines,
            f"AMI      the official one of Bottlerocket, {request.architecture.ec2}, in {request.region}",
            f"Variant  {variant.base}, Kubernetes {variant.kubernetes}",
        ]
    return [
        *lines,
        f"AMI      {request.ami}, {request.architecture.ec2}, in {request.region}",
        f"Variant  {variant.memory_qos}, Kubernetes {variant.kubernetes}",
    ]


def _paragraphs(requests: Sequence[NodegroupRequest]) -> list[str]:
    own = [request for request in requests if request.ami is not None]
    official = [request for request in requests if request.ami is None]
    paragraphs = []
    if official:
        version = official[0].variant.kubernetes
        paragraphs.append(
            f"No image of one's own is needed: Bottlerocket's official one for Kubernetes {version} has the settings "
            "that turn MemoryQoS on, and the user data below set them."
        )
        paragraphs.append(_NEW_RELEASE)
    if own:
        paragraphs.append(_NEW_AMI_NEW_NAME if own[0].spec.name is None else _NEW_AMI)
    return [*paragraphs, _REPLACED]


def _about_template(request: NodegroupRequest, here: Path) -> dict[Path, str]:
    spec = request.spec
    data: Path = (*here, "LaunchTemplateData")
    texts: dict[Path, str] = {}
    if request.ami is not None:
        version = request.variant.kubernetes
        texts[*data, "ImageId"] = (
            f"Bottlerocket {request.variant.base} with the kubelet's MemoryQoS turned on, for Kubernetes {version}: "
            f"the control plane has to be at {version} or up to three minor versions newer."
        )
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
    size = "GiB of the data volume, /dev/xvdb, with images, containers and logs"
    if spec.volume_size is None:
        size += f"; none was asked for, and the AMI's own 20 soon fill, so {DATA_VOLUME_GIB}"
    if spec.volume_encrypted:
        return f"{size}. Of the system's volume, /dev/xvda, only the encryption is said here; the rest is the AMI's."
    return f"{size}. The system's own volume, /dev/xvda, stays as the AMI has it."


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
    text += " Control is what Session Manager (SSM) reaches a node through; admin is a root shell"
    text += ", off until it is needed." if _is_admin_off(request) else ", which was asked for."
    return f"{text} {_about_memory(request)}"


def _is_admin_off(request: NodegroupRequest) -> bool:
    return not request.spec.admin_container and request.spec.ssh_key is None


def _about_memory(request: NodegroupRequest) -> str:
    spec = request.spec
    allocatable = "which stands in for the limit in memory.high of containers that have a request and no limit."
    if "memory" in spec.kube_reserved:
        text = f"Reserved memory is missing from the node's allocatable memory, {allocatable}"
    else:
        text = (
            "As kube-reserved memory is not set, Bottlerocket keeps 11 MiB per pod and 255 MiB from the pods; what is "
            f"left is the node's allocatable memory, {allocatable}"
        )
    if spec.eviction_hard:
        lost = [f"{signal} {threshold}" for signal, threshold in missing_evictions(spec.eviction_hard).items()]
        text += " eviction-hard replaces all of the kubelet's defaults, so " + (
            f"these are gone: {', '.join(lost)}." if lost else "each is named here."
        )
    return text


def _about_nodegroup(request: NodegroupRequest, here: Path) -> dict[Path, str]:
    fits = f"The AMI is for {request.architecture.ec2}" + (" with NVIDIA GPUs" if request.variant.is_nvidia else "")
    fits += ", and so must each type here be. They stand here, as the launch template may name one only."
    if not request.spec.instance_types:
        fits += " None was asked for: this one fits, and nearly every region has it."
    texts: dict[Path, str] = {
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
        texts[*here, "Labels"] = "EKS sets these through its API, some moments after a node has joined."
    return texts


def _wrap(text: str, width: int) -> list[str]:
    # Names of settings and commands stay in one piece.
    return wrapped(text, width, break_on_hyphens=False)
