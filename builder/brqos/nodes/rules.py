"""The rules for a nodegroup that no schema knows: what EKS, EC2 or Bottlerocket would refuse, and mostly late.

Each rule is a function that raises ConfigurationError, or returns warnings. `check` runs those that hold for nodes of
any kind; what only one kind has to keep is in its own room.
"""

import re
from collections.abc import Mapping, Sequence

from brqos.ami.ids import check_ami_id
from brqos.config.base import REGION_PATTERN
from brqos.config.nodegroup import NodegroupKind, NodegroupSpec
from brqos.errors import ConfigurationError
from brqos.nodes.applicability import check_applicability
from brqos.nodes.iam import check_iam
from brqos.nodes.instances import InstanceType, default_type
from brqos.nodes.labels import check_labels, check_taints
from brqos.nodes.quantities import FIRST_MERGING_RELEASE, check_eviction, check_reserved, lost_evictions
from brqos.nodes.request import NodegroupRequest
from brqos.nodes.tags import check_tags
from brqos.nodes.volumes import warn_of_key

_MOST_INSTANCE_TYPES = 20
_MOST_NODES = 100_000
_NODEGROUP_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}", re.ASCII)


def check(request: NodegroupRequest) -> tuple[str, ...]:
    """Hold a request against all rules: raises ConfigurationError for the first that it breaks, returns warnings."""
    spec = request.spec
    check_applicability(spec)
    if request.ami is not None:
        check_ami_id(request.ami, rehearsal=request.rehearsal)
    check_region(request.region)
    if request.managed:
        check_managed_name(request.name)
    types = request.instance_types
    check_number_of_types(types, most=None if request.kind is NodegroupKind.KARPENTER else _MOST_INSTANCE_TYPES)
    warnings = [*check_architecture(request), *check_gpus(request)]
    check_sizes(spec)
    check_places(spec)
    check_iam(spec, request.region)
    check_tags(spec.tags, managed=request.managed)
    check_labels(spec.labels, managed=request.managed)
    check_taints(spec.taints, managed=request.managed, by_effect=request.kind is not NodegroupKind.EKSCTL)
    check_reserved("kube-reserved", spec.kube_reserved)
    check_reserved("system-reserved", spec.system_reserved)
    check_eviction(spec.eviction_hard)
    if request.kind is not NodegroupKind.KARPENTER:
        # Karpenter starts instances itself, all others have an Auto Scaling group for it.
        warnings += warn_of_key(spec)
    return (*warnings, *warn_of_lost_evictions(spec.eviction_hard, request.image.release))


def check_region(region: str) -> None:
    """Refuse what is not of the form of a region's name; which regions there are changes too often for a list."""
    if re.fullmatch(REGION_PATTERN, region, re.ASCII) is None:
        raise ConfigurationError(
            f"“{region}” is not the name of an AWS region",
            why="Zones such as eu-central-1a are not regions either.",
            todo="Write it for example as eu-central-1.",
        )


def check_managed_name(name: str) -> None:
    """EKS's rule: up to 63, a letter or digit first, then hyphens and underscores too (EKS User Guide)."""
    if _NODEGROUP_NAME.fullmatch(name) is None:
        raise ConfigurationError(
            f"“{name}” cannot be the name of a managed nodegroup",
            why="EKS takes up to 63 letters, digits, hyphens and underscores, with a letter or digit first.",
            todo="Choose another name (--name).",
        )


def check_number_of_types(types: Sequence[InstanceType], *, most: int | None = _MOST_INSTANCE_TYPES) -> None:
    """Refuse a type that stands twice, and more than `most` of them; None is no limit.

    20 is EKS's limit (CreateNodegroup, instanceTypes) and eksctl's for mixed self-managed ones (v1alpha5/validation.go:
    validateInstancesDistribution); Karpenter has none.
    """
    names = [type_.name for type_ in types]
    check_once("instance type", names)
    if most is not None and len(names) > most:
        raise ConfigurationError(
            f"{len(names)} instance types are too many", why=f"A nodegroup has at most {most}.", todo="Leave some out."
        )


