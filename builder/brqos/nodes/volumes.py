"""The two volumes of a Bottlerocket node, the system's and the data volume: what EC2 makes, whoever asks it to.

The limits are those of the Amazon EBS User Guide (“Amazon EBS volume types”) and the EC2 API Reference
(EbsBlockDevice). A tool may take less, or do something by itself: its VolumeRules, which are in its own room, tell it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from brqos.ami.layout import DEVICES
from brqos.config.nodegroup import NodegroupSpec
from brqos.errors import ConfigurationError
from brqos.image.model import ImageRole

ROOT_DEVICE, DATA_DEVICE = DEVICES[ImageRole.OS], DEVICES[ImageRole.DATA]

DATA_VOLUME_GIB = 80
"""What a data volume has if nobody says otherwise: eksctl's number. The AMI's own 20 GiB soon fill with images."""
SMALLEST_DATA_VOLUME = 20
"""GiB: the size of the data snapshot (twoliter's split layout), below which EC2 makes no volume of it."""
DEFAULT_TYPE = "gp3"
PROVISIONED_TYPES = ("io1", "io2")
"""The types that have no IOPS but those that are asked for."""

KEY_POLICY = (
    "The policy of the KMS key has to let the role AWSServiceRoleForAutoScaling use it and create grants; else EC2 "
    "ends each instance as soon as it starts."
)
"""EC2 Auto Scaling User Guide, “Required AWS KMS key policy for use with encrypted volumes”."""

_A = {"gp2": "a gp2", "gp3": "a gp3", "io1": "an io1", "io2": "an io2"}
_GP3_IOPS = 3000
_IOPS_PER_GIB = {"gp3": 500, "io1": 50, "io2": 1000}
_IOPS_PER_THROUGHPUT = 4
_KEY_ARN = re.compile(r"arn:[a-z-]+:kms:(?P<region>[a-z0-9-]+):\d{12}:(?:key|alias)/.+", re.ASCII)
_KEY_NAME = re.compile(r"(?:alias/)?[A-Za-z0-9/_-]+", re.ASCII)
_AWS_OWN_KEY = "alias/aws/ebs"


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeRules:
    """What a tool makes of a wish for a data volume: EC2's own limits, where it has none.

    `who` is the tool; sizes are GiB and `throughput` MiB/s; `iops` are the least and the most by type, and a type that
    is not in it has none to choose. `fills_in_iops` is whether it adds the IOPS that a type needs, and `encrypts`
    whether it encrypts volumes in any case.
    """

    who: str = "EC2"
    default_gib: int = DATA_VOLUME_GIB
    most_gib: Mapping[str, int] = field(
        default_factory=lambda: {"gp2": 16384, "gp3": 65536, "io1": 16384, "io2": 65536}
    )
    iops: Mapping[str, tuple[int, int]] = field(
        default_factory=lambda: {"gp3": (_GP3_IOPS, 80_000), "io1": (100, 64_000), "io2": (100, 256_000)}
    )
    throughput: int = 2000
    fills_in_iops: bool = False
    encrypts: bool = False


EC2 = VolumeRules()


def is_wished(spec: NodegroupSpec) -> bool:
    """Whether anything is asked for of the volumes."""
    wishes = (spec.volume_size, spec.volume_type, spec.volume_iops, spec.volume_throughput, spec.volume_kms_key)
    return spec.volume_encrypted or any(wish is not None for wish in wishes)


def check_volumes(spec: NodegroupSpec, region: str, rules: VolumeRules = EC2) -> None:
    """Refuse volumes that EC2 would not make, or the tool not ask for; raises ConfigurationError."""
    type_ = spec.volume_type or DEFAULT_TYPE
    size = spec.volume_size or rules.default_gib
    _check_size(type_, size, rules)
    _check_iops(type_, spec.volume_iops, size, rules)
    _check_throughput(type_, spec.volume_throughput, spec.volume_iops or _GP3_IOPS, rules)
    _check_key(spec, region, rules)


def called(type_: str) -> str:
    """`a gp3` or `an io1`."""
    return _A[type_]


def warn_of_key(spec: NodegroupSpec) -> tuple[str, ...]:
    """Warn of the policy that a key of one's own has to have where an Auto Scaling group starts the instances."""
    return (KEY_POLICY,) if needs_key_policy(spec) else ()


def needs_key_policy(spec: NodegroupSpec) -> bool:
    """Whether the volumes' key is one whose policy is somebody's own affair."""
    return spec.volume_kms_key is not None and not spec.volume_kms_key.endswith(_AWS_OWN_KEY)


def _check_size(type_: str, size: int, rules: VolumeRules) -> None:
    if size < SMALLEST_DATA_VOLUME:
        raise ConfigurationError(
            f"a data volume of {size} GiB is too small",
            why=f"It is made from the AMI's data snapshot, which has {SMALLEST_DATA_VOLUME} GiB; EC2 makes no volume "
            "smaller than its snapshot.",
            todo=f"Give --volume-size {SMALLEST_DATA_VOLUME} or more, or leave it out.",
        )
    if size > rules.most_gib[type_]:
        raise _too_much(
            f"{called(type_)} volume of {size} GiB", f"{rules.who} takes {rules.most_gib[type_]} GiB at most."
        )


def _check_iops(type_: str, iops: int | None, size: int, rules: VolumeRules) -> None:
    if iops is None:
        if type_ in PROVISIONED_TYPES and not rules.fills_in_iops:
            raise ConfigurationError(
                f"{called(type_)} volume needs a number of IOPS",
                why="EC2 refuses it without one, when the first instance is started.",
                todo="Give --volume-iops, for example 3000.",
            )
        return
    if type_ not in rules.iops:
        raise ConfigurationError(
            f"{called(type_)} volume has no IOPS to choose",
            why="They follow from its size.",
            todo="Use --volume-type gp3, io1 or io2, or leave --volume-iops out.",
        )
    least, most = rules.iops[type_]
    if not least <= iops <= most:
        raise ConfigurationError(
            f"{called(type_)} volume cannot have {iops} IOPS",
            why=f"{rules.who} takes {least} to {most}.",
            todo="Change --volume-iops or --volume-type.",
        )
    # The least number is there whatever the size.
    if iops > least and iops > _IOPS_PER_GIB[type_] * size:
        raise _too_much(
            f"{called(type_)} volume of {size} GiB with {iops} IOPS",
            f"EC2 takes {_IOPS_PER_GIB[type_]} IOPS per GiB at most.",
        )


def _check_throughput(type_: str, throughput: int | None, iops: int, rules: VolumeRules) -> None:
    if throughput is None:
        return
    if type_ != "gp3":
        raise ConfigurationError(
            f"{called(type_)} volume has no throughput to choose",
            why="Only gp3 has.",
            todo="Use --volume-type gp3, or leave --volume-throughput out.",
        )
    if throughput > rules.throughput:
        raise _too_much(f"a throughput of {throughput} MiB/s", f"{rules.who} takes {rules.throughput} at most.")
    if throughput * _IOPS_PER_THROUGHPUT > iops:
        raise ConfigurationError(
            f"a throughput of {throughput} MiB/s is too much for {iops} IOPS",
            why="EC2 takes a quarter of a MiB/s per IOPS at most.",
            todo=f"Give --volume-iops {throughput * _IOPS_PER_THROUGHPUT} or more.",
        )


def _check_key(spec: NodegroupSpec, region: str, rules: VolumeRules) -> None:
    key = spec.volume_kms_key
    if key is None:
        return
    if not spec.volume_encrypted and not rules.encrypts:
        raise ConfigurationError(
            "there is a KMS key for volumes that are not encrypted",
            why=f"{rules.who} refuses a key without encryption.",
            todo="Add --volume-encrypted, or leave the key out.",
        )
    arn = _KEY_ARN.fullmatch(key)
    if arn is not None and arn["region"] != region:
        raise ConfigurationError(
            f"the KMS key is in {arn['region']}, and the nodes in {region}",
            why="A volume is encrypted with a key of its own region; EC2 finds out when the first instance is started.",
            todo="Give a key of that region.",
        )
    if arn is None and _KEY_NAME.fullmatch(key) is None:
        raise ConfigurationError(
            f"“{key}” does not name a KMS key",
            todo="Give the key's id or ARN, or an alias such as alias/nodes.",
        )


def _too_much(what: str, why: str) -> ConfigurationError:
    return ConfigurationError(f"{what} is too much", why=why, todo="Lower it, or use another --volume-type.")
