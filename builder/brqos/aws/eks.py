"""EKS: what a cluster and its managed nodegroups are like. Nothing here changes one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from brqos.aws.errors import AwsCallError, ErrorKind, translated

_T = TypeVar("_T")
# The most that ListNodegroups gives at once.
_PAGE = 100
_EKSCTL_TAG = "alpha.eksctl.io/cluster-name"


@dataclass(frozen=True, slots=True)
class DescribedCluster:
    """A cluster as DescribeCluster tells it; what it does not tell (yet: `status` CREATING) is empty.

    `version` is Kubernetes' (`1.29`), `certificate_authority` base64 of PEM. `service_cidr` is of `ip_family` (`ipv4`
    or `ipv6`): that of services, and so of the cluster's DNS. `security_group_ids` are those that were given beside
    the `cluster_security_group`, which EKS made.
    """

    name: str
    status: str
    version: str
    endpoint: str
    certificate_authority: str
    service_cidr: str
    ip_family: str
    vpc_id: str
    subnet_ids: tuple[str, ...]
    cluster_security_group: str
    security_group_ids: tuple[str, ...]
    auto_mode: bool
    private_access: bool
    public_access: bool
    tags: Mapping[str, str]

    @property
    def created_by_eksctl(self) -> bool:
        """Whether it has the tag that eksctl puts on the clusters that it makes.

        eksctl itself goes by the CloudFormation stack, which may be gone while the tag is still there.
        """
        return _EKSCTL_TAG in self.tags


@dataclass(frozen=True, slots=True)
class NodegroupScaling:
    """How many nodes a nodegroup may have, and shall have."""

    minimum: int
    maximum: int
    desired: int


@dataclass(frozen=True, slots=True)
class NodegroupTaint:
    """A taint; `effect` is spelt as EKS does: `NO_SCHEDULE`, `NO_EXECUTE` or `PREFER_NO_SCHEDULE`."""

    key: str
    value: str
    effect: str


@dataclass(frozen=True, slots=True)
class NodegroupTemplate:
    """The launch template that a nodegroup was given, with the number of the version that it uses."""

    id: str
    name: str
    version: str


@dataclass(frozen=True, slots=True)
class DescribedNodegroup:
    """A managed nodegroup as DescribeNodegroup tells it.

    `ami_type` is `CUSTOM` where the launch template names an image, `capacity_type` is `ON_DEMAND`, `SPOT` or
    `CAPACITY_BLOCK`. `instance_types` are empty where the template names one. `release_version` is that of AWS's image,
    of a custom one its id. `role` is an ARN.
    """

    name: str
    cluster: str
    status: str
    ami_type: str
    capacity_type: str
    scaling: NodegroupScaling
    instance_types: tuple[str, ...]
    labels: Mapping[str, str]
    taints: tuple[NodegroupTaint, ...]
    template: NodegroupTemplate | None
    role: str
    subnets: tuple[str, ...]
    version: str
    release_version: str
    tags: Mapping[str, str]


class EksClient(Protocol):
    """As much of boto3's client as is used here: its stubs are not among the test dependencies."""

    def describe_cluster(self, **asked: str) -> Mapping[str, Any]:
        """DescribeCluster."""

    def describe_nodegroup(self, **asked: str) -> Mapping[str, Any]:
        """DescribeNodegroup."""

    def get_paginator(self, operation_name: str) -> Any:  # noqa: ANN401 - boto3's, of which only paginate is used
        """Pages of an operation."""


class Eks:
    """EKS in one region; safe to use from any thread. All methods raise AwsCallError."""

    def __init__(self, client: EksClient, region: str, profile: str | None) -> None:
        self._client = client
        self._profile = profile
        self.region = region

    def cluster(self, name: str) -> DescribedCluster | None:
        """The cluster of that name; None if there is none."""

        def ask() -> DescribedCluster:
            with translated("DescribeCluster", self.region, self._profile):
                return _cluster(self._client.describe_cluster(name=name)["cluster"])

        return _or_none(ask)

    def nodegroup(self, cluster: str, name: str) -> DescribedNodegroup | None:
        """The managed nodegroup of that name; None if there is none, or no such cluster."""

        def ask() -> DescribedNodegroup:
            with translated("DescribeNodegroup", self.region, self._profile):
                return _nodegroup(self._client.describe_nodegroup(clusterName=cluster, nodegroupName=name)["nodegroup"])

        return _or_none(ask)

    def nodegroups(self, cluster: str) -> list[str]:
        """The names of a cluster's managed nodegroups; an error of kind NOT_FOUND if there is no such cluster."""
        with translated("ListNodegroups", self.region, self._profile):
            pages = self._client.get_paginator("list_nodegroups").paginate(
                clusterName=cluster, PaginationConfig={"PageSize": _PAGE}
            )
            return [str(name) for page in pages for name in page.get("nodegroups", [])]


def _or_none(ask: Callable[[], _T]) -> _T | None:
    try:
        return ask()
    except AwsCallError as error:
        # By the code, not by the kind: a wrong endpoint answers 404 as well.
        if error.kind is ErrorKind.NOT_FOUND and error.code == "ResourceNotFoundException":
            return None
        raise


def _cluster(told: Mapping[str, Any]) -> DescribedCluster:
    network = told.get("kubernetesNetworkConfig") or {}
    vpc = told.get("resourcesVpcConfig") or {}
    family = network.get("ipFamily") or "ipv4"
    return DescribedCluster(
        name=told["name"],
        status=told.get("status", ""),
        version=told.get("version", ""),
        endpoint=told.get("endpoint") or "",
        certificate_authority=(told.get("certificateAuthority") or {}).get("data", ""),
        service_cidr=network.get("serviceIpv6Cidr" if family == "ipv6" else "serviceIpv4Cidr") or "",
        ip_family=family,
        vpc_id=vpc.get("vpcId", ""),
        subnet_ids=tuple(vpc.get("subnetIds") or ()),
        cluster_security_group=vpc.get("clusterSecurityGroupId", ""),
        security_group_ids=tuple(vpc.get("securityGroupIds") or ()),
        auto_mode=(told.get("computeConfig") or {}).get("enabled", False),
        private_access=vpc.get("endpointPrivateAccess", False),
        public_access=vpc.get("endpointPublicAccess", False),
        tags=dict(told.get("tags") or {}),
    )


def _nodegroup(told: Mapping[str, Any]) -> DescribedNodegroup:
    scaling = told.get("scalingConfig") or {}
    template = told.get("launchTemplate")
    return DescribedNodegroup(
        name=told["nodegroupName"],
        cluster=told.get("clusterName", ""),
        status=told.get("status", ""),
        ami_type=told.get("amiType", ""),
        capacity_type=told.get("capacityType", ""),
        scaling=NodegroupScaling(scaling.get("minSize", 0), scaling.get("maxSize", 0), scaling.get("desiredSize", 0)),
        instance_types=tuple(told.get("instanceTypes") or ()),
        labels=dict(told.get("labels") or {}),
        taints=tuple(
            NodegroupTaint(taint.get("key", ""), taint.get("value", ""), taint.get("effect", ""))
            for taint in told.get("taints") or ()
        ),
        template=NodegroupTemplate(template.get("id", ""), template.get("name", ""), template.get("version", ""))
        if template
        else None,
        role=told.get("nodeRole", ""),
        subnets=tuple(told.get("subnets") or ()),
        version=told.get("version", ""),
        release_version=told.get("releaseVersion", ""),
        tags=dict(told.get("tags") or {}),
    )
