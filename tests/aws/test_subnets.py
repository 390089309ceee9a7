"""Subnets, as moto and the emulator tell them."""

from typing import Any

import boto3
import moto
import pytest
from botocore.stub import Stubber

from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.session import AwsSession
from brqos.aws.subnets import DescribedSubnet, Subnets
from brqos.rehearsal.emulator import ACCESS_KEY, SECRET_KEY, Emulator

REGION = "eu-west-1"


def client() -> Any:
    return boto3.client("ec2", region_name=REGION, aws_access_key_id="x", aws_secret_access_key="y")


@pytest.mark.loopback
def test_those_of_a_cluster() -> None:
    with Emulator() as emulator:
        session = AwsSession(endpoint=emulator.endpoint, credentials=(ACCESS_KEY, SECRET_KEY))
        emulator.add_cluster(REGION, "main")
        emulator.store.largest_page = 1
        cluster = session.eks(REGION).cluster("main")
        assert cluster is not None
        subnets = session.subnets(REGION)
        asked = [*reversed(cluster.subnet_ids), "subnet-0123456789abcdef0", "subnet-*"]
        assert list(subnets.describe(asked).values()) == [
            DescribedSubnet(subnet, f"{REGION}{zone}", cluster.vpc_id, maps_public_ip=False)
            for subnet, zone in zip(reversed(cluster.subnet_ids), "cba", strict=True)
        ]
        assert subnets.describe([]) == session.subnets("us-east-1").describe(cluster.subnet_ids) == {}


def test_as_moto_tells_them() -> None:
    with moto.mock_aws():
        asked = client()
        first = asked.describe_subnets()["Subnets"][0]
        found = Subnets(asked, REGION, None).describe([first["SubnetId"], "subnet-0123456789abcdef0"])
    subnet, zone, vpc = (first[name] for name in ("SubnetId", "AvailabilityZone", "VpcId"))
    assert found == {subnet: DescribedSubnet(subnet, zone, vpc, maps_public_ip=True)}


def test_refusals() -> None:
    with Stubber(asked := client()) as stub:
        stub.add_client_error("describe_subnets", "UnauthorizedOperation", "no", 403)
        with pytest.raises(AwsCallError, match=f"DescribeSubnets in {REGION}") as caught:
            Subnets(asked, REGION, None).describe(["subnet-1"])
    assert caught.value.kind is ErrorKind.ACCESS_DENIED
