"""The rules for a nodegroup that no schema knows: what eksctl, EKS or Bottlerocket would refuse, and mostly late.

Each rule is a function that raises ConfigurationError, or returns warnings. `check` runs them all. What eksctl's file
may not hold together is in eksctl/rules.py.
"""

import re
from collections.abc import Sequence

from brqos.ami.ids import check_ami_id
from brqos.architecture import Architecture
from brqos.config.base import REGION_PATTERN
from brqos.config.nodegroup import NodegroupKind, NodegroupSpec
from brqos.errors import ConfigurationError
from brqos.nodes.applicability import check_applicability
from brqos.nodes.instances import InstanceType, default_type
from brqos.nodes.labels import check_labels, check_taints
from brqos.nodes.quantities import check_eviction, check_reserved, missing_evictions
from brqos.nodes.request import NodegroupRequest
from brqos.variant import VariantName

SMALLEST_DATA_VOLUME = 20
"""GiB: the size of the data snapshot (twoliter's split layout), below which EC2 makes no volume of it."""

_STACK_NAME_LENGTH = 128
_LABEL_VALUE_LENGTH = 63
_MOST_INSTANCE_TYPES = 20
_STACK_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*", re.ASCII)


def check(request: NodegroupRequest) -> tuple[str, ...]:
    """Hold a request against all rules: raises ConfigurationError for the first that it breaks, returns warnings."""
    spec = request.spec
    check_applicability(spec)
    if request.ami is not None:
        check_ami_id(request.ami, rehearsal=request.rehearsal)
    check_region(request.region)
    if request.kind.by_eksctl:
        check_names(request.cluster, request.name)
    types = request.instance_types
    check_number_of_types(types, most=None if request.kind is NodegroupKind.KARPENTER else _MOST_INSTANCE_TYPES)
    warnings = [*check_architecture(request.architecture, types), *check_gpus(request.variant, types)]
    check_sizes(spec)
    check_volume(spec.volume_size)
    check_labels(spec.labels, managed=request.managed)
    check_taints(spec.taints, managed=request.managed, by_effect=request.kind is not NodegroupKind.EKSCTL)
    check_reserved("kube-reserved", spec.kube_reserved)
    check_reserved("system-reserved", spec.system_reserved)
    check_eviction(spec.eviction_hard)
    return (*warnings, *warn_of_lost_evictions(spec))


def check_region(region: str) -> None:
    """Refuse what is not of the form of a region's name; which regions there are changes too often for a list."""
    if re.fullmatch(REGION_PATTERN, region, re.ASCII) is None:
        raise ConfigurationError(
            f"“{region}” is not the name of an AWS region",
            why="Zones such as eu-central-1a are not regions either.",
            todo="Write it for example as eu-central-1.",
        )


def check_names(cluster: str, nodegroup: str) -> None:
    """Refuse names from which eksctl cannot make its stack and its labels.

    The stack is called eksctl-<cluster>-nodegroup-<name> (eksctl 0.231, pkg/cfn/manager/nodegroup.go); CloudFormation
    takes 128 letters, digits and hyphens. Both names become values of the labels alpha.eksctl.io/cluster-name and
    .../nodegroup-name (pkg/apis/eksctl.io/v1alpha5/defaults.go), which have at most 63 and end with a letter or digit.
    """
    for what, name in (("cluster", cluster), ("nodegroup", nodegroup)):
        if _STACK_PART.fullmatch(name) is None:
            why = f"It names a CloudFormation stack after the {what}: letters, digits and hyphens only."
        elif len(name) > _LABEL_VALUE_LENGTH or name.endswith("-"):
            why = (
                f"It labels each node with the {what}'s name, and the value of a label has at most "
                f"{_LABEL_VALUE_LENGTH} characters and ends with a letter or digit."
            )
        else:
            continue
        raise ConfigurationError(
            f"eksctl cannot work with a {what} called “{name}”",
            why=why,
            todo="Choose another name (--name)."
            if what == "nodegroup"
            else "Use the AMI through a launch template instead, which has no such limit.",
        )
    stack = f"eksctl-{cluster}-nodegroup-{nodegroup}"
    if len(stack) > _STACK_NAME_LENGTH:
        raise ConfigurationError(
            f"the names of cluster and nodegroup are too long together ({len(stack)} characters in “{stack}”)",
            why=f"eksctl gives the CloudFormation stack this name, and {_STACK_NAME_LENGTH} characters are the most.",
            todo=f"Shorten the nodegroup's name by {len(stack) - _STACK_NAME_LENGTH} characters or more (--name).",
        )


