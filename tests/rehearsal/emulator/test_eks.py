"""EKS and the subnets of its clusters: what it tells, by whom it may be asked, and in which words it refuses."""

from typing import Any

import boto3
import moto
import pytest

from brqos.rehearsal.emulator import ACCOUNT, Emulator, Fault, seeds
from brqos.rehearsal.emulator.wire import ServiceError

from .conftest import REGION, Aws, RawClient, refused

pytestmark = pytest.mark.loopback

ROLE = f"arn:aws:iam::{ACCOUNT}:role/nodes"
TEMPLATE = {"id": "lt-0123456789abcdef0", "name": "nodes", "version": "3"}


@pytest.fixture(autouse=True)
def cluster(emulator: Emulator) -> None:
    emulator.add_cluster(REGION, "main", {"version": "1.29", "tags": {"team": "a"}})


def test_a_cluster(aws: Aws) -> None:
    told = aws.eks.describe_cluster(name="main")["cluster"]
    assert (told["name"], told["status"], told["version"], told["tags"]) == ("main", "ACTIVE", "1.29", {"team": "a"})
    assert told["arn"] == f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/main"
    assert told["endpoint"].endswith(f".gr7.{REGION}.eks.amazonaws.com")
    assert len(told["resourcesVpcConfig"]["subnetIds"]) == 3
    assert told["kubernetesNetworkConfig"]["ipFamily"] == "ipv4"


def test_a_cluster_is_changed(aws: Aws, emulator: Emulator) -> None:
    before = aws.eks.describe_cluster(name="main")["cluster"]
    network = {"ipFamily": "ipv6", "serviceIpv6Cidr": "fd00::/108", "serviceIpv4Cidr": None}
    emulator.add_cluster(REGION, "main", {"kubernetesNetworkConfig": network, "endpoint": None})
    after = aws.eks.describe_cluster(name="main")["cluster"]
    assert after["kubernetesNetworkConfig"] == {
        "ipFamily": "ipv6",
        "serviceIpv6Cidr": "fd00::/108",
        "elasticLoadBalancing": {"enabled": False},
    }
    assert {name for name in before if before[name] != after.get(name)} == {"kubernetesNetworkConfig", "endpoint"}


def test_its_subnets(aws: Aws, emulator: Emulator) -> None:
    vpc = aws.eks.describe_cluster(name="main")["cluster"]["resourcesVpcConfig"]
    found = aws.ec2.describe_subnets(SubnetIds=vpc["subnetIds"])["Subnets"]
    assert [subnet["AvailabilityZone"] for subnet in found] == [f"{REGION}{zone}" for zone in "abc"]
    assert {(subnet["VpcId"], subnet["MapPublicIpOnLaunch"]) for subnet in found} == {(vpc["vpcId"], False)}
    seeds.add_subnet(emulator.store, REGION, "subnet-0123456789abcdef0", {"maps_public_ip": True, "tags": {"a": "b"}})

    def ids(name: str, *values: str) -> list[str]:
        pages = aws.ec2.get_paginator("describe_subnets").paginate(Filters=[{"Name": name, "Values": list(values)}])
        return [str(subnet["SubnetId"]) for page in pages for subnet in page["Subnets"]]

    assert ids("subnet-id", vpc["subnetIds"][0], "subnet-none") == vpc["subnetIds"][:1]
    assert ids("map-public-ip-on-launch", "true") == ids("tag:a", "b") == ["subnet-0123456789abcdef0"]
    emulator.store.largest_page = 1
    assert sorted(ids("vpc-id", vpc["vpcId"])) == sorted(vpc["subnetIds"])
    with refused("InvalidSubnetID.NotFound", match="The subnet ID 'subnet-none' does not exist"):
        aws.ec2.describe_subnets(SubnetIds=["subnet-none", "subnet-0123456789abcdef0"])
    with refused("InvalidSubnetID.NotFound", match="The subnet IDs 'subnet-a, subnet-b' do not exist"):
        aws.ec2.describe_subnets(SubnetIds=["subnet-b", "subnet-a"])
    assert aws.client("ec2", "us-east-1").describe_subnets()["Subnets"] == []


