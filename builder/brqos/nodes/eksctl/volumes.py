"""The two volumes of a Bottlerocket node in eksctl's words, each mapped once.

eksctl maps /dev/xvdb, the data volume, from the volume... fields. With encryption, and without a `volumeName`, it also
maps /dev/xvda, the system's, encrypted with the same key and *of the same type* (eksctl 0.231, v1alpha5/defaults.go:
setVolumeDefaults; cfn/builder/block_device_mapping.go). It does so too where the AMI itself is encrypted
(pkg/ami/api.go: Use). An io1 or io2 volume needs a number of IOPS, which that second mapping lacks: so these types get
a `volumeName`, which switches it off, and the system's volume an entry of its own.
"""

import re
from collections.abc import Mapping
from typing import Any

from brqos.config.nodegroup import NodegroupSpec
from brqos.errors import ConfigurationError
from brqos.nodes.request import NodegroupRequest

Document = dict[str, Any]

DEFAULT_SIZE = 80
"""GiB: eksctl's own (v1alpha5/types.go: DefaultNodeVolumeSize)."""
SYSTEM_SIZE = 10
"""GiB of /dev/xvda where it has to be said: an image has 2 (twoliter, os-image-size-gib), with NVIDIA's driver more."""
SYSTEM_TYPE = "gp3"

_DATA, _SYSTEM = "/dev/xvdb", "/dev/xvda"
_DEFAULT_TYPE = "gp3"
# eksctl 0.231, v1alpha5/validation.go: validateVolumeOpts. EC2 itself takes more of gp3.
_IOPS: Mapping[str, tuple[int, int]] = {"gp3": (3000, 16000), "io1": (100, 64000), "io2": (100, 256000)}
_MOST_THROUGHPUT = 1000
_CALLED = {"gp2": "a gp2", "gp3": "a gp3", "io1": "an io1", "io2": "an io2"}
# EC2 (Amazon EBS User Guide, volume types): IOPS per GiB, MiB/s per IOPS, and GiB.
_IOPS_PER_GIB = {"gp3": 500, "io1": 50, "io2": 1000}
_IOPS_PER_THROUGHPUT = 4
_MOST_GIB = {"gp2": 16384, "gp3": 65536, "io1": 16384, "io2": 65536}
_KEY_ARN = re.compile(r"arn:[a-z-]+:kms:(?P<region>[a-z0-9-]+):\d{12}:(?:key|alias)/.+", re.ASCII)


def volumes(request: NodegroupRequest) -> Document:
    """The volume... fields of a nodegroup; empty where nothing is asked for."""
    spec = request.spec
    if not _is_wished(spec):
        return {}
    # eksctl demands the size for most of the others; where it does not, the ratios below are of this size.
    part: Document = {"volumeSize": spec.volume_size or DEFAULT_SIZE}
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
        part["volumeName"] = _DATA
        if encryption:
            part["additionalVolumes"] = [
                {"volumeName": _SYSTEM, "volumeSize": SYSTEM_SIZE, "volumeType": SYSTEM_TYPE, **encryption}
            ]
    return part


def names_its_volumes(spec: NodegroupSpec) -> bool:
    """Whether each volume is named, since eksctl's own second mapping would be refused by EC2."""
    return spec.volume_type in {"io1", "io2"}


def check_volumes(request: NodegroupRequest) -> tuple[str, ...]:
    """Refuse volumes that eksctl or EC2 would; raises ConfigurationError, returns warnings."""
    spec = request.spec
    kind = spec.volume_type or _DEFAULT_TYPE
    size = spec.volume_size or DEFAULT_SIZE
    if size > _MOST_GIB[kind]:
        raise _too_much(f"{_CALLED[kind]} volume of {size} GiB", f"EC2 makes none larger than {_MOST_GIB[kind]} GiB.")
    _check_iops(kind, spec.volume_iops, size)
    _check_throughput(kind, spec.volume_throughput, spec.volume_iops or _IOPS["gp3"][0])
    _check_key(request)
    if kind in {"io1", "io2"} and spec.volume_iops is None:
        few = _IOPS[kind][0]
        return (f"eksctl gives {_CALLED[kind]} volume only {few} IOPS, and gp3 has 3000: add --volume-iops",)
    return ()


