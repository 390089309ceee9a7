"""The two volumes of a Bottlerocket node in eksctl's words, each mapped once.

eksctl maps /dev/xvdb, the data volume, from the volume... fields. With encryption, and without a `volumeName`, it also
maps /dev/xvda, the system's, encrypted with the same key and *of the same type* (eksctl 0.231, v1alpha5/defaults.go:
setVolumeDefaults; cfn/builder/block_device_mapping.go). It does so too where the AMI itself is encrypted
(pkg/ami/api.go: Use). An io1 or io2 volume needs a number of IOPS, which that second mapping lacks: so these types get
a `volumeName`, which switches it off, and the system's volume an entry of its own.
"""

from typing import Any

from brqos.config.nodegroup import NodegroupSpec
from brqos.nodes.request import NodegroupRequest
from brqos.nodes.volumes import (
    DATA_DEVICE,
    DATA_VOLUME_GIB,
    PROVISIONED_TYPES,
    ROOT_DEVICE,
    VolumeRules,
    called,
    check_volumes,
    is_wished,
)

Document = dict[str, Any]

SYSTEM_TYPE = "gp3"

_SYSTEM_GIB = 10
_LEAST_IOPS = 100
# eksctl 0.231, v1alpha5/validation.go: validateVolumeOpts; its default size is ours too (types.go:
# DefaultNodeVolumeSize).
_RULES = VolumeRules(
    who="eksctl",
    iops={"gp3": (3000, 16000), "io1": (_LEAST_IOPS, 64000), "io2": (_LEAST_IOPS, 256000)},
    throughput=1000,
    fills_in_iops=True,
)


def volumes(request: NodegroupRequest) -> Document:
    """The volume... fields of a nodegroup; empty where nothing is asked for."""
    spec = request.spec
    if not is_wished(spec):
        return {}
    # eksctl demands the size for most of the others; where it does not, the ratios below are of this size.
    part: Document = {"volumeSize": spec.volume_size or DATA_VOLUME_GIB}
    for field, value in (
        ("volumeType", spec.volume_type),
        ("volumeIOPS", spec.volume_iops),
        ("volumeThroughput", spec.volume_throughput),
    ):
        if value is not None:
            part[field] = value
    encryption = _encryption(spec)
    part |= encryption
    if names_its_volumes(spec):
        part["volumeName"] = DATA_DEVICE
        if encryption:
            system = {"volumeName": ROOT_DEVICE, "volumeSize": system_gib(request), "volumeType": SYSTEM_TYPE}
            part["additionalVolumes"] = [{**system, **encryption}]
    return part


def system_gib(request: NodegroupRequest) -> int:
    """GiB of /dev/xvda where it has to be said: at least the AMI's own where they are known.

    An image has 2 (twoliter, os-image-size-gib), with NVIDIA's driver more.
    """
    return max(_SYSTEM_GIB, request.image.root_gib or 0)


def names_its_volumes(spec: NodegroupSpec) -> bool:
    """Whether each volume is named, since eksctl's own second mapping would be refused by EC2."""
    return spec.volume_type in PROVISIONED_TYPES


def check_wished_volumes(request: NodegroupRequest) -> tuple[str, ...]:
    """Refuse volumes that eksctl or EC2 would; raises ConfigurationError, returns warnings."""
    spec = request.spec
    check_volumes(spec, request.region, _RULES)
    if spec.volume_type in PROVISIONED_TYPES and spec.volume_iops is None:
        what = called(spec.volume_type)
        return (f"eksctl gives {what} volume only {_LEAST_IOPS} IOPS, and gp3 has 3000: add --volume-iops",)
    return ()


def _encryption(spec: NodegroupSpec) -> Document:
    if not spec.volume_encrypted:
        return {}
    return {"volumeEncrypted": True, **({"volumeKmsKeyID": spec.volume_kms_key} if spec.volume_kms_key else {})}
