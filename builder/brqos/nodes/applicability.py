"""Which wishes go with which kind of nodes: what a kind cannot do is refused, never left out without a word."""

from dataclasses import dataclass

from brqos.config.nodegroup import NodegroupKind, NodegroupSpec
from brqos.errors import ConfigurationError

_EKSCTL_MANAGED = NodegroupKind.EKSCTL_MANAGED
_EKSCTL = NodegroupKind.EKSCTL
_KARPENTER = NodegroupKind.KARPENTER
_LAUNCH_TEMPLATE = NodegroupKind.LAUNCH_TEMPLATE
_TERRAFORM = NodegroupKind.TERRAFORM
_ALL_BUT_EKSCTL = (_KARPENTER, _LAUNCH_TEMPLATE, _TERRAFORM)


@dataclass(frozen=True, slots=True)
class _Impossible:
    """Fields of the spec that some kinds cannot have, and why."""

    fields: tuple[str, ...]
    kinds: tuple[NodegroupKind, ...]
    why: str


_IMPOSSIBLE = (
    _Impossible(
        ("on_demand_base", "on_demand_percentage"),
        (_EKSCTL_MANAGED, _LAUNCH_TEMPLATE, _TERRAFORM),
        "A managed nodegroup is all Spot or all On-Demand.",
    ),
    _Impossible(
        ("on_demand_base", "on_demand_percentage"),
        (_KARPENTER,),
        "A NodePool has no shares of Spot and On-Demand; two NodePools with weights have.",
    ),
    _Impossible(
        ("min_size", "max_size", "desired_capacity"),
        (_KARPENTER,),
        "Karpenter starts nodes as pods need them; its limits are cpu and memory ([nodegroup.karpenter.limits]).",
    ),
    _Impossible(
        ("max_unavailable",),
        (_EKSCTL,),
        "eksctl ignores it on self-managed nodegroups, whose Auto Scaling group EKS does not update.",
    ),
    _Impossible(
        ("max_unavailable",),
        (_KARPENTER,),
        "Karpenter has disruption budgets in the NodePool; a new AMI drifts the old nodes away.",
    ),
    _Impossible(
        ("private_networking",),
        _ALL_BUT_EKSCTL,
        "The subnets decide whether the nodes get public addresses.",
    ),
    _Impossible(("availability_zones",), (_LAUNCH_TEMPLATE, _TERRAFORM), "The subnets decide where the nodes are."),
    _Impossible(
        ("instance_profile",),
        (_EKSCTL_MANAGED, _LAUNCH_TEMPLATE, _TERRAFORM),
        "EKS makes a managed nodegroup's instance profile itself, of its role.",
    ),
    _Impossible(
        ("policies", "permissions_boundary"),
        (_KARPENTER, _LAUNCH_TEMPLATE),
        "It makes no role, it takes one that is there (--node-role).",
    ),
    _Impossible(
        ("ssh_key",),
        (_KARPENTER,),
        "An EC2NodeClass has no key pair; Session Manager reaches the control container without one.",
    ),
    _Impossible(
        ("ssh_security_groups",),
        _ALL_BUT_EKSCTL,
        "It makes no rules for SSH; put them into a security group of the nodes.",
    ),
    _Impossible(("vpc",), _ALL_BUT_EKSCTL, "Only eksctl's file describes the cluster's network."),
    _Impossible(
        ("endpoint",),
        (_EKSCTL_MANAGED, _EKSCTL, _KARPENTER, _TERRAFORM),
        "It finds the cluster's endpoint itself.",
    ),
    _Impossible(
        ("karpenter",),
        (_EKSCTL_MANAGED, _EKSCTL, _LAUNCH_TEMPLATE, _TERRAFORM),
        "Only Karpenter has it (--kind karpenter).",
    ),
)


def check_applicability(spec: NodegroupSpec) -> None:
    """Refuse the first wish that the spec's kind cannot fulfil; raises ConfigurationError."""
    kind = spec.effective_kind
    for row in _IMPOSSIBLE:
        asked = next((field for field in row.fields if _is_asked_for(spec, field)), None)
        if asked is not None and kind in row.kinds:
            key = type(spec).model_fields[asked].alias or asked
            raise ConfigurationError(
                f"{key} does not go with the kind {kind}",
                why=row.why,
                todo=f"Leave {key} out, or choose another kind: {', '.join(_possible(asked))}.",
            )


def _is_asked_for(spec: NodegroupSpec, field: str) -> bool:
    default = type(spec).model_fields[field].get_default(call_default_factory=True)
    return bool(getattr(spec, field) != default)


def _possible(field: str) -> list[NodegroupKind]:
    impossible = {kind for row in _IMPOSSIBLE if field in row.fields for kind in row.kinds}
    return [kind for kind in NodegroupKind if kind not in impossible]
