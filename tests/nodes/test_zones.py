"""Zones and their region."""

import pytest

from brqos.errors import ConfigurationError
from brqos.nodes.zones import check_zones


def test_a_zone_is_its_region_and_a_letter() -> None:
    check_zones("eu-central-1", ["eu-central-1a", "eu-central-1c"], local=False)


@pytest.mark.parametrize("zone", ["eu-west-1a", "eu-central-1", "eu-central-1a b", "eu-central-1A", "euc1-az1"])
@pytest.mark.parametrize("local", [False, True])
def test_anything_else_is_none(zone: str, local: bool) -> None:
    with pytest.raises(ConfigurationError, match="is not an availability zone of eu-central-1"):
        check_zones("eu-central-1", [zone], local=local)


def test_local_zones_are_for_those_who_can_use_them() -> None:
    check_zones("us-west-2", ["us-west-2-lax-1a"], local=True)
    with pytest.raises(ConfigurationError, match="is not an availability zone"):
        check_zones("us-west-2", ["us-west-2-lax-1a"], local=False)
