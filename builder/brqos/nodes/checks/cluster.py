"""A cluster as EKS describes it, held against the nodes that shall join it, and what the file takes from it."""

from collections.abc import Iterable, Mapping

from brqos.aws.eks import DescribedCluster
from brqos.aws.subnets import DescribedSubnet
from brqos.config.nodegroup import NodegroupKind, NodegroupSpec, VpcSpec
from brqos.errors import ConfigurationError
from brqos.nodes.eksctl.network import LEAST_SUBNETS
from brqos.nodes.request import NodegroupRequest
from brqos.nodes.skew import MOST_MINORS_BEHIND, goes_with
from brqos.variant import KubernetesVersion

# Self-managed nodegroups and NodePools are none that EKS knows.
_IF_TAKEN = {
    NodegroupKind.EKSCTL_MANAGED: "eksctl would pass over it",
    NodegroupKind.LAUNCH_TEMPLATE: "a new one cannot have its name, but it can be given the new launch template",
    NodegroupKind.TERRAFORM: "Terraform changes it if it made it, and fails otherwise",
}


def check_cluster(request: NodegroupRequest, cluster: DescribedCluster | None) -> tuple[str, ...]:
    """Refuse a cluster that the nodes could not join; returns warnings. None is a cluster that is not there."""
    if cluster is None:
        raise ConfigurationError(
            f"there is no EKS cluster {request.cluster} in {request.region}",
            why="EKS says so (DescribeCluster), for the account of this login.",
            todo=f"`aws eks list-clusters --region {request.region}` shows those that are there.",
        )
    if cluster.version:
        control_plane = KubernetesVersion.parse(cluster.version)
        check_skew(request.variant.kubernetes, control_plane, cluster.name)
        _check_official_version(request, control_plane)
    warnings = []
    if cluster.status != "ACTIVE":
        warnings.append(f"the cluster {cluster.name} is {cluster.status}: nodes can join when it is ACTIVE")
    if cluster.auto_mode:
        warnings.append(
            f"the cluster {cluster.name} has EKS Auto Mode on, whose own nodes take no custom AMI: only the nodes made "
            "of this file have MemoryQoS; a node selector or a taint keeps pods there"
        )
    return tuple(warnings)


def check_skew(kubelet: KubernetesVersion, control_plane: KubernetesVersion, cluster: str) -> None:
    """Refuse a kubelet newer than the control plane, or more than three minors older.

    kubernetes.io, Version Skew Policy; EKS refuses such managed nodegroups, and others never become ready.
    """
    if goes_with(kubelet, control_plane):
        return
    if control_plane < kubelet:
        why = f"A kubelet may not be newer than the control plane of its cluster; {cluster} has {control_plane}."
        todo = f"Upgrade the cluster first, or use an AMI for {control_plane}."
    else:
        why = f"A kubelet may be {MOST_MINORS_BEHIND} minor versions older than the control plane; {cluster} has "
        why += f"{control_plane}."
        todo = f"Use an AMI for {KubernetesVersion(1, control_plane.minor - MOST_MINORS_BEHIND)} or newer."
    raise ConfigurationError(f"the AMI's Kubernetes {kubelet} does not go with the cluster", why=why, todo=todo)


def _check_official_version(request: NodegroupRequest, control_plane: KubernetesVersion) -> None:
    """The version of an official AMI stands in these files; EKS takes the cluster's only (CreateNodegroup, version)."""
    asked = request.variant.kubernetes
    names_it = request.kind in {NodegroupKind.LAUNCH_TEMPLATE, NodegroupKind.TERRAFORM}
    if request.ami is None and names_it and asked != control_plane:
        raise ConfigurationError(
            f"the official AMI is asked for Kubernetes {asked}, and the cluster has {control_plane}",
            why="EKS makes nodegroups of its own AMIs with the cluster's version only.",
            todo=f"Give --variant aws-k8s-{control_plane}, with the flavor that you want.",
        )