def check_architecture(request: NodegroupRequest) -> tuple[str, ...]:
    """Refuse instance types of the other architecture; warns of types whose name does not tell.

    Nobody compares them beforehand (eksctl 0.231: validateInstanceTypeSupport returns at once for a custom AMI; EKS and
    Terraform do not look either): EC2 refuses the launch, and the nodegroup waits for its nodes until it times out.
    """
    wanted = request.architecture
    other_image = "an AMI that was built with --arch" if request.ami is not None else "--arch"
    for type_ in request.instance_types:
        if type_.architecture not in (None, wanted):
            other = type_.architecture
            raise ConfigurationError(
                f"{_the_ami(request)} is for {wanted.ec2}, but {type_.name} is {other.ec2}",
                why="An instance starts images of its own architecture only. Nobody else checks it beforehand: the "
                "nodegroup would wait for nodes that never come.",
                todo=f"Use an instance type such as {default_type(wanted, nvidia=request.variant.is_nvidia)}, or "
                f"{other_image} {other}.",
            )
    return tuple(
        f"brqos does not know the instance type {type_.name}: make sure that it is {wanted.ec2}, like the AMI"
        for type_ in request.instance_types
        if type_.architecture is None
    )


def check_gpus(request: NodegroupRequest) -> tuple[str, ...]:
    """Refuse an NVIDIA variant on types without NVIDIA GPUs (eksctl#7897); warns of GPUs that would lie idle.

    On such a node the units that load the driver fail, and the node does not become ready.
    """
    variant = request.image.called
    for type_ in request.instance_types:
        if request.variant.is_nvidia and type_.nvidia is False:
            raise ConfigurationError(
                f"{_the_ami(request)} of the variant {variant} needs NVIDIA GPUs, and {type_.name} has none",
                why="Without a GPU the NVIDIA driver does not load, and the node does not become ready.",
                todo="Use a type with NVIDIA GPUs such as g4dn.xlarge (x86_64) or g5g.xlarge (arm64), or the variant "
                "without “nvidia”.",
            )
    if request.ami is None and request.kind.by_eksctl:
        # eksctl takes the official image with the driver by itself.
        return ()
    return tuple(
        f"{type_.name} has NVIDIA GPUs, but the variant {variant} has no driver for them: they will lie idle"
        for type_ in request.instance_types
        if type_.nvidia and not request.variant.is_nvidia
    )


def check_sizes(spec: NodegroupSpec) -> None:
    """Refuse sizes out of order; the largest is at least 1 (EKS: NodegroupScalingConfig)."""
    if spec.max_size > _MOST_NODES:
        raise ConfigurationError(
            f"the nodegroup's largest size is {spec.max_size}",
            why=f"An EKS cluster has {_MOST_NODES:,} nodes at most.",
            todo="Lower --max-size.",
        )
    if spec.max_size < 1:
        raise ConfigurationError(
            "the nodegroup's largest size is 0",
            why="EKS takes 1 or more there; only the least and the desired size may be 0.",
            todo="Give --max-size 1 or more.",
        )
    if spec.min_size > spec.max_size:
        raise ConfigurationError(
            f"the nodegroup's least size is {spec.min_size}, but its largest is {spec.max_size}",
            todo="Lower --min-size or raise --max-size.",
        )
    desired = spec.desired_capacity
    if desired is not None and not spec.min_size <= desired <= spec.max_size:
        raise ConfigurationError(
            f"the nodegroup shall begin with {desired} nodes, which is not between {spec.min_size} and {spec.max_size}",
            todo="Change --desired, or the limits --min-size and --max-size.",
        )


def check_places(spec: NodegroupSpec) -> None:
    """Refuse a subnet, a zone or a security group that stands twice."""
    for what, names in (
        ("subnet", spec.subnets),
        ("availability zone", spec.availability_zones),
        ("security group", spec.security_groups),
        ("security group for SSH", spec.ssh_security_groups),
    ):
        check_once(what, names)


def check_once(what: str, names: Sequence[str]) -> None:
    """Refuse a name that stands twice."""
    if repeated := next((name for name in names if names.count(name) > 1), None):
        raise ConfigurationError(f"the {what} {repeated} is given twice", todo="Keep it once.")


def warn_of_lost_evictions(thresholds: Mapping[str, str], release: str | None) -> tuple[str, ...]:
    """Warn of eviction thresholds that go away since one is set, where the image does not keep the kubelet's own."""
    lost = lost_evictions(thresholds, release)
    if not lost:
        return ()
    defaults = " ".join(f"--eviction-hard {signal}={threshold}" for signal, threshold in lost.items())
    where = "" if release is not None else f"before Bottlerocket {FIRST_MERGING_RELEASE} "
    return (f"{where}eviction-hard replaces all of the kubelet's defaults; to keep the others add {defaults}",)


def _the_ami(request: NodegroupRequest) -> str:
    return "the AMI" if request.ami is not None else "the official AMI"
