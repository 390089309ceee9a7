"""The nodes' role: one, and of an account that the region knows."""

import re
from typing import Any

import pytest

from brqos.errors import ConfigurationError
from brqos.nodes.iam import aws_policy, check_iam, partition_of
from nodes.requests import request

OWN = "arn:aws:iam::111122223333:policy/own"
ROLE = "arn:aws:iam::111122223333:role/nodes"
PROFILE = "arn:aws:iam::111122223333:instance-profile/nodes"


def check(**wish: Any) -> None:
    made = request(self_managed=True, **wish)
    check_iam(made.spec, made.region)


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("eu-west-1", "aws"),
        ("us-east-1", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
        ("eu-isoe-west-1", "aws-iso-e"),
        ("us-isof-south-1", "aws-iso-f"),
        ("eusc-de-east-1", "aws-eusc"),
    ],
)
def test_a_region_tells_its_partition(region: str, partition: str) -> None:
    assert partition_of(region) == partition
    assert aws_policy(region, "X") == f"arn:{partition}:iam::aws:policy/X"
    check_iam(request(node_role=f"arn:{partition}:iam::111122223333:role/nodes").spec, region)


@pytest.mark.parametrize(
    "wish",
    [
        {},
        {"node_role": ROLE},
        {"node_role": ROLE, "instance_profile": PROFILE},
        {"policies": (OWN,), "permissions_boundary": OWN},
    ],
)
def test_what_goes_together(wish: dict[str, Any]) -> None:
    check(**wish)


@pytest.mark.parametrize(
    ("wish", "what"),
    [
        ({"node_role": ROLE, "policies": (OWN,)}, "the nodes have a role of their own and further policies"),
        ({"node_role": ROLE, "permissions_boundary": OWN}, "a role of their own and a permissions boundary"),
        ({"instance_profile": PROFILE, "policies": (OWN,)}, "an instance profile of their own and further policies"),
        ({"policies": (OWN.replace("aws", "aws-cn"),)}, "does not exist in eu-central-1"),
        ({"permissions_boundary": OWN, "region": "cn-north-1"}, "does not exist in cn-north-1"),
        ({"instance_profile": PROFILE, "region": "cn-north-1"}, "does not exist in cn-north-1"),
        ({"node_role": ROLE, "region": "us-gov-west-1"}, "does not exist in us-gov-west-1"),
        ({"node_role": ROLE.replace("role/", "role/aws-service-role/x/")}, "is one of a service's own"),
    ],
)
def test_what_does_not_is_refused(wish: dict[str, Any], what: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(what)) as error:
        check(**wish)
    assert error.value.why and error.value.todo
