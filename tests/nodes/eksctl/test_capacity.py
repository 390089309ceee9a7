"""Types, Spot, sizes and updates."""

from typing import Any

import pytest

from brqos.errors import ConfigurationError
from brqos.nodes.eksctl.capacity import capacity, check_capacity
from nodes.requests import request

SIZES = {"minSize": 1, "maxSize": 3}
TWO = ("m6i.large", "m5.large")
STRATEGY = {"spotAllocationStrategy": "price-capacity-optimized"}


def test_managed_nodegroups_have_a_list_of_types_and_a_switch_for_spot() -> None:
    assert capacity(request()) == {"instanceType": "m6i.large", **SIZES}
    assert capacity(request(instance_types=TWO)) == {"instanceTypes": list(TWO), **SIZES}
    assert capacity(request(spot=True)) == {"instanceType": "m6i.large", "spot": True, **SIZES}
    assert capacity(request(instance_types=TWO, spot=True))["spot"] is True


@pytest.mark.parametrize(
    ("wish", "distribution"),
    [
        ({"spot": True}, {"onDemandBaseCapacity": 0, "onDemandPercentageAboveBaseCapacity": 0}),
        ({"on_demand_base": 2}, {"onDemandBaseCapacity": 2, "onDemandPercentageAboveBaseCapacity": 0}),
        ({"on_demand_percentage": 40}, {"onDemandBaseCapacity": 0, "onDemandPercentageAboveBaseCapacity": 40}),
        (
            {"spot": True, "on_demand_base": 1, "on_demand_percentage": 50},
            {"onDemandBaseCapacity": 1, "onDemandPercentageAboveBaseCapacity": 50},
        ),
    ],
)
@pytest.mark.parametrize("types", [("m6i.large",), TWO])
def test_self_managed_ones_have_shares(wish: dict[str, Any], distribution: dict[str, int], types: Any) -> None:
    part = capacity(request(self_managed=True, instance_types=types, **wish))
    assert part == {"instancesDistribution": {"instanceTypes": list(types), **distribution, **STRATEGY}, **SIZES}


def test_without_spot_several_types_are_all_on_demand() -> None:
    part = capacity(request(self_managed=True, instance_types=TWO))
    assert part["instancesDistribution"] == {"instanceTypes": list(TWO), "onDemandPercentageAboveBaseCapacity": 100}
    assert capacity(request(self_managed=True))["instanceType"] == "m6i.large"


@pytest.mark.parametrize(
    ("most", "config"),
    [
        ("2", {"maxUnavailable": 2}),
        ("25%", {"maxUnavailablePercentage": 25}),
        ("100%", {"maxUnavailablePercentage": 100}),
    ],
)
def test_an_update_takes_a_number_or_a_share(most: str, config: dict[str, int]) -> None:
    wish = request(max_unavailable=most)
    check_capacity(wish)
    assert capacity(wish)["updateConfig"] == config


def test_an_update_cannot_take_more_than_there_are() -> None:
    with pytest.raises(ConfigurationError, match="may take away 4 nodes at once, and the nodegroup has 3 at most"):
        check_capacity(request(max_unavailable="4"))
