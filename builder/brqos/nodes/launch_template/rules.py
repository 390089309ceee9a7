"""What EC2 and EKS refuse of a launch template and its nodegroup: mostly late, when the first instance is started.

Each rule is a function that raises ConfigurationError, or returns warnings. The general rules (rules.py of
brqos.nodes) come before these.
"""

import re
from collections.abc import Mapping, Sequence

from brqos.ami.tags import check_tags
from brqos.config.nodegroup import NodegroupSpec
from brqos.errors import ConfigurationError
from brqos.nodes.launch_template.data import DATA_VOLUME_GIB, own_tags
from brqos.nodes.launch_template.names import template_name
from brqos.nodes.launch_template.nodegroup import ami_type
from brqos.nodes.launch_template.user_data import user_data
from brqos.nodes.request import NodegroupRequest
from brqos.nodes.user_data.joining import check_endpoint

MOST_TEMPLATE_BYTES = 51_200
"""What CloudFormation takes of a template that does not lie in S3 (CloudFormation quotas, "Template body size")."""

_TEMPLATE_NAME = re.compile(r"[a-zA-Z0-9().\-/_]{3,128}", re.ASCII)
_NODEGROUP_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}", re.ASCII)
_TAG = re.compile(r"[\w\s+\-=._:/@]*")
_MOST_TAGS = 50
# eks:cluster-name, eks:nodegroup-name, kubernetes.io/cluster/..., two of the cluster autoscaler's, and some to spare.
_TAGS_OF_EKS = 8
_MOST_SECURITY_GROUPS = 16
_CLUSTER_SECURITY_GROUP = (
    "With own security groups EKS leaves the cluster security group away: it has to be among them, or their rules have "
    "to let nodes and control plane reach each other; else no node joins."
)
_AWS_OWN_KEYS = ("alias/aws/ebs",)
_KEY_POLICY = (
    "The policy of the KMS key has to let the role AWSServiceRoleForAutoScaling use it and create grants; else EC2 "
    "ends each instance as soon as it starts."
)
_KEY_ARN = re.compile(r"arn:(?P<partition>[a-z-]+):kms:(?P<region>[a-z0-9-]+):\d{12}:(key|alias)/.+", re.ASCII)


def check(request: NodegroupRequest) -> tuple[str, ...]:
    """Hold a request against all rules of this file: raises for the first that it breaks, returns warnings."""
    spec = request.spec
    check_nodegroup_name(request.name)
    check_template_name(template_name(request))
    check_endpoint(spec.endpoint)
    if request.ami is None:
        ami_type(request)
    # Its size, its settings given twice, and what EKS cannot merge.
    user_data(request)
    check_performance(spec)
    check_tags_of(spec.tags, own_tags(request))
    check_role(spec.node_role, request.region)
    check_no_repetition("subnet", spec.subnets)
    return (*check_encryption(spec, request.region), *check_security_groups(spec.security_groups))


def check_template_name(name: str) -> None:
    """3 to 128 of these characters (EC2 API Reference, CreateLaunchTemplate, LaunchTemplateName)."""
    if _TEMPLATE_NAME.fullmatch(name) is None:
        raise ConfigurationError(
            f"“{name}” cannot be the name of a launch template",
            why=f"It has {len(name)} characters; EC2 takes 3 to 128 letters, digits and ( ) . - / _ there. brqos names "
            "it after cluster and nodegroup.",
            todo="Give another name of the nodegroup (--name).",
        )


def check_nodegroup_name(name: str) -> None:
    """EKS's rule: up to 63, a letter or digit first, then hyphens and underscores too (EKS User Guide)."""
    if _NODEGROUP_NAME.fullmatch(name) is None:
        raise ConfigurationError(
            f"“{name}” cannot be the name of a managed nodegroup",
            why="EKS takes up to 63 letters, digits, hyphens and underscores, with a letter or digit first.",
            todo="Choose another name (--name).",
        )


def check_encryption(spec: NodegroupSpec, region: str) -> tuple[str, ...]:
    """A key without encryption is refused by EC2, and a key of another region never found.

    Warns of the key's policy, which has to have the service-linked role of the Auto Scaling group in it (EC2 Auto
    Scaling User Guide, "Required AWS KMS key policy for use with encrypted volumes").
    """
    if spec.volume_kms_key is None:
        return ()
    if not spec.volume_encrypted:
        raise ConfigurationError(
            "volume-kms-key is given without volume-encrypted",
            why="EC2 refuses a key for a volume that is not encrypted.",
            todo="Add volume-encrypted = true, or leave the key out.",
        )
    key = _KEY_ARN.fullmatch(spec.volume_kms_key)
    if key is not None and key["region"] != region:
        raise ConfigurationError(
            f"the KMS key is in {key['region']}, the nodes are in {region}",
            why="A volume is encrypted with a key of its own region; EC2 finds out when the first instance is started.",
            todo=f"Give the ARN of a key in {region}.",
        )
    if spec.volume_kms_key in _AWS_OWN_KEYS:
        return ()
    return (_KEY_POLICY,)


