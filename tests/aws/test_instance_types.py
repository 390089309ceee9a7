"""Types of instances, as moto (whose figures are AWS's) and the emulator tell them."""

from collections.abc import Iterator
from typing import Any

import boto3
import moto
import pytest
from botocore.stub import Stubber

from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.instance_types import DescribedInstanceType, InstanceTypes
from brqos.aws.session import AwsSession
from brqos.rehearsal.emulator import ACCESS_KEY, SECRET_KEY, Emulator

REGION = "eu-west-1"
EXPECTED = {
    each.name: each
    for each in (
        DescribedInstanceType("m7g.large", ("arm64",), (), 8192, 2, 3, 10),
        DescribedInstanceType("t2.micro", ("i386", "x86_64"), (), 1024, 1, 2, 2),
        DescribedInstanceType("g5g.xlarge", ("arm64",), ("NVIDIA",), 8192, 4, 4, 15),
        # 60 interfaces on four cards, of which the default one counts.
        DescribedInstanceType("p4d.24xlarge", ("x86_64",), ("NVIDIA",), 1179648, 96, 15, 50),
        DescribedInstanceType("inf2.xlarge", ("x86_64",), (), 16384, 4, 4, 15),
    )
}


def client() -> Any:
    return boto3.client("ec2", region_name=REGION, aws_access_key_id="x", aws_secret_access_key="y")


@pytest.fixture
def of_moto() -> Iterator[InstanceTypes]:
    with moto.mock_aws():
        yield InstanceTypes(client(), REGION, None)


@pytest.fixture
def of_emulator() -> Iterator[InstanceTypes]:
    with Emulator() as emulator:
        emulator.store.largest_page = 2
        yield AwsSession(endpoint=emulator.endpoint, credentials=(ACCESS_KEY, SECRET_KEY)).instance_types(REGION)


@pytest.mark.loopback
@pytest.mark.parametrize("source", ["of_moto", "of_emulator"])
def test_what_they_are_like(source: str, request: pytest.FixtureRequest) -> None:
    types = request.getfixturevalue(source)
    found = types.describe(["x9.large", *EXPECTED, "m7g.large", "m7*", "no type"])
    assert found == EXPECTED
    assert list(found) == list(EXPECTED)
    assert types.describe(["x9.large"]) == types.describe([]) == {}


def test_many_names() -> None:
    names = [f"m{number}.large" for number in range(250)]
    ask = "describe_instance_types"
    with Stubber(asked := client()) as stub:
        for part, told in ((names[:200], names[3]), (names[200:], names[249])):
            filters = [{"Name": "instance-type", "Values": part}]
            page = {"InstanceTypes": [{"InstanceType": told}]}
            stub.add_response(ask, {"InstanceTypes": [], "NextToken": "n"}, {"Filters": filters, "MaxResults": 100})
            stub.add_response(ask, page, {"Filters": filters, "MaxResults": 100, "NextToken": "n"})
        found = InstanceTypes(asked, REGION, None).describe(names)
    assert found == {name: DescribedInstanceType(name, (), (), 0, 0, 0, 0) for name in (names[3], names[249])}


@pytest.mark.parametrize(
    ("code", "kind"),
    [("UnauthorizedOperation", ErrorKind.ACCESS_DENIED), ("RequestLimitExceeded", ErrorKind.THROTTLED)],
)
def test_refusals(code: str, kind: ErrorKind) -> None:
    with Stubber(asked := client()) as stub:
        stub.add_client_error("describe_instance_types", code, "no", 400)
        with pytest.raises(AwsCallError, match=f"DescribeInstanceTypes in {REGION}") as caught:
            InstanceTypes(asked, REGION, None).describe(["m7g.large"])
    assert caught.value.kind is kind
