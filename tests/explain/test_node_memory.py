"""The memory of a node, by the ways in which people know it."""

import pytest

from brqos.errors import ConfigurationError
from brqos.explain.node_memory import (
    from_allocatable,
    from_capacity,
    from_instance_type,
    from_node_allocatable,
    instance_types,
    memory_of,
)

GIB, MIB = 2**30, 2**20


def test_the_formulas_own_value() -> None:
    assert from_allocatable("7Gi").allocatable == 7 * GIB
    assert from_allocatable("7516192768").allocatable == 7 * GIB


def test_what_the_node_shows_and_the_threshold() -> None:
    assert from_node_allocatable("7Gi").allocatable == 7 * GIB + 100 * MIB
    assert from_node_allocatable("7Gi", eviction="0").allocatable == 7 * GIB
    assert from_node_allocatable("7Gi", eviction="10%", capacity="8Gi").allocatable == 7 * GIB + 858993472


def test_capacity_less_reservations() -> None:
    assert from_capacity("8Gi", kube_reserved="574Mi", system_reserved="1Gi").allocatable == 7 * GIB - 574 * MIB


def test_an_instance_type_is_an_estimate_and_says_so() -> None:
    found = from_instance_type("m5.large")
    assert found.allocatable == 8 * GIB - (29 * 11 + 255) * MIB
    assert found.estimate
    assert "estimate" in found.source
    assert from_instance_type("m5.large", max_pods=110).allocatable == 8 * GIB - (110 * 11 + 255) * MIB
    assert from_instance_type("m5.large", kube_reserved="1Gi", system_reserved="1Gi").allocatable == 6 * GIB


def test_the_table_of_instance_types_is_whole() -> None:
    table = instance_types()
    assert len(table) > 1300
    assert all(each.memory % MIB == 0 and 256 * MIB <= each.memory <= 64 * 2**40 for each in table.values())
    assert all(0 < each.max_pods <= 2000 for each in table.values())
    sizes = {"t3.nano": 512, "c7g.xlarge": 8192, "r6i.metal": 1048576, "m8g.large": 8192, "u7i-8tb.112xlarge": 8388608}
    for name, mebibytes in sizes.items():
        assert table[name].memory == mebibytes * MIB


def test_every_type_is_larger_than_what_is_reserved_of_it() -> None:
    # The smallest types really have nothing left for pods; every one with 2 GiB and more has.
    for name, each in instance_types().items():
        if each.memory >= 2 * GIB:
            assert from_instance_type(name).allocatable > 0, name


def test_an_unknown_type_is_refused_with_those_of_its_family() -> None:
    with pytest.raises(ConfigurationError, match=r"m5\.huge") as caught:
        from_instance_type("m5.huge")
    assert "m5.large" in caught.value.why


@pytest.mark.parametrize("text", ["", "7GiB", "-7Gi", "seven"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is not an amount of memory"):
        from_allocatable(text)


@pytest.mark.parametrize("text", ["7", "0", "7000m", "15Mi"])
def test_a_forgotten_unit_is_noticed(text: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be"):
        from_allocatable(text)


def test_the_amount_may_have_its_key() -> None:
    assert memory_of("--kube-reserved", "memory=500Mi") == "500Mi"
    assert memory_of("--kube-reserved", "500Mi") == "500Mi"
    with pytest.raises(ConfigurationError, match="takes memory here, not “cpu”"):
        memory_of("--kube-reserved", "cpu=1")