def _is_wished(spec: NodegroupSpec) -> bool:
    numbers = (spec.volume_size, spec.volume_type, spec.volume_iops, spec.volume_throughput)
    return spec.volume_encrypted or any(value is not None for value in numbers)


def _encryption(spec: NodegroupSpec) -> Document:
    if not spec.volume_encrypted:
        return {}
    return {"volumeEncrypted": True, **({"volumeKmsKeyID": spec.volume_kms_key} if spec.volume_kms_key else {})}


def _check_iops(kind: str, iops: int | None, size: int) -> None:
    if iops is None:
        return
    if kind not in _IOPS:
        raise ConfigurationError(
            f"{_CALLED[kind]} volume has no IOPS to choose",
            why="They follow from its size; eksctl rejects the file.",
            todo="Use --volume-type gp3, io1 or io2, or leave --volume-iops out.",
        )
    least, most = _IOPS[kind]
    if not least <= iops <= most:
        raise ConfigurationError(
            f"{_CALLED[kind]} volume cannot have {iops} IOPS",
            why=f"eksctl takes {least} to {most}.",
            todo="Change --volume-iops or --volume-type.",
        )
    if iops > _IOPS[kind][0] and iops > _IOPS_PER_GIB[kind] * size:
        raise _too_much(
            f"{_CALLED[kind]} volume of {size} GiB with {iops} IOPS",
            f"EC2 takes {_IOPS_PER_GIB[kind]} IOPS per GiB at most.",
        )


def _check_throughput(kind: str, throughput: int | None, iops: int) -> None:
    if throughput is None:
        return
    if kind != "gp3":
        raise ConfigurationError(
            f"{_CALLED[kind]} volume has no throughput to choose",
            why="Only gp3 has; eksctl rejects the file.",
            todo="Use --volume-type gp3, or leave --volume-throughput out.",
        )
    if throughput > _MOST_THROUGHPUT:
        raise _too_much(f"a throughput of {throughput} MiB/s", f"eksctl takes {_MOST_THROUGHPUT} at most.")
    if throughput * _IOPS_PER_THROUGHPUT > iops:
        raise ConfigurationError(
            f"a throughput of {throughput} MiB/s is too much for {iops} IOPS",
            why="EC2 takes a quarter of a MiB/s per IOPS at most.",
            todo=f"Give --volume-iops {throughput * _IOPS_PER_THROUGHPUT} or more.",
        )


def _check_key(request: NodegroupRequest) -> None:
    key = request.spec.volume_kms_key
    if key is None:
        return
    if not request.spec.volume_encrypted:
        raise ConfigurationError(
            "there is a KMS key for volumes that are not encrypted",
            why="eksctl rejects it.",
            todo="Add --volume-encrypted, or leave the key out.",
        )
    arn = _KEY_ARN.fullmatch(key)
    if arn is not None and arn["region"] != request.region:
        raise ConfigurationError(
            f"the KMS key is in {arn['region']}, and the nodegroup in {request.region}",
            why="EBS takes keys of its own region only.",
            todo="Give a key of that region.",
        )
    if arn is None and not re.fullmatch(r"(?:alias/)?[A-Za-z0-9/_-]+", key, re.ASCII):
        raise ConfigurationError(
            f"“{key}” does not name a KMS key",
            todo="Give the key's id or ARN, or an alias such as alias/nodes.",
        )


def _too_much(what: str, why: str) -> ConfigurationError:
    return ConfigurationError(f"{what} is too much", why=why, todo="Lower it, or use another --volume-type.")
