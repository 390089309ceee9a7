"""Options about nodes, grouped in the help, for every command that emits something for them."""

from typing import Annotated

import typer

_IMAGE = "The image"
_NODES = "The nodes"
_ACCESS = "Network, rights and access"
_KUBELET = "Kubernetes and Bottlerocket"
_KARPENTER = "Karpenter"

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
