"""The comments in an emitted file for Karpenter: why a thing is there, for whoever reads it in a year."""

import re
from collections.abc import Mapping
from typing import Any

from brqos.nodes import memory_remarks
from brqos.nodes.emit import Path
from brqos.nodes.karpenter.modelled import RELEASE
from brqos.nodes.karpenter.nodeclass import KARPENTERS_ROOT_GIB, has_volumes, root_gib
from brqos.nodes.remarks import BOTTLEROCKETS_USER_DATA, ON_THE_DATA_VOLUME, Remarks, containers, own_image, wrapped
from brqos.nodes.request import NodegroupRequest

_SPEC: Path = ("spec",)
_KUBELET: Path = ("spec", "kubelet")
_NODES: Path = ("spec", "template", "spec")
# Instance store is a `d` among the attributes, or a series that is all about it.
_LOCAL_DISKS = re.compile(r"(?:i|im|is|d)\d.*|[a-z]+\d+[a-z]*d[a-z]*", re.ASCII)


def class_remarks(request: NodegroupRequest, object_: Mapping[str, Any]) -> Remarks:
    """The comment before each key of the EC2NodeClass that deserves one, by the key's path."""
    kubelet: Mapping[str, Any] = object_["spec"].get("kubelet", {})
    return wrapped(
        {
            (*_SPEC, "amiFamily"): f"Karpenter {BOTTLEROCKETS_USER_DATA}",
            (*_SPEC, "amiSelectorTerms"): _about_ami(request),
            **_about_identity(request),
            **_about_network(request),
            **_about_volumes(request),
            **({(*_SPEC, "tags"): _TAGS} if request.spec.tags else {}),
            **_about_kubelet(kubelet, request.image.release),
            (*_SPEC, "userData"): _about_user_data(request, kubelet),
        }
    )


def pool_remarks(request: NodegroupRequest) -> Remarks:
    """The comment before each key of the NodePool that deserves one, by the key's path."""
    spec = request.spec
    texts: Remarks = {
        ("metadata",): (
            "Any pod that fits may land on these nodes, if no other NodePool takes it. A pod asks for them with the "
            f"nodeSelector karpenter.sh/nodepool: {request.name}; a taint keeps others away."
        ),
        (*_NODES, "requirements"): _about_requirements(request),
        (*_NODES, "expireAfter"): (
            "Nodes are replaced at this age, even if nothing has changed."
            + ("" if spec.karpenter.expire_after else " It is Karpenter's default.")
        ),
        (*_SPEC, "disruption"): (
            "Nodes that are empty, or whose pods fit elsewhere, go away after consolidateAfter. Of all nodes 10 % may "
            "be replaced at a time, for a new AMI too; budgets here would change that."
        ),
    }
    if spec.karpenter.limits:
        texts[*_SPEC, "limits"] = "The most that all nodes of this NodePool may have together."
    else:
        texts[*_SPEC, "disruption"] += (
            " There are no limits: Karpenter starts as many nodes as the pods ask for ([nodegroup.karpenter.limits])."
        )
    if spec.taints:
        texts[*_NODES, "taints"] = "Nodes have these from their first moment."
    return wrapped(texts)


_TAGS = "Instances, volumes and launch templates get these, beside Karpenter's own."


def _about_ami(request: NodegroupRequest) -> str:
    text = f"{own_image(request)} Never an alias here: it stands for AWS's own AMIs."
    match request.spec.karpenter.ami_by:
        case "tags":
            text += (
                f" brqos gives these tags, and the newest AMI wins (today {request.ami}): the next one that is "
                "registered in this account is rolled out at once. An AMI that another account shares shows no tags."
            )
        case "ssm":
            text += (
                f" The parameter holds the id (today it should be {request.ami}); Karpenter looks every five minutes. "
                "Its controller needs ssm:GetParameter for it: Karpenter's own policy allows AWS's parameters only."
            )
    if request.spec.instance_types and any(_LOCAL_DISKS.fullmatch(type_.family) for type_ in request.instance_types):
        text += (
            " Some of the types have local disks, which lie idle without instanceStorePolicy: RAID0; with it Karpenter "
            "reads Bottlerocket's version from the AMI's name, which is why brqos ends it with -v<version>-<commit>."
        )
    return text


