"""Options about where nodes are, what they may do, and who may get into them."""

from typing import Annotated

import typer

_ACCESS = "Network, rights and access"

Many = list[str] | None

PrivateNetworking = Annotated[
    bool | None,
    typer.Option(
        "--private-networking/--no-private-networking",
        rich_help_panel=_ACCESS,
        help="Give the nodes no public addresses (eksctl).",
    ),
]
Subnets = Annotated[
    Many,
    typer.Option(
        "--subnet", metavar="ID", rich_help_panel=_ACCESS, help="Subnet of the nodes; the cluster's by default."
    ),
]
SecurityGroups = Annotated[
    Many,
    typer.Option("--security-group", metavar="ID", rich_help_panel=_ACCESS, help="Security group of the nodes."),
]
Zones = Annotated[
    Many, typer.Option("--zone", metavar="ZONE", rich_help_panel=_ACCESS, help="Availability zone of the nodes.")
]
NodeRole = Annotated[
    str | None,
    typer.Option(
        "--node-role",
        metavar="ARN",
        rich_help_panel=_ACCESS,
        help="IAM role of the nodes; one is made by default where the tool makes one.",
    ),
]
InstanceProfile = Annotated[
    str | None,
    typer.Option("--instance-profile", metavar="ARN", rich_help_panel=_ACCESS, help="Instance profile of the nodes."),
]
Policies = Annotated[
    Many,
    typer.Option(
        "--iam-policy",
        metavar="ARN",
        rich_help_panel=_ACCESS,
        help="Further IAM policy for a role that is made; what every node needs is added.",
    ),
]
PermissionsBoundary = Annotated[
    str | None,
    typer.Option(
        "--permissions-boundary", metavar="ARN", rich_help_panel=_ACCESS, help="Boundary of a role that is made."
    ),
]
SshKey = Annotated[
    str | None,
    typer.Option(
        "--ssh-key",
        metavar="NAME",
        rich_help_panel=_ACCESS,
        help="EC2 key pair for SSH to the admin container, which is switched on for it.",
    ),
]
SshSecurityGroups = Annotated[
    Many,
    typer.Option(
        "--ssh-security-group", metavar="ID", rich_help_panel=_ACCESS, help="Security group from which SSH is let in."
    ),
]
AdminContainer = Annotated[
    bool | None,
    typer.Option(
        "--admin-container/--no-admin-container",
        rich_help_panel=_ACCESS,
        help="Start the admin container, a root shell; off by default.",
    ),
]
ControlContainer = Annotated[
    bool | None,
    typer.Option(
        "--control-container/--no-control-container",
        rich_help_panel=_ACCESS,
        help="Start the control container, which Session Manager reaches; on by default.",
    ),
]
VpcId = Annotated[
    str | None,
    typer.Option(
        "--vpc",
        metavar="ID",
        rich_help_panel=_ACCESS,
        help="The VPC, for a cluster that eksctl did not create; with the next two.",
    ),
]
VpcSecurityGroup = Annotated[
    str | None,
    typer.Option(
        "--vpc-security-group", metavar="ID", rich_help_panel=_ACCESS, help="The control plane's security group there."
    ),
]
PrivateSubnets = Annotated[
    Many,
    typer.Option(
        "--vpc-private-subnet", metavar="ZONE=ID", rich_help_panel=_ACCESS, help="Private subnet of a zone there."
    ),
]
PublicSubnets = Annotated[
    Many,
    typer.Option(
        "--vpc-public-subnet", metavar="ZONE=ID", rich_help_panel=_ACCESS, help="Public subnet of a zone there."
    ),
]
ApiServer = Annotated[
    str | None,
    typer.Option(
        "--api-server",
        metavar="URL",
        rich_help_panel=_ACCESS,
        help="The cluster's API server, where EKS cannot be asked.",
    ),
]
Certificate = Annotated[
    str | None,
    typer.Option(
        "--cluster-certificate",
        metavar="BASE64",
        rich_help_panel=_ACCESS,
        help="The cluster's certificate authority, where EKS cannot be asked.",
    ),
]
DnsIp = Annotated[
    str | None,
    typer.Option(
        "--cluster-dns-ip", metavar="ADDRESS", rich_help_panel=_ACCESS, help="Address of the cluster's DNS service."
    ),
]