def warn_of_names(requests: Iterable[NodegroupRequest], nodegroups: Iterable[str]) -> tuple[str, ...]:
    """Warn of names that the cluster has already."""
    there = set(nodegroups)
    return tuple(
        f"the cluster has a nodegroup called {request.name} already: {_IF_TAKEN[request.kind]}"
        for request in requests
        if request.kind in _IF_TAKEN and request.name in there
    )


def warn_of_network(before: NodegroupSpec, after: NodegroupSpec, cluster: DescribedCluster) -> tuple[str, ...]:
    """Warn of what eksctl's file lacks of a foreign cluster's network, after `completed` made `after` of `before`."""
    if not after.effective_kind.by_eksctl or cluster.created_by_eksctl or before.vpc != VpcSpec():
        return ()
    if after.vpc == VpcSpec():
        warning = (
            f"eksctl did not make the cluster {cluster.name}, and adds nodes to such a one only if the file has its "
            "vpc: give it with --vpc, --vpc-security-group and --vpc-private-subnet"
        )
        return (warning,)
    taken = {*after.vpc.private_subnets.values(), *after.vpc.public_subnets.values()}
    if not (left := [subnet for subnet in cluster.subnet_ids if subnet not in taken]):
        return ()
    warning = (
        f"of the cluster's subnets the section vpc leaves out {', '.join(left)}: it has one for each zone, and eksctl "
        "wants two of a kind or none; [nodegroup.vpc] can name others"
    )
    return (warning,)


def completed(
    spec: NodegroupSpec, cluster: DescribedCluster, subnets: Mapping[str, DescribedSubnet] | None
) -> NodegroupSpec:
    """The spec with what its kind needs of the cluster, and nobody gave: the endpoint, or the VPC of a foreign one."""
    if spec.effective_kind is NodegroupKind.LAUNCH_TEMPLATE:
        return with_endpoint(spec, cluster)
    foreign = spec.effective_kind.by_eksctl and not cluster.created_by_eksctl
    if foreign and spec.vpc == VpcSpec() and subnets:
        return spec.model_copy(update={"vpc": _vpc(cluster, subnets)})
    return spec


def with_endpoint(spec: NodegroupSpec, cluster: DescribedCluster) -> NodegroupSpec:
    """The spec with the cluster's endpoint, where it has none."""
    given = spec.endpoint
    endpoint = given.model_copy(
        update={
            "api_server": given.api_server or cluster.endpoint or None,
            "certificate": given.certificate or cluster.certificate_authority or None,
        }
    )
    return spec.model_copy(update={"endpoint": endpoint})


def _vpc(cluster: DescribedCluster, subnets: Mapping[str, DescribedSubnet]) -> VpcSpec:
    # What makes a subnet public is its route table; that it hands out public addresses is the next best sign.
    public = _by_zone(subnet for subnet in subnets.values() if subnet.maps_public_ip)
    private = _by_zone(subnet for subnet in subnets.values() if not subnet.maps_public_ip)
    # eksctl 0.231, v1alpha5/vpc.go: HasSufficientSubnets.
    if len(public) < LEAST_SUBNETS <= len(private):
        public = {}
    elif len(private) < LEAST_SUBNETS <= len(public):
        private = {}
    return VpcSpec(
        id=cluster.vpc_id or None,
        security_group=next(iter(cluster.security_group_ids), None) or cluster.cluster_security_group or None,
        private_subnets=private,
        public_subnets=public,
    )


def _by_zone(subnets: Iterable[DescribedSubnet]) -> dict[str, str]:
    """The first subnet of each zone: a second one beside it eksctl takes for a contradiction.

    eksctl 0.231, v1alpha5/vpc.go: validateLocalConfigAgainstRemote.
    """
    named: dict[str, str] = {}
    for subnet in subnets:
        named.setdefault(subnet.zone, subnet.id)
    return named
