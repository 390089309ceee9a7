"""The memory for pods, by what people know of a node."""

import pytest

from brqos.errors import ConfigurationError
from brqos.memoryqos.allocatable import (
    allocatable_from_capacity,
    allocatable_from_node,
    bottlerocket_kube_reserved,
    eviction_bytes,
)

GIB, MIB = 2**30, 2**20


def test_capacity_less_what_is_reserved() -> None:
    assert allocatable_from_capacity(8 * GIB, kube_reserved=574 * MIB, system_reserved=26 * MIB) == 8 * GIB - 600 * MIB
    assert allocatable_from_capacity(GIB, kube_reserved=2 * GIB) == 0


def test_what_the_node_shows_lacks_the_eviction_threshold() -> None:
    assert allocatable_from_node(7 * GIB) == 7 * GIB + 100 * MIB
    assert allocatable_from_node(7 * GIB, eviction="200Mi") == 7 * GIB + 200 * MIB
    assert allocatable_from_node(7 * GIB, eviction="5%", capacity=8 * GIB) == 7 * GIB + 429496736


@pytest.mark.parametrize(("text", "expected"), [("0", 0), ("0%", 0), ("100%", 0), ("1Gi", GIB), ("50%", 4 * GIB)])
def test_thresholds(text: str, expected: int) -> None:
    assert eviction_bytes(text, 8 * GIB) == expected


@pytest.mark.parametrize("text", ["", "%", "-1%", "101%", "nan%", "1GB", "-1Gi", "ten%"])
def test_what_is_no_threshold_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="not an eviction threshold"):
        eviction_bytes(text, 8 * GIB)


def test_a_share_needs_the_capacity() -> None:
    with pytest.raises(ConfigurationError, match="not known here"):
        eviction_bytes("5%", None)


def test_bottlerockets_own_reservation() -> None:
    assert bottlerocket_kube_reserved(29) == 574 * MIB
    assert bottlerocket_kube_reserved(110) == (110 * 11 + 255) * MIB
