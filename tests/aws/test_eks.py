"""Clusters and nodegroups as moto's EKS and the emulator's tell them, and what becomes of refusals."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import moto
import pytest
from botocore.stub import Stubber

from brqos.aws.eks import (
    DescribedCluster,
    Eks,
)
from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.session import AwsSession
from brqos.rehearsal.emulator import ACCESS_KEY, ACCOUNT, SECRET_KEY, Emulator, Fault

REGION = "eu-west-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/nodes"
VPC = {
    "vpcId": "vpc-1",
    "subnetIds": ["subnet-1", "subnet-2"],
    "clusterSecurityGroupId": "sg-1",
    "securityGroupIds": ["sg-2"],
    "endpointPrivateAccess": True,
    "endpointPublicAccess": False,
}


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


@pytest.fixture
def eks(emulator: Emulator) -> Eks:
    return AwsSession(endpoint=emulator.endpoint, credentials=(ACCESS_KEY, SECRET_KEY)).eks(REGION)


def client() -> Any:
    return boto3.client("eks", region_name=REGION, aws_access_key_id="x", aws_secret_access_key="y")


def stubbed(cluster: dict[str, Any]) -> DescribedCluster:
    with Stubber(asked := client()) as stub:
        stub.add_response("describe_cluster", {"cluster": cluster}, {"name": "main"})
        found = Eks(asked, REGION, None).cluster("main")
    assert found is not None
    return found


@pytest.mark.loopback
def test_a_cluster(eks: Eks, emulator: Emulator) -> None:
    assert eks.cluster("main") is None
    emulator.add_cluster(
        REGION,
        "main",
        {
            "version": "1.29",
            "endpoint": "https://1.eks.amazonaws.com",
            "certificateAuthority": {"data": "Y2E="},
            "resourcesVpcConfig": VPC,
        },
    )
    cluster = eks.cluster("main")
    assert cluster == DescribedCluster(
        name="main",
        status="ACTIVE",
        version="1.29",
        endpoint="https://1.eks.amazonaws.com",
        certificate_authority="Y2E=",
        vpc_id="vpc-1",
        subnet_ids=("subnet-1", "subnet-2"),
        cluster_security_group="sg-1",
        security_group_ids=("sg-2",),
        auto_mode=False,
        tags={},
    )
    assert not cluster.created_by_eksctl
    tags = {"alpha.eksctl.io/cluster-name": "main"}
    changes = {"computeConfig": {"enabled": True}, "tags": tags}
    emulator.add_cluster(REGION, "main", changes)
    changed = eks.cluster("main")
    assert changed == replace(cluster, auto_mode=True, tags=tags)
    assert changed.created_by_eksctl


def test_a_cluster_that_is_not_ready() -> None:
    # EKS tells null, which botocore leaves out, or nothing at all.
    bare = stubbed({"name": "main", "status": "CREATING", "certificateAuthority": {}})
    assert (bare.status, bare.endpoint, bare.certificate_authority) == ("CREATING", "", "")
    assert (bare.subnet_ids, bare.auto_mode, bare.tags) == ((), False, {})


@pytest.mark.loopback
def test_nodegroups(eks: Eks, emulator: Emulator) -> None:
    with pytest.raises(AwsCallError, match="ListNodegroups in eu-west-1") as caught:
        eks.nodegroups("main")
    assert caught.value.kind is ErrorKind.NOT_FOUND
    assert not eks.has_nodegroup("main", "nodes")
    emulator.add_cluster(REGION, "main", {"version": "1.29", "resourcesVpcConfig": {"subnetIds": ["subnet-1"]}})
    assert eks.nodegroups("main") == []
    assert not eks.has_nodegroup("main", "nodes")
    emulator.add_nodegroup(REGION, "main", "nodes")
    assert eks.has_nodegroup("main", "nodes")
    for number in range(3):
        emulator.add_nodegroup(REGION, "main", f"other-{number}")
    emulator.store.largest_page = 2
    assert eks.nodegroups("main") == ["nodes", "other-0", "other-1", "other-2"]


def test_as_moto_tells_them() -> None:
    with moto.mock_aws():
        asked = client()
        asked.create_cluster(
            name="main",
            roleArn=ROLE,
            version="1.29",
            resourcesVpcConfig={"subnetIds": ["subnet-1", "subnet-2"]},
            tags={"alpha.eksctl.io/cluster-name": "main"},
        )
        eks = Eks(asked, REGION, None)
        cluster = eks.cluster("main")
        assert cluster is not None
        assert (cluster.status, cluster.version) == ("ACTIVE", "1.29")
        assert cluster.created_by_eksctl
        asked.create_nodegroup(clusterName="main", nodegroupName="nodes", subnets=["subnet-1"], nodeRole=ROLE)
        assert eks.has_nodegroup("main", "nodes")
        assert eks.nodegroups("main") == ["nodes"]
        assert eks.cluster("other") is None
        assert not eks.has_nodegroup("main", "other")


@pytest.mark.loopback
@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("denied", ErrorKind.ACCESS_DENIED),
        ("expired", ErrorKind.EXPIRED),
        ("unknown-key", ErrorKind.CREDENTIALS),
    ],
)
def test_refusals(eks: Eks, emulator: Emulator, kind: str, expected: ErrorKind) -> None:
    emulator.add_cluster(REGION, "main")
    calls = {
        "DescribeCluster": lambda: eks.cluster("main"),
        "DescribeNodegroup": lambda: eks.has_nodegroup("main", "nodes"),
        "ListNodegroups": lambda: eks.nodegroups("main"),
    }
    for operation, call in calls.items():
        emulator.faults.inject(operation, Fault(kind=kind))
        with pytest.raises(AwsCallError) as caught:
            call()
        assert caught.value.kind is expected
        assert f"{operation} in {REGION}" in caught.value.what


@pytest.mark.loopback
def test_what_passes_is_tried_again(eks: Eks, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    emulator.add_cluster(REGION, "main")
    for kind in ("throttled", "internal", "unavailable"):
        emulator.faults.inject("DescribeCluster", Fault(kind=kind))
    assert eks.cluster("main") is not None
    assert emulator.calls["DescribeCluster"] == 4
    emulator.faults.inject("DescribeCluster", Fault(kind="throttled"), times=9)
    with pytest.raises(AwsCallError) as caught:
        eks.cluster("main")
    assert caught.value.kind is ErrorKind.THROTTLED


@pytest.mark.loopback
def test_a_name_that_is_none(eks: Eks) -> None:
    with pytest.raises(AwsCallError, match="InvalidParameterException") as caught:
        eks.cluster("a.b")
    assert caught.value.kind is ErrorKind.VALIDATION


def test_an_endpoint_that_is_not_of_eks() -> None:
    with Stubber(asked := client()) as stub:
        stub.add_client_error("describe_cluster", "404", "Not Found", 404)
        with pytest.raises(AwsCallError):
            Eks(asked, REGION, None).cluster("main")
