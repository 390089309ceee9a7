"""Where the nodes are: subnets, zones and security groups, and the `vpc` of a cluster that eksctl did not create."""

from collections.abc import Mapping, Sequence
from typing import Any

from brqos.config.nodegroup import VpcSpec
from brqos.errors import ConfigurationError
from brqos.nodes.request import NodegroupRequest
from brqos.nodes.rules import check_once
from brqos.nodes.zones import check_zones

Document = dict[str, Any]

# eksctl 0.231, v1alpha5/vpc.go: HasSufficientSubnets.
LEAST_SUBNETS = 2


def network(request: NodegroupRequest) -> Document:
    """The nodegroup's fields that say where its nodes are."""
    spec = request.spec
    part: Document = {}
    if spec.private_networking:
        part["privateNetworking"] = True
    if spec.subnets:
        part["subnets"] = list(spec.subnets)
    if spec.availability_zones:
        part["availabilityZones"] = list(spec.availability_zones)
    if spec.security_groups:
        part["securityGroups"] = {"attachIDs": list(spec.security_groups)}
    return part


def vpc(requests: Sequence[NodegroupRequest]) -> Document:
    """The file's section `vpc`; empty for a cluster of eksctl's.

    Raises ConfigurationError where the requests describe two networks: a cluster has one.
    """
    given = [request.spec.vpc for request in requests if request.spec.vpc != VpcSpec()]
    if not given:
        return {}
    if any(other != given[0] for other in given):
        raise ConfigurationError(
            "two networks are described for one cluster", todo="Give the same vpc for all nodegroups of the file."
        )
    subnets = {
        name: {zone: {"id": id_} for zone, id_ in zones.items()}
        for name, zones in (("private", given[0].private_subnets), ("public", given[0].public_subnets))
        if zones
    }
    return {"vpc": {"id": given[0].id, "securityGroup": given[0].security_group, "subnets": subnets}}


def check_network(request: NodegroupRequest) -> None:
    """Refuse places in which eksctl would find no subnet, or none that it takes; raises ConfigurationError."""
    spec = request.spec
    if spec.subnets and spec.availability_zones:
        raise ConfigurationError(
            "the nodegroup has subnets and availability zones",
            why="eksctl takes one of the two.",
            todo="Keep the subnets: each is in a zone.",
        )
    check_zones(request.region, spec.availability_zones, local=False)
    if spec.vpc != VpcSpec():
        _check_whole(spec.vpc)
        check_zones(request.region, (*spec.vpc.private_subnets, *spec.vpc.public_subnets), local=False)
        _check_subnets(request)


def _check_whole(vpc: VpcSpec) -> None:
    """eksctl 0.231, actions/nodegroup/create.go: loadVPCFromConfig."""
    missing = [
        name
        for name, value in (
            ("id", vpc.id),
            ("security-group", vpc.security_group),
            ("private-subnets or public-subnets", vpc.private_subnets or vpc.public_subnets),
        )
        if not value
    ]
    if missing:
        raise ConfigurationError(
            f"the cluster's vpc lacks {' and '.join(missing)}",
            why="For a cluster that it did not create, eksctl wants the VPC's id, the control plane's security group "
            "and the subnets.",
            todo="Complete [nodegroup.vpc], or leave it out for a cluster of eksctl's.",
        )


def _check_subnets(request: NodegroupRequest) -> None:
    spec = request.spec
    check_once("subnet", (*spec.vpc.private_subnets.values(), *spec.vpc.public_subnets.values()))
    both: Mapping[str, Mapping[str, str]] = {"private": spec.vpc.private_subnets, "public": spec.vpc.public_subnets}
    for name, subnets in both.items():
        if 0 < len(subnets) < LEAST_SUBNETS:
            raise ConfigurationError(
                f"the cluster's vpc has one {name} subnet only",
                why=f"eksctl wants {LEAST_SUBNETS} of a kind, or none.",
                todo="Add one in another zone.",
            )
    wanted = "private" if spec.private_networking else "public"
    # Self-managed nodegroups need them even beside subnets of their own (v1alpha5/vpc.go: CanUseForPrivateNodeGroups).
    if not both[wanted] and (not spec.subnets or (spec.private_networking and not request.managed)):
        raise ConfigurationError(
            f"the cluster's vpc has no {wanted} subnets for the nodes",
            why=f"eksctl puts nodes {'with' if spec.private_networking else 'without'} private networking into the "
            f"{wanted} ones.",
            todo="Add them."
            if spec.private_networking
            else "Add --private-networking, or the public subnets ([nodegroup.vpc]).",
        )
    for zone in spec.availability_zones:
        if zone not in both[wanted]:
            raise ConfigurationError(
                f"the cluster's vpc has no {wanted} subnet in {zone}",
                why="eksctl takes the nodegroup's zones from there.",
                todo="Add the subnet to [nodegroup.vpc], or leave the zone out.",
            )
    hidden = next((id_ for id_ in spec.subnets if id_ in spec.vpc.private_subnets.values()), None)
    if hidden is not None and not spec.private_networking:
        raise ConfigurationError(
            f"{hidden} is a private subnet of the cluster's, but the nodes have no private networking",
            why="eksctl rejects it (pkg/vpc/vpc.go: selectNodeGroupSubnetsFromIDs).",
            todo="Add --private-networking.",
        )
