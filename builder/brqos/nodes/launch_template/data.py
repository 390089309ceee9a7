"""A request as an EC2 launch template, in the shape of the API, which CloudFormation's is too. Pure.

What is not in it, EKS wants to say itself: the instance types and Spot stand in the nodegroup; with a subnet, an
instance profile or a shutdown behaviour EKS refuses the template (EKS User Guide, launch-templates, "Launch template
configuration basics").
"""

from collections.abc import Mapping
from typing import Any

from brqos.ami.tags import ARCH, NAME, TOOL, VARIANT, tag_list
from brqos.nodes.launch_template.names import template_name
from brqos.nodes.launch_template.user_data import encoded_user_data
from brqos.nodes.request import NodegroupRequest
from brqos.nodes.volumes import DATA_DEVICE, DATA_VOLUME_GIB, DEFAULT_TYPE, ROOT_DEVICE

Data = dict[str, Any]

HOP_LIMIT = 2
"""Pods with a network of their own are one hop further away from the instance's metadata than the node."""


def launch_template_data(request: NodegroupRequest) -> Data:
    """RequestLaunchTemplateData of EC2's API; raises ConfigurationError without the cluster's endpoint."""
    return template_data(request, encoded_user_data(request))


def template_data(request: NodegroupRequest, user_data: object) -> Data:
    """The same with these user data: base64, or what CloudFormation makes it of."""
    spec = request.spec
    data: Data = {} if request.ami is None else {"ImageId": request.ami}
    data["BlockDeviceMappings"] = _volumes(request)
    data["MetadataOptions"] = {"HttpTokens": "required", "HttpPutResponseHopLimit": HOP_LIMIT}
    if spec.security_groups:
        data["SecurityGroupIds"] = list(spec.security_groups)
    if spec.ssh_key is not None:
        data["KeyName"] = spec.ssh_key
    tags = tag_list({NAME: template_name(request), **spec.tags})
    data["TagSpecifications"] = [{"ResourceType": kind, "Tags": tags} for kind in ("instance", "volume")]
    data["UserData"] = user_data
    return data


def own_tags(request: NodegroupRequest) -> Mapping[str, str]:
    """The tags of the launch template and the nodegroup themselves.

    Instances and volumes get none of brqos's: snapshots that a backup makes of a volume have its tags, and `brqos
    prune` goes by them.
    """
    return {TOOL: "brqos", VARIANT: request.image.called, ARCH: request.architecture.value, **request.spec.tags}


def version_description(request: NodegroupRequest) -> str:
    """What the list of the template's versions shows."""
    if request.ami is None:
        return f"official Bottlerocket {request.image.called}"
    return f"{request.ami}, Bottlerocket {request.image.called}"


def _volumes(request: NodegroupRequest) -> list[Data]:
    spec = request.spec
    encryption: Data = {}
    if spec.volume_encrypted:
        encryption["Encrypted"] = True
        if spec.volume_kms_key is not None:
            encryption["KmsKeyId"] = spec.volume_kms_key
    volume: Data = {
        "VolumeSize": spec.volume_size or DATA_VOLUME_GIB,
        "VolumeType": spec.volume_type or DEFAULT_TYPE,
        "DeleteOnTermination": True,
    }
    if spec.volume_iops is not None:
        volume["Iops"] = spec.volume_iops
    if spec.volume_throughput is not None:
        volume["Throughput"] = spec.volume_throughput
    root = [{"DeviceName": ROOT_DEVICE, "Ebs": encryption}] if encryption else []
    return [*root, {"DeviceName": DATA_DEVICE, "Ebs": volume | encryption}]
