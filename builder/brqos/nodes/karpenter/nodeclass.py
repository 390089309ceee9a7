"""The EC2NodeClass of a request, as data: image, network, volumes and settings of its nodes.

What goes where is told by Karpenter v1.14.1, pkg/apis/v1/ec2nodeclass.go. What is left out stays as Karpenter
has it: metadataOptions are IMDSv2 with one hop, so that pods with a network of their own cannot take the node's role.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from brqos.errors import ConfigurationError
from brqos.nodes.karpenter.ami_selection import ami_term
from brqos.nodes.karpenter.settings import divided
from brqos.nodes.request import NodegroupRequest
from brqos.nodes.user_data.toml import ROOM_TO_JOIN, to_toml
from brqos.nodes.volumes import DATA_DEVICE, DEFAULT_TYPE, ROOT_DEVICE, is_wished

Object = dict[str, Any]

GROUP = "karpenter.k8s.aws"
KIND = "EC2NodeClass"
DISCOVERY_TAG = "karpenter.sh/discovery"

KARPENTERS_ROOT_GIB = 4
"""GiB of the system's volume (pkg/providers/amifamily/bottlerocket.go: DefaultBlockDeviceMappings)."""
DATA_GIB = 20
"""GiB of the data volume (pkg/providers/amifamily/resolver.go: DefaultEBS)."""

_ROLE_NAME_LENGTH = 64


def node_class(request: NodegroupRequest) -> Object:
    """The object, keys in the order in which they are to be read; the request has passed the rules."""
    spec = request.spec
    settings = divided(request)
    class_: Object = {"amiFamily": "Bottlerocket", "amiSelectorTerms": [ami_term(request)]}
    class_ |= identity(request)
    class_["subnetSelectorTerms"] = _terms(spec.subnets, spec.karpenter.subnet_tags, request.cluster)
    class_["securityGroupSelectorTerms"] = _terms(
        spec.security_groups, spec.karpenter.security_group_tags, request.cluster
    )
    if has_volumes(request):
        class_["blockDeviceMappings"] = _volumes(request)
    if spec.tags:
        class_["tags"] = dict(spec.tags)
    if settings.kubelet:
        class_["kubelet"] = dict(settings.kubelet)
    class_["userData"] = to_toml(settings.user_data, room=ROOM_TO_JOIN)
    return {"apiVersion": f"{GROUP}/v1", "kind": KIND, "metadata": {"name": request.name}, "spec": class_}


def identity(request: NodegroupRequest) -> dict[str, str]:
    """`role` or `instanceProfile`, by name; where none is given, the role of Karpenter's getting-started guide."""
    role, profile = request.spec.node_role, request.spec.instance_profile
    if role and profile:
        raise ConfigurationError(
            "both a role and an instance profile are given",
            why="An EC2NodeClass has one of them: of a role Karpenter makes a profile itself.",
            todo="Leave out --node-role or --instance-profile.",
        )
    if profile:
        return {"instanceProfile": profile.rpartition("/")[2]}
    if role:
        # IAM's calls for instance profiles take the name without its path.
        return {"role": role.rpartition("/")[2]}
    name = f"KarpenterNodeRole-{request.cluster}"
    if len(name) > _ROLE_NAME_LENGTH:
        raise ConfigurationError(
            "the nodes' role is not given",
            why=f"The one of Karpenter's getting-started guide would be {name}, longer than IAM's {_ROLE_NAME_LENGTH} "
            "characters.",
            todo="Give it with --node-role, or an instance profile with --instance-profile.",
        )
    return {"role": name}


def has_volumes(request: NodegroupRequest) -> bool:
    """Whether the volumes have to be said: Karpenter has mappings of its own, which may be too small for the AMI."""
    return is_wished(request.spec) or root_gib(request) > KARPENTERS_ROOT_GIB


def root_gib(request: NodegroupRequest) -> int:
    """GiB of the system's volume: Karpenter's own number, or the AMI's where it is larger. EC2 makes none below it."""
    return max(KARPENTERS_ROOT_GIB, request.image.root_gib or 0)


def _terms(ids: Sequence[str], by_tags: Mapping[str, str], cluster: str) -> list[Object]:
    if ids:
        return [{"id": id_} for id_ in ids]
    return [{"tags": dict(by_tags) or {DISCOVERY_TAG: cluster}}]


def _volumes(request: NodegroupRequest) -> list[Object]:
    spec = request.spec
    data: Object = {"volumeSize": f"{spec.volume_size or DATA_GIB}Gi", "volumeType": spec.volume_type or DEFAULT_TYPE}
    if spec.volume_iops is not None:
        data["iops"] = spec.volume_iops
    if spec.volume_throughput is not None:
        data["throughput"] = spec.volume_throughput
    # Karpenter's own mappings are encrypted, and a list of ours shall not be the worse for it.
    encryption: Object = {"encrypted": True}
    if spec.volume_kms_key is not None:
        encryption["kmsKeyID"] = spec.volume_kms_key
    return [
        {
            "deviceName": ROOT_DEVICE,
            "ebs": {"volumeSize": f"{root_gib(request)}Gi", "volumeType": DEFAULT_TYPE, **encryption},
        },
        # The kubelet's directory is there: Karpenter counts the pods' ephemeral storage from this one.
        {"deviceName": DATA_DEVICE, "rootVolume": True, "ebs": {**data, **encryption}},
    ]