def check_number_of_types(types: Sequence[InstanceType], *, most: int | None = _MOST_INSTANCE_TYPES) -> None:
    """Refuse a type that stands twice, and more than `most` of them; None is no limit.

    20 is EKS's limit (CreateNodegroup, instanceTypes) and eksctl's for mixed self-managed ones (v1alpha5/validation.go:
    validateInstancesDistribution); Karpenter has none.
    """
    names = [type_.name for type_ in types]
    if repeated := next((name for name in names if names.count(name) > 1), None):
        raise ConfigurationError(f"the instance type {repeated} is given twice", todo="Keep it once.")
    if most is not None and len(names) > most:
        raise ConfigurationError(
            f"{len(names)} instance types are too many", why=f"A nodegroup has at most {most}.", todo="Leave some out."
        )


def check_architecture(architecture: Architecture, types: Sequence[InstanceType]) -> tuple[str, ...]:
    """Refuse instance types of the other architecture; warns of types whose name does not tell.

    Nobody compares them beforehand (eksctl 0.231: validateInstanceTypeSupport returns at once for a custom AMI; EKS and
    Terraform do not look either): EC2 refuses the launch, and the nodegroup waits for its nodes until it times out.
    """
    for type_ in types:
        if type_.architecture not in (None, architecture):
            other = type_.architecture
            raise ConfigurationError(
                f"the AMI is for {architecture.ec2}, but {type_.name} is {other.ec2}",
                why="An instance starts images of its own architecture only. Nobody else checks it beforehand: the "
                "nodegroup would wait for nodes that never come.",
                todo=f"Use an instance type such as {default_type(architecture, nvidia=False)}, or an AMI that was "
                f"built with --arch {other}.",
            )
    return tuple(
        f"brqos does not know the instance type {type_.name}: make sure that it is {architecture.ec2}, like the AMI"
        for type_ in types
        if type_.architecture is None
    )


def check_gpus(variant: VariantName, types: Sequence[InstanceType]) -> tuple[str, ...]:
    """Refuse an NVIDIA variant on types without NVIDIA GPUs (eksctl#7897); warns of GPUs that would lie idle.

    On such a node the units that load the driver fail, and the node does not become ready.
    """
    for type_ in types:
        if variant.is_nvidia and type_.nvidia is False:
            raise ConfigurationError(
                f"the AMI's variant {variant.memory_qos} needs NVIDIA GPUs, and {type_.name} has none",
                why="Without a GPU the NVIDIA driver does not load, and the node does not become ready.",
                todo="Use a type with NVIDIA GPUs such as g4dn.xlarge (x86_64) or g5g.xlarge (arm64), or an AMI of the "
                "variant without “nvidia”.",
            )
    return tuple(
        f"{type_.name} has NVIDIA GPUs, but the variant {variant.memory_qos} has no driver for them: they will lie idle"
        for type_ in types
        if type_.nvidia and not variant.is_nvidia
    )


def check_sizes(spec: NodegroupSpec) -> None:
    """Refuse sizes out of order; the largest is at least 1 (EKS: NodegroupScalingConfig)."""
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


def check_volume(size: int | None) -> None:
    """Refuse a data volume smaller than the snapshot that it is made from."""
    if size is not None and size < SMALLEST_DATA_VOLUME:
        raise ConfigurationError(
            f"a data volume of {size} GiB is too small",
            why=f"It is made from the AMI's data snapshot, which has {SMALLEST_DATA_VOLUME} GiB; EC2 makes no volume "
            "smaller than its snapshot.",
            todo=f"Give --volume-size {SMALLEST_DATA_VOLUME} or more, or leave it out.",
        )


def warn_of_lost_evictions(spec: NodegroupSpec) -> tuple[str, ...]:
    """Warn of eviction thresholds that go away since one is set: the kubelet does not merge them with its defaults."""
    lost = missing_evictions(spec.eviction_hard)
    if not lost:
        return ()
    defaults = " ".join(f"--eviction-hard {signal}={threshold}" for signal, threshold in lost.items())
    return (f"eviction-hard replaces all of the kubelet's defaults; to keep the others add {defaults}",)