def test_a_cluster_with_subnets_of_its_own(aws: Aws, emulator: Emulator) -> None:
    vpc = {"vpcId": "vpc-1", "subnetIds": ["subnet-1", "subnet-2"], "endpointPrivateAccess": True}
    emulator.add_cluster("eu-north-1", "other", {"resourcesVpcConfig": vpc})
    told = aws.client("eks", "eu-north-1").describe_cluster(name="other")["cluster"]["resourcesVpcConfig"]
    assert {name: told[name] for name in vpc} == vpc
    assert aws.client("ec2", "eu-north-1").describe_subnets()["Subnets"] == []


def test_nodegroups(aws: Aws, emulator: Emulator) -> None:
    assert aws.eks.list_nodegroups(clusterName="main")["nodegroups"] == []
    taint = {"key": "dedicated", "value": "x", "effect": "NO_SCHEDULE"}
    given = {
        "amiType": "CUSTOM",
        "launchTemplate": TEMPLATE,
        "taints": [taint],
        "diskSize": None,
        "instanceTypes": None,
    }
    emulator.add_nodegroup(REGION, "main", "b", given)
    for name in "ac":
        emulator.add_nodegroup(REGION, "main", name)
    told = aws.eks.describe_nodegroup(clusterName="main", nodegroupName="b")["nodegroup"]
    assert (told["amiType"], told["launchTemplate"], told["taints"]) == ("CUSTOM", TEMPLATE, [taint])
    assert (told["clusterName"], told["version"], told["status"]) == ("main", "1.29", "ACTIVE")
    assert not {"diskSize", "instanceTypes"} & set(told)
    pages = list(
        aws.eks.get_paginator("list_nodegroups").paginate(clusterName="main", PaginationConfig={"PageSize": 2})
    )
    assert [page["nodegroups"] for page in pages] == [["a", "b"], ["c"]]
    emulator.add_nodegroup(REGION, "main", "b", {"status": "DEGRADED"})
    told = aws.eks.describe_nodegroup(clusterName="main", nodegroupName="b")["nodegroup"]
    assert (told["amiType"], told["status"]) == ("CUSTOM", "DEGRADED")
    with pytest.raises(ServiceError, match="no cluster other"):
        emulator.add_nodegroup(REGION, "other", "a")


def test_answers_as_moto_has_them(aws: Aws, emulator: Emulator) -> None:
    emulator.add_nodegroup(REGION, "main", "a")
    with moto.mock_aws():
        eks = boto3.client("eks", region_name=REGION, aws_access_key_id="x", aws_secret_access_key="y")
        eks.create_cluster(name="main", roleArn=ROLE, resourcesVpcConfig={"subnetIds": ["subnet-1", "subnet-2"]})
        eks.create_nodegroup(clusterName="main", nodegroupName="a", subnets=["subnet-1"], nodeRole=ROLE)
        theirs = (
            eks.describe_cluster(name="main")["cluster"],
            eks.describe_nodegroup(clusterName="main", nodegroupName="a")["nodegroup"],
        )
        theirs_refused = refusals(eks)
    ours = (
        aws.eks.describe_cluster(name="main")["cluster"],
        aws.eks.describe_nodegroup(clusterName="main", nodegroupName="a")["nodegroup"],
    )
    # moto echoes the token of CreateCluster, and has logging and encryption, which nobody here looks at.
    assert set(theirs[0]) - set(ours[0]) == {"logging", "clientRequestToken", "encryptionConfig"}
    # Taints are told where there are any, and remote access where it was asked for.
    assert set(theirs[1]) - set(ours[1]) == {"taints", "remoteAccess"}
    for mine, other in zip(ours, theirs, strict=True):
        shared = set(mine) & set(other)
        assert {name: type(mine[name]) for name in shared} == {name: type(other[name]) for name in shared}
    assert refusals(aws.eks) == theirs_refused


