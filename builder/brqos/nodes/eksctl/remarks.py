"""The comments in an emitted eksctl file: why a thing is there, for whoever reads it in a year.

They are by the path of the key that they stand before.
"""

from collections.abc import Mapping
from typing import Any

from brqos.nodes import memory_remarks
from brqos.nodes.eksctl.capacity import is_mixed, on_demand
from brqos.nodes.eksctl.volumes import names_its_volumes, system_gib
from brqos.nodes.emit import Path
from brqos.nodes.remarks import (
    BOTTLEROCKETS_USER_DATA,
    KEY_POLICY_REMARK,
    NO_TYPES,
    ON_THE_DATA_VOLUME,
    SET_BY_EKS_LATER,
    SYSTEM_STAYS,
    Remarks,
    containers,
    control_container,
    fitting,
    own_image,
    wrapped,
)
from brqos.nodes.request import NodegroupRequest
from brqos.nodes.volumes import is_wished, needs_key_policy

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
        (*path, "host-containers"): _about_containers(request),
        **_about_memory(request, settings.get("kubernetes") or {}, kubernetes),
    }
    return wrapped(texts)


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
    return wrapped({("vpc",): text})


def _about_image(request: NodegroupRequest, here: Path) -> Remarks:
    variant = request.variant
    if request.ami is None:
        text = (
            f"No AMI is named: {'EKS' if request.managed else 'eksctl'} takes the newest official one of this family "
            "that fits the cluster's Kubernetes and the instance types"
        )
        return {(*here, "amiFamily"): text + (", with NVIDIA's driver." if variant.is_nvidia else ".")}
    return {(*here, "ami"): own_image(request), (*here, "amiFamily"): f"eksctl {BOTTLEROCKETS_USER_DATA}"}


def _about_types(request: NodegroupRequest, here: Path) -> Remarks:
    text = f"{fitting(request)}, and so must each type here be; eksctl does not check it."
    if request.ami is None:
        gpus = " with NVIDIA GPUs" if request.variant.is_nvidia else ""
        text = f"Each {request.architecture.ec2}{gpus}: the official AMI is picked by them."
    if not request.spec.instance_types:
        text += f" {NO_TYPES}"
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
    if is_wished(spec):
        text = f"GiB of the data volume, /dev/xvdb, with {ON_THE_DATA_VOLUME}."
        if names_its_volumes(spec):
            text += "" if spec.volume_encrypted else f" {SYSTEM_STAYS}"
        elif spec.volume_encrypted:
            text += " As it is encrypted and has no volumeName, eksctl encrypts /dev/xvda too, the system's own."
        else:
            text += f" Without volumeName eksctl means this one. {SYSTEM_STAYS}"
        texts[*here, "volumeSize"] = text
    if needs_key_policy(spec):
        texts[*here, "volumeKmsKeyID"] = KEY_POLICY_REMARK
    if names_its_volumes(spec):
        texts[*here, "volumeName"] = (
            "Without the name eksctl would map /dev/xvda with the same type and no IOPS, once anything is encrypted, "
            "and EC2 refuses that."
        )
        if spec.volume_encrypted:
            texts[*here, "additionalVolumes"] = (
                "The system's own volume, encrypted too. eksctl takes 80 GiB where no size is named; "
                f"{_about_system_size(request)}."
            )
    return texts


def _about_system_size(request: NodegroupRequest) -> str:
    size, own = system_gib(request), request.image.root_gib
    if own is None:
        return f"{size} is more than any image has"
    return f"the AMI's own has {own}"


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
        texts[*here, "taints"] = SET_BY_EKS_LATER
    return texts


def _about_containers(request: NodegroupRequest) -> str:
    # With SSH the admin container is switched elsewhere, and spoken of there.
    return containers(request.spec) if request.spec.ssh_key is None else control_container(request.spec)


def _about_memory(request: NodegroupRequest, settings: Mapping[str, Any], kubernetes: Path) -> Remarks:
    """`settings` is the nodegroup's table settings.kubernetes, and `kubernetes` its path."""
    texts: Remarks = {}
    if (native := request.image.native) is not None:
        texts[*kubernetes, "memory-throttling-factor"] = memory_remarks.throttling(native)
        if native.reservation_policy is not None:
            texts[*kubernetes, "memory-reservation-policy"] = memory_remarks.protection(native)
    kube, system = settings.get("kube-reserved") or {}, settings.get("system-reserved") or {}
    if "memory" not in kube:
        texts[kubernetes[:-1]] = memory_remarks.NOTHING_RESERVED
    if kube:
        texts[*kubernetes, "kube-reserved"] = memory_remarks.kube_reserved(kube)
    if system:
        texts[*kubernetes, "system-reserved"] = memory_remarks.system_reserved(system)
    if thresholds := settings.get("eviction-hard"):
        texts[*kubernetes, "eviction-hard"] = memory_remarks.eviction(thresholds, request.image.release)
    return texts
