"""The comments in an emitted eksctl file: why a thing is there, for whoever reads it in a year.

They are by the path of the key that they stand before. What is said about memory is in memory_remarks.py.
"""

from collections.abc import Mapping
from textwrap import wrap
from typing import Any

from brqos.nodes.eksctl.capacity import is_mixed, on_demand
from brqos.nodes.eksctl.memory_remarks import about_memory
from brqos.nodes.eksctl.volumes import SYSTEM_SIZE, names_its_volumes
from brqos.nodes.request import NodegroupRequest

Path = tuple[str | int, ...]
Remarks = dict[Path, str]

_WIDTH = 98
_NODE_POLICIES = (
    "AmazonEKSWorkerNodePolicy, AmazonEC2ContainerRegistryPullOnly, AmazonSSMManagedInstanceCore for the control "
    "container, and AmazonEKS_CNI_Policy unless aws-node has a role of its own"
)


def remarks(request: NodegroupRequest, place: tuple[str, int], nodegroup: Mapping[str, Any]) -> Remarks:
    """The comment before each key of a nodegroup that deserves one; `place` is its section and its number there."""
    path = (*place, "bottlerocket", "settings")
    kubernetes = (*path, "kubernetes")
    settings = nodegroup["bottlerocket"]["settings"]
    texts = {
        **_about_image(request, place),
        **_about_types(request, place),
        **_about_volumes(request, place),
        **_about_network(request, place),
        **_about_access(request, place),
        **_about_max_pods(request, place, kubernetes),
        **_about_containers(request, path, settings["host-containers"]),
        **about_memory(request, settings.get("kubernetes") or {}, kubernetes),
    }
    return _wrapped(texts)


def about_vpc(document: Mapping[str, Any]) -> Remarks:
    """The comment before the file's section `vpc`, where there is one."""
    if "vpc" not in document:
        return {}
    text = "eksctl did not create this cluster, and has to be told its network."
    if "nodeGroups" in document:
        text += (
            " The security group is the control plane's; it may have no egress rules but the default one and eksctl's "
            "own."
        )
    return _wrapped({("vpc",): text})


def _wrapped(texts: Mapping[Path, str]) -> Remarks:
    # Lines that end in the same column wherever they stand: two columns of indentation per level, and the sign.
    return {path: "\n".join(wrap(text, _WIDTH - 2 * len(path), break_on_hyphens=False)) for path, text in texts.items()}


def _about_image(request: NodegroupRequest, here: Path) -> Remarks:
    variant = request.variant
    if request.ami is None:
        text = (
            f"No AMI is named: {'EKS' if request.managed else 'eksctl'} takes the newest official one of this family "
            "that fits the cluster's Kubernetes and the instance types"
        )
        return {(*here, "amiFamily"): text + (", with NVIDIA's driver." if variant.is_nvidia else ".")}
    version = variant.kubernetes
    return {
        (*here, "ami"): (
            f"Bottlerocket {variant.base} with the kubelet's MemoryQoS turned on, for Kubernetes {version}: the "
            f"control plane has to be at {version} or up to three minor versions newer."
        ),
        (*here, "amiFamily"): (
            "eksctl cannot see what is in an own AMI, and writes Bottlerocket's user data only with this."
        ),
    }


def _about_types(request: NodegroupRequest, here: Path) -> Remarks:
    gpus = " with NVIDIA GPUs" if request.variant.is_nvidia else ""
    text = f"The AMI is for {request.architecture.ec2}{gpus}, and so must each type here be; eksctl does not check it."
    if request.ami is None:
        text = f"Each {request.architecture.ec2}{gpus}: the official AMI is picked by them."
    if not request.spec.instance_types:
        text += " None was asked for: this one fits, and nearly every region has it."
    texts: Remarks = {}
    if is_mixed(request):
        texts[*here, "instancesDistribution"] = f"{text} {_about_spot(request)}"
    elif len(request.instance_types) == 1:
        texts[*here, "instanceType"] = text
    elif request.managed:
        texts[*here, "instanceTypes"] = text
    else:
        texts[*here, "instancesDistribution"] = f"{text} All of them On-Demand, no Spot."
    if request.managed and request.spec.spot:
        text = "EC2 takes Spot instances back at two minutes' notice; EKS drains them then."
        texts[*here, "spot"] = text + _few(request)
    return texts


def _about_spot(request: NodegroupRequest) -> str:
    base, percentage = on_demand(request.spec)
    if percentage == 100:
        return "All of them On-Demand, no Spot."
    shares = f"{100 - percentage} % Spot" if percentage else "All of them Spot"
    if base:
        shares = f"The first {base} On-Demand, of the others {f'{100 - percentage} %' if percentage else 'all'} Spot"
    return (
        f"{shares}; EC2 takes these back at two minutes' notice, and nothing drains self-managed nodes but a "
        f"termination handler.{_few(request)}"
    )


