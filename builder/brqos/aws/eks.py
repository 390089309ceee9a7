"""EKS: what a cluster is like, and which managed nodegroups it has. Nothing here changes one."""

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

    `version` is Kubernetes' (`1.29`), `certificate_authority` base64 of PEM. `security_group_ids` are those that were
    given beside the `cluster_security_group`, which EKS made.
    """

    name: str
    status: str
    version: str
    endpoint: str
    certificate_authority: str
    vpc_id: str
    subnet_ids: tuple[str, ...]
    cluster_security_group: str
    security_group_ids: tuple[str, ...]
    auto_mode: bool
    tags: Mapping[str, str]

    @property
    def created_by_eksctl(self) -> bool:
        """Whether it has the tag that eksctl puts on the clusters that it makes.

        eksctl itself goes by the CloudFormation stack, which may be gone while the tag is still there.
        """
        return _EKSCTL_TAG in self.tags


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

    def has_nodegroup(self, cluster: str, name: str) -> bool:
        """Whether the cluster has a managed nodegroup of that name; no cluster has none."""

        def ask() -> Mapping[str, Any]:
            with translated("DescribeNodegroup", self.region, self._profile):
                return self._client.describe_nodegroup(clusterName=cluster, nodegroupName=name)

        return _or_none(ask) is not None

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
    vpc = told.get("resourcesVpcConfig") or {}
    return DescribedCluster(
        name=told["name"],
        status=told.get("status", ""),
        version=told.get("version", ""),
        endpoint=told.get("endpoint") or "",
        certificate_authority=(told.get("certificateAuthority") or {}).get("data", ""),
        vpc_id=vpc.get("vpcId", ""),
        subnet_ids=tuple(vpc.get("subnetIds") or ()),
        cluster_security_group=vpc.get("clusterSecurityGroupId", ""),
        security_group_ids=tuple(vpc.get("securityGroupIds") or ()),
        auto_mode=(told.get("computeConfig") or {}).get("enabled", False),
        tags=dict(told.get("tags") or {}),
    )