def check_performance(spec: NodegroupSpec) -> None:
    """IOPS and throughput that the volume's type can have (EC2 API Reference, EbsBlockDevice; EBS volume types)."""
    type_, iops, throughput = spec.volume_type or "gp3", spec.volume_iops, spec.volume_throughput
    size = spec.volume_size or DATA_VOLUME_GIB
    if throughput is not None and type_ != "gp3":
        raise _impossible_volume(f"a volume of type {type_} has no volume-throughput", "Only gp3 has.")
    if iops is not None and type_ == "gp2":
        raise _impossible_volume("a volume of type gp2 has no volume-iops", "Its size decides about them.")
    if iops is None and type_ in {"io1", "io2"}:
        raise _impossible_volume(f"a volume of type {type_} needs volume-iops", "EC2 refuses it without.")
    least, most, per_gib = {"gp3": (3000, 80_000, 500), "io1": (100, 64_000, 50)}.get(type_, (100, 256_000, 1000))
    # gp3 has 3000 whatever its size.
    if iops is not None and not least <= iops <= min(most, max(per_gib * size, least)):
        raise _impossible_volume(
            f"a volume of type {type_} and {size} GiB cannot have {iops} IOPS",
            f"It has {least} to {most}, and at most {per_gib} per GiB.",
        )
    if throughput is not None and throughput > (iops or 3000) / 4:
        raise _impossible_volume(
            f"a volume with {iops or 3000} IOPS cannot have {throughput} MiB/s",
            "A gp3 volume has at most 0.25 MiB/s per provisioned IOPS.",
        )


def check_tags_of(tags: Mapping[str, str], own: Mapping[str, str]) -> None:
    """The users' tags, as EC2 and EKS take them both, with room for those that they add."""
    check_tags(tags, "[nodegroup.tags]")
    for key, value in tags.items():
        if _TAG.fullmatch(key) is None or _TAG.fullmatch(value) is None:
            raise ConfigurationError(
                f"the tag “{key}” has a character that EKS does not take",
                why="EKS takes letters, digits, spaces and + - = . _ : / @ in the tags of a nodegroup.",
                todo="Change it.",
            )
        if key.lower().startswith("eks:"):
            raise ConfigurationError(
                f"the tag “{key}” is EKS's own",
                why="EKS tags the nodes with eks:cluster-name and eks:nodegroup-name itself.",
                todo="Give it another key.",
            )
    if len(own) > (most := _MOST_TAGS - _TAGS_OF_EKS):
        raise ConfigurationError(
            f"there are {len(own)} tags, with brqos's own",
            why=f"AWS allows {_MOST_TAGS} on each resource, and EKS adds its own to the nodes.",
            todo=f"Leave out {len(own) - most} or more.",
        )


def check_role(role: str | None, region: str) -> None:
    """A role that instances can have: none of a service's own, and in the region's partition."""
    if role is None:
        return
    if ":role/aws-service-role/" in role:
        raise ConfigurationError(
            "the nodes' role is one of a service's own (aws-service-role)",
            why="Instances cannot have it; EKS's role for nodegroups is another thing than the role of the nodes.",
            todo="Give the role with the policy AmazonEKSWorkerNodePolicy.",
        )
    partition = role.split(":")[1]
    if partition != (wanted := _partition(region)):
        raise ConfigurationError(
            f"the nodes' role is of the partition {partition}, and {region} of {wanted}",
            why="Accounts of different partitions know nothing of each other.",
            todo="Give a role of the account that the cluster is in.",
        )


def check_security_groups(groups: Sequence[str]) -> tuple[str, ...]:
    """A network interface has at most 16 (5 by default); with own ones EKS does not add the cluster's."""
    check_no_repetition("security group", groups)
    if len(groups) > _MOST_SECURITY_GROUPS:
        raise ConfigurationError(
            f"{len(groups)} security groups are too many",
            why=f"A network interface has 5, or up to {_MOST_SECURITY_GROUPS} where the account's quota was raised.",
            todo="Leave some out.",
        )
    if not groups:
        return ()
    return (_CLUSTER_SECURITY_GROUP,)


def check_no_repetition(what: str, values: Sequence[str]) -> None:
    """Refuse a value that stands twice."""
    if repeated := next((value for value in values if values.count(value) > 1), None):
        raise ConfigurationError(f"the {what} {repeated} is given twice", todo="Keep it once.")


def warn_of_size(text: str) -> tuple[str, ...]:
    """Warn of a template that has to go through S3."""
    size = len(text.encode())
    if size <= MOST_TEMPLATE_BYTES:
        return ()
    warning = (
        f"The template has {size} bytes, more than CloudFormation takes directly ({MOST_TEMPLATE_BYTES}): give "
        "`aws cloudformation deploy` a bucket with --s3-bucket, or write a file for each nodegroup."
    )
    return (warning,)


def _partition(region: str) -> str:
    for start, partition in (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"), ("eusc-", "aws-eusc")):
        if region.startswith(start):
            return partition
    if match := re.match(r"us-iso([a-z]?)-|eu-iso(e)-", region):
        return f"aws-iso{'-' + letter if (letter := match[1] or match[2]) else ''}"
    return "aws"


def _impossible_volume(what: str, why: str) -> ConfigurationError:
    return ConfigurationError(what, why=why, todo="Change volume-type, volume-iops, volume-throughput or volume-size.")
