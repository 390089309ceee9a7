"""Whether a team's ClusterConfig and nodegroups of ours are of one cluster."""

from collections.abc import Iterator, Mapping
from typing import Any

from brqos.errors import ConfigurationError
from brqos.nodes.made import NodeFile
from brqos.nodes.skew import goes_with
from brqos.variant import KubernetesVersion

Document = Mapping[str, Any]


def check_agreement(theirs: Document, made: NodeFile) -> None:
    """Refuse nodegroups of another cluster, or that cannot be in this one; raises ConfigurationError."""
    metadata = _mapping(theirs, "metadata")
    for field, what in (("name", "cluster"), ("region", "region")):
        there, ours = metadata.get(field), made.document["metadata"][field]
        if str(there) != ours:
            raise ConfigurationError(
                f"the existing file is of the {what} {there}, and the nodegroup of {ours}"
                if there is not None
                else f"the existing file does not say its {what} (metadata.{field})",
                why="A file describes one cluster, in one region.",
                todo="Give the file of that cluster, or correct --cluster and --region.",
            )
    _check_version(metadata.get("version"), made)
    _check_private(theirs, made)
    _check_ipv6(theirs, made)
    if _mapping(theirs, "vpc") and "vpc" in made.document:
        _check_vpc(_mapping(theirs, "vpc"), made.document["vpc"])


def _check_version(text: object, made: NodeFile) -> None:
    if isinstance(text, int | float):
        # "json: cannot unmarshal number into Go struct field ClusterMeta.metadata.version of type string"
        raise ConfigurationError(
            f"the existing file's metadata.version is a number, {text}",
            why="eksctl takes text only, and reads nothing of such a file; without quotes 1.30 would be 1.3 too.",
            todo='Write it in quotes, for example version: "1.30".',
        )
    try:
        cluster = KubernetesVersion.parse(str(text))
    except ConfigurationError:
        return
    for request in made.requests:
        nodes = request.variant.kubernetes
        if request.ami is None and cluster < nodes:
            raise ConfigurationError(
                f"the existing file's cluster has Kubernetes {cluster}, and MemoryQoS needs {nodes} with official AMIs",
                why="The official AMI is the one for the cluster's version, and below it ignores the settings.",
                todo="Upgrade the cluster, or use an AMI that brqos built.",
            )
        if request.ami is not None and not goes_with(nodes, cluster):
            raise ConfigurationError(
                f"the existing file's cluster has Kubernetes {cluster}, and the AMI is for {nodes}",
                why="A kubelet may be up to three minor versions older than the control plane, and never newer.",
                todo=f"Build an AMI of the variant for Kubernetes {cluster}.",
            )


def _check_private(theirs: Document, made: NodeFile) -> None:
    """validation.go: ValidateClusterConfig."""
    if _mapping(theirs, "privateCluster").get("enabled") is True:
        for request in made.requests:
            if not request.spec.private_networking:
                raise ConfigurationError(
                    f"the cluster is fully private, and the nodegroup {request.name} has no private networking",
                    why="eksctl rejects it.",
                    todo="Add --private-networking.",
                )


def _check_ipv6(theirs: Document, made: NodeFile) -> None:
    """cfn/builder/nodegroup.go: AddAllResources."""
    family = str(_mapping(theirs, "kubernetesNetworkConfig").get("ipFamily", ""))
    if family.lower() == "ipv6" and any(not request.managed for request in made.requests):
        raise ConfigurationError(
            "the cluster has IPv6, and self-managed nodegroups cannot be in it",
            why="eksctl does not support them there.",
            todo="Use --kind eksctl-managed.",
        )


def _check_vpc(theirs: Document, ours: Document) -> None:
    for name, there, wanted in _differences(theirs, ours):
        raise ConfigurationError(
            f"the existing file has another network: vpc.{name} is {there or 'not there'}, and not {wanted}",
            why="What a file says about its cluster's network is not changed.",
            todo="Correct [nodegroup.vpc] or the file; without [nodegroup.vpc] the file's own counts.",
        )


def _differences(theirs: Document, ours: Document) -> Iterator[tuple[str, object, str]]:
    """What ours has and theirs lacks or has otherwise; theirs may have more."""
    for field in ("id", "securityGroup"):
        if theirs.get(field) != ours[field]:
            yield field, theirs.get(field), ours[field]
    for kind, subnets in ours["subnets"].items():
        there = _mapping(_mapping(theirs, "subnets"), kind)
        # A subnet's key is its zone, or a name with the zone in `az` (v1alpha5/vpc.go: AZSubnetMapping).
        specs = {key: _mapping(there, key) for key in there}
        by_zone = {spec.get("az", key): spec.get("id") for key, spec in specs.items()}
        for zone, subnet in subnets.items():
            if by_zone.get(zone) != subnet["id"]:
                yield f"subnets.{kind}.{zone}", by_zone.get(zone), subnet["id"]


def _mapping(data: Document, key: str) -> Document:
    value = data.get(key) or {}
    if not isinstance(value, Mapping):
        raise ConfigurationError(
            f"“{key}” in the existing file is no mapping", why="eksctl cannot read it.", todo="Correct it first."
        )
    return value
