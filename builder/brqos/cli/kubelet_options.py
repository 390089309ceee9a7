"""Options about a node's kubelet and settings, and those that only Karpenter has."""

from typing import Annotated

import typer

_KUBELET = "Kubernetes and Bottlerocket"
_KARPENTER = "Karpenter"

Many = list[str] | None

MaxPods = Annotated[
    int | None,
    typer.Option(
        "--max-pods",
        metavar="N",
        rich_help_panel=_KUBELET,
        help="Most pods on a node; written where each kind wants it.",
    ),
]
Labels = Annotated[
    Many,
    typer.Option("--label", metavar="KEY=VALUE", rich_help_panel=_KUBELET, help="Label of the nodes; repeatable."),
]
Taints = Annotated[
    Many,
    typer.Option(
        "--taint", metavar="KEY=VALUE:EFFECT", rich_help_panel=_KUBELET, help="Taint of the nodes; repeatable."
    ),
]
KubeReserved = Annotated[
    Many,
    typer.Option(
        "--kube-reserved",
        metavar="KEY=AMOUNT",
        rich_help_panel=_KUBELET,
        help="Kept for the kubelet, for example memory=500Mi.",
    ),
]
SystemReserved = Annotated[
    Many,
    typer.Option(
        "--system-reserved",
        metavar="KEY=AMOUNT",
        rich_help_panel=_KUBELET,
        help="Kept for the system, for example memory=200Mi.",
    ),
]
EvictionHard = Annotated[
    Many,
    typer.Option(
        "--eviction-hard",
        metavar="SIGNAL=AMOUNT",
        rich_help_panel=_KUBELET,
        help="Eviction threshold, for example memory.available=200Mi.",
    ),
]
Setting = Annotated[
    Many,
    typer.Option(
        "--setting",
        metavar="KEY=VALUE",
        rich_help_panel=_KUBELET,
        help="Further Bottlerocket setting, for example kubernetes.cpu-manager-policy=static; repeatable.",
    ),
]
AmiBy = Annotated[
    str | None,
    typer.Option(
        "--ami-by",
        metavar="HOW",
        rich_help_panel=_KARPENTER,
        help="How the AMI is named: id (the default), tags (the newest wins) or ssm.",
    ),
]
SsmParameter = Annotated[
    str | None,
    typer.Option(
        "--ssm-parameter",
        metavar="NAME",
        rich_help_panel=_KARPENTER,
        help="The parameter that holds the AMI's id, for --ami-by ssm.",
    ),
]
Limits = Annotated[
    Many,
    typer.Option(
        "--limit", metavar="cpu|memory=AMOUNT", rich_help_panel=_KARPENTER, help="Most of it in the whole NodePool."
    ),
]
ExpireAfter = Annotated[
    str | None,
    typer.Option("--expire-after", metavar="TIME", rich_help_panel=_KARPENTER, help="Age at which a node is replaced."),
]
ConsolidateAfter = Annotated[
    str | None,
    typer.Option(
        "--consolidate-after",
        metavar="TIME",
        rich_help_panel=_KARPENTER,
        help="How long a node may be underutilized.",
    ),
]
SubnetTags = Annotated[
    Many,
    typer.Option(
        "--subnet-tag",
        metavar="KEY=VALUE",
        rich_help_panel=_KARPENTER,
        help="Tag of the subnets; karpenter.sh/discovery=<cluster> by default.",
    ),
]
SecurityGroupTags = Annotated[
    Many,
    typer.Option(
        "--security-group-tag",
        metavar="KEY=VALUE",
        rich_help_panel=_KARPENTER,
        help="Tag of the security groups; likewise.",
    ),
]