def _about_identity(request: NodegroupRequest) -> Remarks:
    spec = request.spec
    if spec.instance_profile:
        return {
            (*_SPEC, "instanceProfile"): (
                "Karpenter takes it as it is. Its role has to be known to the cluster (an access entry of the type "
                "EC2_LINUX), and Karpenter's controller needs iam:PassRole for it."
            )
        }
    if spec.node_role:
        return {
            (*_SPEC, "role"): (
                "The cluster has to know it (an access entry of the type EC2_LINUX), and Karpenter's controller needs "
                "iam:PassRole for it."
            )
        }
    return {(*_SPEC, "role"): "No role was given: this is the one of Karpenter's getting-started guide (--node-role)."}


def _about_network(request: NodegroupRequest) -> Remarks:
    spec = request.spec
    texts: Remarks = {}
    if not spec.subnets:
        texts[*_SPEC, "subnetSelectorTerms"] = "Nodes start in any subnet with this tag."
        if not spec.karpenter.subnet_tags:
            texts[*_SPEC, "subnetSelectorTerms"] += (
                " No subnets were given: the tag is the one of Karpenter's getting-started guide."
            )
    if not spec.security_groups:
        texts[*_SPEC, "securityGroupSelectorTerms"] = "Nodes get all security groups with this tag."
    return texts


def _about_volumes(request: NodegroupRequest) -> Remarks:
    if not has_volumes(request):
        return {}
    size = f"the {KARPENTERS_ROOT_GIB} GiB that Karpenter itself gives it"
    if root_gib(request) > KARPENTERS_ROOT_GIB:
        size = f"the AMI's {root_gib(request)} GiB, where Karpenter itself would give it {KARPENTERS_ROOT_GIB}"
    return {
        (*_SPEC, "blockDeviceMappings"): (
            f"/dev/xvda is the system's volume, with {size}; /dev/xvdb has "
            f"{ON_THE_DATA_VOLUME}. This list replaces Karpenter's own, so both stand here, encrypted as they "
            "are there."
        )
    }


def _about_kubelet(kubelet: Mapping[str, Any], release: str | None) -> Remarks:
    if not kubelet:
        return {}
    texts: Remarks = {
        _KUBELET: (
            "Here, and not in userData: Karpenter calculates with these when it chooses an instance for pods, and "
            "writes them into the user data itself."
        )
    }
    if "memory" not in kubelet.get("kubeReserved", {}):
        texts[_KUBELET] += f" {memory_remarks.NOTHING_RESERVED_WITH_KARPENTER}"
    if "kubeReserved" in kubelet:
        texts[*_KUBELET, "kubeReserved"] = memory_remarks.kube_reserved(kubelet["kubeReserved"])
    if "systemReserved" in kubelet:
        texts[*_KUBELET, "systemReserved"] = memory_remarks.system_reserved(
            kubelet["systemReserved"], kube="kubeReserved"
        )
    if "evictionHard" in kubelet:
        texts[*_KUBELET, "evictionHard"] = memory_remarks.eviction(kubelet["evictionHard"], release)
    return texts


def _about_user_data(request: NodegroupRequest, kubelet: Mapping[str, Any]) -> str:
    text = (
        "Karpenter adds what joins the node to its cluster. Of settings.kubernetes it hands on what it knows "
        f"({RELEASE}; earlier ones know fewer) and drops the rest: MemoryQoS is in the image, out of its reach. Any "
        f"change here, a comment too, replaces all nodes. {containers(request.spec)}"
    )
    return text if kubelet else f"{text} {memory_remarks.NOTHING_RESERVED_WITH_KARPENTER}"


def _about_requirements(request: NodegroupRequest) -> str:
    spec = request.spec
    nvidia = request.variant.is_nvidia
    text = f"The AMI is for {request.architecture.kubernetes}" + (" with NVIDIA GPUs" if nvidia else "")
    if spec.instance_types:
        text += ", and so must each type here be."
    elif nvidia:
        text += (
            ". No types were asked for: these are the graphics instances (category g) from g4dn on, not the large ones "
            "with many GPUs (p)."
        )
    else:
        text += (
            ". No types were asked for: these are for computing, for general purposes and with much memory, from the "
            "fifth generation on. None of them has a GPU, which would lie idle: the image has no driver for one."
        )
    if spec.spot:
        text += (
            " Spot instances only: EC2 takes them back at two minutes' notice, of which Karpenter learns through its "
            "interruption queue."
        )
    if nvidia and not spec.taints:
        text += (
            " Pods that need no GPU may land here too; a taint such as nvidia.com/gpu=present:NoSchedule (--taint) "
            "keeps them away."
        )
    return text
