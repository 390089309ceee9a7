"""Where the nodes are, and the network of a cluster that eksctl did not create."""

import re
from typing import Any

import pytest

from brqos.errors import ConfigurationError
from brqos.nodes.eksctl.network import check_network, network, vpc
from nodes.requests import request

A, B, C, D = (f"subnet-0000000{letter}" for letter in "abcd")
ZONES = ("eu-central-1a", "eu-central-1b")
PRIVATE = dict(zip(ZONES, (A, B), strict=True))
PUBLIC = dict(zip(ZONES, (C, D), strict=True))
WHOLE: dict[str, Any] = {"id": "vpc-12345678", "security_group": "sg-12345678", "public_subnets": PUBLIC}
BOTH = {**WHOLE, "private_subnets": PRIVATE}


def test_the_nodegroups_own_fields() -> None:
    assert network(request()) == {}
    assert network(request(private_networking=True, subnets=(A,), security_groups=("sg-12345678",))) == {
        "privateNetworking": True,
        "subnets": [A],
        "securityGroups": {"attachIDs": ["sg-12345678"]},
    }
    assert network(request(availability_zones=ZONES)) == {"availabilityZones": list(ZONES)}


def test_the_section_vpc() -> None:
    assert vpc([request()]) == {}
    assert vpc([request(vpc=WHOLE), request(vpc=WHOLE), request()]) == {
        "vpc": {
            "id": "vpc-12345678",
            "securityGroup": "sg-12345678",
            "subnets": {"public": {zone: {"id": id_} for zone, id_ in PUBLIC.items()}},
        }
    }
    assert list(vpc([request(vpc=BOTH)])["vpc"]["subnets"]) == ["private", "public"]


def test_a_cluster_has_one_network() -> None:
    with pytest.raises(ConfigurationError, match="two networks are described for one cluster"):
        vpc([request(vpc=WHOLE), request(vpc=BOTH)])


@pytest.mark.parametrize(
    "wish",
    [
        {},
        {"subnets": (A, B)},
        {"availability_zones": ZONES},
        {"vpc": WHOLE},
        {"vpc": BOTH, "private_networking": True},
        {"vpc": BOTH, "private_networking": True, "subnets": (A,)},
        {"vpc": BOTH, "subnets": (C,)},
        {"vpc": BOTH, "availability_zones": ZONES[:1]},
        {"vpc": WHOLE, "private_networking": True, "subnets": (A,), "self_managed": False},
    ],
)
def test_places_that_there_are(wish: dict[str, Any]) -> None:
    check_network(request(**{"self_managed": True, **wish}))


@pytest.mark.parametrize(
    ("wish", "what"),
    [
        ({"subnets": (A,), "availability_zones": ZONES}, "has subnets and availability zones"),
        ({"availability_zones": ("eu-west-1a",)}, "“eu-west-1a” is not an availability zone of eu-central-1"),
        ({"availability_zones": ("euc1-az1",)}, "“euc1-az1” is not an availability zone"),
        ({"availability_zones": ("eu-central-1-ham-1a",)}, "is not an availability zone"),
        ({"vpc": {"id": "vpc-12345678"}}, "lacks security-group and private-subnets or public-subnets"),
        ({"vpc": {**WHOLE, "id": None}}, "the cluster's vpc lacks id"),
        ({"vpc": {"public_subnets": PUBLIC}}, "lacks id and security-group"),
        ({"vpc": {**WHOLE, "public_subnets": {ZONES[0]: A}}}, "has one public subnet only"),
        ({"vpc": {**BOTH, "private_subnets": {ZONES[0]: A}}}, "has one private subnet only"),
        ({"vpc": {**BOTH, "private_subnets": PUBLIC}}, f"the subnet {C} is given twice"),
        ({"vpc": {**WHOLE, "public_subnets": {"eu-west-1a": A, "eu-west-1b": B}}}, "“eu-west-1a” is not an availab"),
        ({"vpc": WHOLE, "private_networking": True}, "has no private subnets for the nodes"),
        ({"vpc": WHOLE, "private_networking": True, "subnets": (A,)}, "has no private subnets for the nodes"),
        ({"vpc": {**WHOLE, "public_subnets": {}, "private_subnets": PRIVATE}}, "has no public subnets for the nodes"),
        ({"vpc": WHOLE, "availability_zones": ("eu-central-1c",)}, "has no public subnet in eu-central-1c"),
        ({"vpc": BOTH, "subnets": (A,)}, "is a private subnet of the cluster's"),
    ],
)
def test_places_that_eksctl_would_not_find(wish: dict[str, Any], what: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(what)) as error:
        check_network(request(self_managed=True, **wish))
    assert error.value.todo