def _few(request: NodegroupRequest) -> str:
    return " With several types Spot is likelier to have one." if len(request.instance_types) == 1 else ""


def _about_volumes(request: NodegroupRequest, here: Path) -> Remarks:
    spec = request.spec
    texts: Remarks = {}
    if spec.volume_type or spec.volume_iops or spec.volume_throughput or spec.volume_encrypted or spec.volume_size:
        text = "GiB of the data volume, /dev/xvdb, with images, containers and logs."
        if names_its_volumes(spec):
            text += "" if spec.volume_encrypted else " The system's own volume stays as the AMI has it."
        elif spec.volume_encrypted:
            text += " As it is encrypted and has no volumeName, eksctl encrypts /dev/xvda too, the system's own."
        else:
            text += " Without volumeName eksctl means this one; the system's own volume stays as the AMI has it."
        texts[*here, "volumeSize"] = text
    if spec.volume_kms_key is not None:
        texts[*here, "volumeKmsKeyID"] = (
            "The key's policy has to let the role AWSServiceRoleForAutoScaling use it, or instances end as soon as "
            "they start."
        )
    if names_its_volumes(spec):
        texts[*here, "volumeName"] = (
            "Without the name eksctl would map /dev/xvda with the same type and no IOPS, once anything is encrypted, "
            "and EC2 refuses that."
        )
        if spec.volume_encrypted:
            texts[*here, "additionalVolumes"] = (
                f"The system's own volume, encrypted too. eksctl takes 80 GiB where no size is named; {SYSTEM_SIZE} is "
                "more than any image has."
            )
    return texts


def _about_network(request: NodegroupRequest, here: Path) -> Remarks:
    if not request.spec.security_groups:
        return {}
    return {(*here, "securityGroups"): "Beside those that eksctl gives the nodes, the cluster's own among them."}


def _about_access(request: NodegroupRequest, here: Path) -> Remarks:
    spec = request.spec
    texts: Remarks = {}
    if spec.policies:
        texts[*here, "iam", "attachPolicyARNs"] = (
            "With this list eksctl leaves out the policies that every node needs, so they stand here too"
            + ("" if request.managed else "; AmazonEC2ContainerRegistryPullOnly it still adds")
            + ". AmazonEKS_CNI_Policy can go if aws-node has a role of its own."
        )
    if spec.node_role is not None:
        texts[*here, "iam", "instanceRoleARN"] = f"It needs {_NODE_POLICIES}."
    elif spec.instance_profile is not None:
        texts[*here, "iam", "instanceProfileARN"] = f"Its role needs {_NODE_POLICIES}."
    if spec.ssh_key is not None:
        text = "It leads into the admin container, a root shell."
        if not spec.ssh_security_groups:
            text += (
                " No security group is named, so eksctl lets SSH in from the whole VPC."
                if spec.private_networking
                else " No security group is named, so eksctl lets SSH in from the whole world: add "
                "sourceSecurityGroupIds."
            )
        texts[*here, "ssh"] = text
        texts[*here, "bottlerocket", "enableAdminContainer"] = (
            "For SSH. eksctl sets this by itself then, and rejects it among the settings below."
        )
    return texts


def _about_max_pods(request: NodegroupRequest, here: Path, kubernetes: Path) -> Remarks:
    spec = request.spec
    texts: Remarks = {}
    if spec.max_pods is not None and not request.managed:
        texts[*here, "maxPodsPerNode"] = (
            "Here, and not among Bottlerocket's settings: eksctl rejects it there on self-managed nodes."
        )
    elif spec.max_pods is not None and request.ami is not None:
        texts[*kubernetes, "max-pods"] = "eksctl rejects maxPodsPerNode together with an own AMI: this is its place."
    if spec.taints and request.managed:
        texts[*here, "taints"] = "EKS sets these through its API, some moments after a node has joined."
    return texts


def _about_containers(request: NodegroupRequest, settings: Path, containers: Mapping[str, Any]) -> Remarks:
    control = "Control is what Session Manager (SSM) reaches a node through."
    if not containers["control"]["enabled"]:
        control = "Control, through which Session Manager (SSM) reaches a node, is off."
    admin = ""
    if request.spec.admin_container and request.spec.ssh_key is None:
        admin = " Admin is a root shell with an SSH server, and on."
    elif request.spec.ssh_key is None:
        admin = " Admin is a root shell with an SSH server: off until it is needed"
        admin += (
            ", `enable-admin-container` in the control container starts it."
            if containers["control"]["enabled"]
            else "; with both off there is no way into a node."
        )
    return {(*settings, "host-containers"): control + admin}