def refusals(eks: Any) -> list[tuple[str, str, int]]:
    told = []
    for call, asked in (
        ("describe_cluster", {"name": "none"}),
        ("describe_nodegroup", {"clusterName": "main", "nodegroupName": "none"}),
    ):
        with pytest.raises(eks.exceptions.ResourceNotFoundException) as caught:
            getattr(eks, call)(**asked)
        response = caught.value.response
        status = response["ResponseMetadata"]["HTTPStatusCode"]
        told.append((response["Error"]["Code"], response["Error"]["Message"], status))
    return told


def test_what_is_not_there(aws: Aws, emulator: Emulator) -> None:
    for call, asked in (
        ("list_nodegroups", {"clusterName": "none"}),
        ("describe_nodegroup", {"clusterName": "none", "nodegroupName": "a"}),
    ):
        with refused("ResourceNotFoundException", status=404, match="No cluster found for name: none."):
            getattr(aws.eks, call)(**asked)
    with refused("ResourceNotFoundException"):
        aws.client("eks", "us-east-1").describe_cluster(name="main")
    with refused("ResourceNotFoundException"):
        aws.client("eks", REGION, aws.account("1" * 12)).describe_cluster(name="main")
    seeds.add_cluster(emulator.store, REGION, "theirs", account="1" * 12)
    aws.client("eks", REGION, aws.account("1" * 12)).describe_cluster(name="theirs")


@pytest.mark.parametrize("name", ["a b", "-a", "ä", "a.b", "a:b", "x" * 101])
def test_names_that_are_none(aws: Aws, name: str) -> None:
    with refused("InvalidParameterException", status=400, match="The parameter name contains invalid characters"):
        aws.eks.describe_cluster(name=name)
    with refused("InvalidParameterException", match="The parameter clusterName contains"):
        aws.eks.list_nodegroups(clusterName=name)
    with refused("InvalidParameterException", match="The parameter nodegroupName contains"):
        aws.eks.describe_nodegroup(clusterName="main", nodegroupName=name)


def test_other_refusals(aws: Aws, raw: RawClient) -> None:
    for size in (0, 101):
        answer = raw.send("GET", f"/clusters/main/node-groups?maxResults={size}", service="eks")
        assert (answer.status, answer.error) == (400, "InvalidParameterException")
    with refused("InvalidParameterException"):
        aws.eks.list_nodegroups(clusterName="main", nextToken="x")
    assert raw.send("GET", "/clusters/main?colour=red", service="eks").status == 400
    with refused("UnknownOperationException", status=404):
        aws.eks.list_clusters()
    with refused("UnknownOperationException", status=404):
        aws.eks.delete_cluster(name="main")
    unsigned = raw.send("GET", "/clusters/main", service="eks", spoil=lambda sent: sent.pop("authorization") and None)
    assert (unsigned.status, unsigned.error) == (403, "MissingAuthenticationToken")


@pytest.mark.parametrize(
    ("kind", "code", "status"),
    [
        ("throttled", "TooManyRequestsException", 429),
        ("expired", "ExpiredTokenException", 403),
        ("denied", "AccessDeniedException", 403),
        ("internal", "ServerException", 500),
        ("unavailable", "ServiceUnavailableException", 503),
        ("unknown-key", "UnrecognizedClientException", 403),
    ],
)
def test_what_every_service_says(aws: Aws, emulator: Emulator, kind: str, code: str, status: int) -> None:
    emulator.faults.inject("DescribeCluster", Fault(kind=kind))
    with refused(code, status=status):
        aws.eks.describe_cluster(name="main")
    aws.eks.describe_cluster(name="main")
    assert emulator.calls["DescribeCluster"] == 2


def test_permissions(aws: Aws, emulator: Emulator) -> None:
    emulator.deny("eks:Describe*", region=REGION)
    with refused("AccessDeniedException", status=403):
        aws.eks.describe_cluster(name="main")
    aws.eks.list_nodegroups(clusterName="main")
