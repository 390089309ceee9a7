"""Options about an image and the nodes that use it, grouped in the help, for every command that writes for nodes."""

from typing import Annotated

import typer

_IMAGE = "The image"
_NODES = "The nodes"

Many = list[str] | None

Ami = Annotated[
    Many,
    typer.Option(
        "--ami",
        metavar="ID",
        rich_help_panel=_IMAGE,
        help="AMI to use, with --arch and --variant; else that of a build. Repeat it (and them) for several.",
    ),
]
Arch = Annotated[
    Many,
    typer.Option(
        "--arch",
        metavar="ARCH",
        rich_help_panel=_IMAGE,
        help="The AMI's architecture: x86_64 (amd64) or arm64 (aarch64). Once for all AMIs, or once for each.",
    ),
]
Variant = Annotated[
    Many,
    typer.Option(
        "--variant",
        metavar="NAME",
        rich_help_panel=_IMAGE,
        help="The AMI's Bottlerocket variant, for example aws-k8s-1.29. Once for all AMIs, or once for each.",
    ),
]
Official = Annotated[
    bool,
    typer.Option(
        "--official",
        rich_help_panel=_IMAGE,
        help="Use the official AMI, with --arch and --variant: from Kubernetes 1.37 on its own settings do the job.",
    ),
]
Builds = Annotated[
    Many,
    typer.Option(
        "--build", metavar="ID", rich_help_panel=_IMAGE, help="A build by its id; the latest by default. Repeatable."
    ),
]
Records = Annotated[
    Many,
    typer.Option(
        "--record",
        metavar="FILE",
        rich_help_panel=_IMAGE,
        help="A build record (build.json), also from another machine. Repeatable.",
    ),
]
Kind = Annotated[
    str | None,
    typer.Option(
        "--kind",
        metavar="KIND",
        help="eksctl-managed (the default), eksctl (self-managed), karpenter, launch-template or terraform.",
    ),
]
SelfManaged = Annotated[bool, typer.Option("--self-managed", help="Short for --kind eksctl.")]
Cluster = Annotated[str | None, typer.Option("--cluster", metavar="NAME", help="EKS cluster that the nodes join.")]
Region = Annotated[str | None, typer.Option("--region", metavar="REGION", help="Region of the AMI and the cluster.")]
Name = Annotated[
    str | None,
    typer.Option("--name", metavar="NAME", help="Name of the nodegroup; made from variant and AMI by default."),
]
InstanceTypes = Annotated[
    Many,
    typer.Option(
        "--instance-type",
        metavar="TYPE",
        rich_help_panel=_NODES,
        help="EC2 instance type; repeat it for several. Of several AMIs each takes those of its architecture.",
    ),
]
Spot = Annotated[
    bool | None, typer.Option("--spot/--on-demand", rich_help_panel=_NODES, help="Spot or On-Demand instances.")
]
OnDemandBase = Annotated[
    int | None,
    typer.Option(
        "--on-demand-base",
        metavar="N",
        rich_help_panel=_NODES,
        help="First N nodes On-Demand; self-managed nodegroups only.",
    ),
]
OnDemandPercentage = Annotated[
    int | None,
    typer.Option(
        "--on-demand-percentage",
        metavar="N",
        rich_help_panel=_NODES,
        help="Share of On-Demand nodes above that; self-managed nodegroups only.",
    ),
]
MinSize = Annotated[
    int | None, typer.Option("--min-size", metavar="N", rich_help_panel=_NODES, help="Least number of nodes.")
]
MaxSize = Annotated[
    int | None, typer.Option("--max-size", metavar="N", rich_help_panel=_NODES, help="Largest number of nodes.")
]
Desired = Annotated[
    int | None, typer.Option("--desired", metavar="N", rich_help_panel=_NODES, help="Number of nodes at first.")
]
MaxUnavailable = Annotated[
    str | None,
    typer.Option(
        "--max-unavailable",
        metavar="N|N%",
        rich_help_panel=_NODES,
        help="Nodes that an update may take away at once.",
    ),
]
VolumeSize = Annotated[
    int | None,
    typer.Option(
        "--volume-size",
        metavar="GIB",
        rich_help_panel=_NODES,
        help="Size of the data volume; at least 20, else 80.",
    ),
]
VolumeType = Annotated[
    str | None,
    typer.Option(
        "--volume-type", metavar="TYPE", rich_help_panel=_NODES, help="Its type: gp3 (the default), gp2, io1 or io2."
    ),
]
VolumeIops = Annotated[int | None, typer.Option("--volume-iops", metavar="N", rich_help_panel=_NODES, help="Its IOPS.")]
VolumeThroughput = Annotated[
    int | None,
    typer.Option("--volume-throughput", metavar="MIB", rich_help_panel=_NODES, help="Its MiB/s; gp3 only."),
]
VolumeEncrypted = Annotated[
    bool | None,
    typer.Option(
        "--volume-encrypted/--no-volume-encrypted", rich_help_panel=_NODES, help="Encrypt both volumes of a node."
    ),
]
VolumeKmsKey = Annotated[
    str | None,
    typer.Option(
        "--volume-kms-key",
        metavar="KEY",
        rich_help_panel=_NODES,
        help="KMS key for that (ARN or id); else the account's default key.",
    ),
]
Tags = Annotated[
    Many,
    typer.Option(
        "--tag", metavar="KEY=VALUE", rich_help_panel=_NODES, help="AWS tag of nodegroup and instances; repeatable."
    ),
]
