"""`brqos nodegroup`: the configuration of the nodes that use an AMI of ours, for whatever makes them."""

from pathlib import Path
from typing import Annotated

import typer

from brqos.cli import access_options as access
from brqos.cli import kubelet_options as kubelet
from brqos.cli import node_options as node
from brqos.cli.options import ConfigFile, DryRun, Factor, Json, Policy, Profile
from brqos.cli.session import running


def nodegroup(
    context: typer.Context,
    kind: node.Kind = None,
    cluster: node.Cluster = None,
    region: node.Region = None,
    name: node.Name = None,
    self_managed: node.SelfManaged = False,
    ami: node.Ami = None,
    arch: node.Arch = None,
    variant: node.Variant = None,
    build: node.Builds = None,
    record: node.Records = None,
    official: node.Official = False,
    factor: Factor = None,
    policy: Policy = None,
    instance_type: node.InstanceTypes = None,
    spot: node.Spot = None,
    on_demand_base: node.OnDemandBase = None,
    on_demand_percentage: node.OnDemandPercentage = None,
    min_size: node.MinSize = None,
    max_size: node.MaxSize = None,
    desired: node.Desired = None,
    max_unavailable: node.MaxUnavailable = None,
    volume_size: node.VolumeSize = None,
    volume_type: node.VolumeType = None,
    volume_iops: node.VolumeIops = None,
    volume_throughput: node.VolumeThroughput = None,
    volume_encrypted: node.VolumeEncrypted = None,
    volume_kms_key: node.VolumeKmsKey = None,
    tag: node.Tags = None,
    private_networking: access.PrivateNetworking = None,
    subnet: access.Subnets = None,
    security_group: access.SecurityGroups = None,
    zone: access.Zones = None,
    node_role: access.NodeRole = None,
    instance_profile: access.InstanceProfile = None,
    iam_policy: access.Policies = None,
    permissions_boundary: access.PermissionsBoundary = None,
    ssh_key: access.SshKey = None,
    ssh_security_group: access.SshSecurityGroups = None,
    admin_container: access.AdminContainer = None,
    control_container: access.ControlContainer = None,
    vpc: access.VpcId = None,
    vpc_security_group: access.VpcSecurityGroup = None,
    vpc_private_subnet: access.PrivateSubnets = None,
    vpc_public_subnet: access.PublicSubnets = None,
    api_server: access.ApiServer = None,
    cluster_certificate: access.Certificate = None,
    cluster_dns_ip: access.DnsIp = None,
    max_pods: kubelet.MaxPods = None,
    label: kubelet.Labels = None,
    taint: kubelet.Taints = None,
    kube_reserved: kubelet.KubeReserved = None,
    system_reserved: kubelet.SystemReserved = None,
    eviction_hard: kubelet.EvictionHard = None,
    setting: kubelet.Setting = None,
    ami_by: kubelet.AmiBy = None,
    ssm_parameter: kubelet.SsmParameter = None,
    limit: kubelet.Limits = None,
    expire_after: kubelet.ExpireAfter = None,
    consolidate_after: kubelet.ConsolidateAfter = None,
    subnet_tag: kubelet.SubnetTags = None,
    security_group_tag: kubelet.SecurityGroupTags = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="File to write; - or nothing prints it on standard output."
        ),
    ] = None,
    merge: Annotated[
        Path | None,
        typer.Option("--merge", metavar="FILE", help="Add the nodegroup to this ClusterConfig; all else in it stays."),
    ] = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Replace a file with other content, with --merge a nodegroup of that name."),
    ] = False,
    apply: Annotated[
        bool,
        typer.Option("--apply", help="Make the launch template, or a new version, in EC2 (--kind launch-template)."),
    ] = False,
    dry_run: DryRun = False,
    replace: Annotated[
        str | None,
        typer.Option("--replace", metavar="OLD", help="Print the steps from that nodegroup to this one, and do none."),
    ] = None,
    canary: Annotated[
        int | None,
        typer.Option("--canary", metavar="N", min=1, help="With --replace: a tainted group of N nodes first."),
    ] = None,
    profile: Profile = None,
    aws: Annotated[
        bool, typer.Option("--aws/--no-aws", help="Ask AWS about AMI, types and cluster, where there is a login.")
    ] = True,
    config: ConfigFile = None,
    json: Json = False,
) -> None:
    """Write the configuration of nodes that use an AMI made by brqos: for eksctl, Karpenter, EC2 or Terraform.

    The AMI is that of the latest build, or of --build or --record. Any other is
    given with --ami, --arch and --variant; no build and no AWS login is needed then.
    All wishes can also stand in brqos.toml, in its section nodegroup; a flag wins over it.

    What the kind, EKS or Bottlerocket would refuse is refused here, with the reason.
    """
    with running(json_output=json) as console:
        from brqos.cli.node_run import run

        run(console, context.params)
