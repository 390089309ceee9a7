"""Amounts, reserved resources and eviction thresholds."""

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brqos.errors import ConfigurationError
from brqos.nodes.quantities import (
    DEFAULT_EVICTION,
    EVICTION_SIGNALS,
    RESERVABLE,
    check_eviction,
    check_reserved,
    lost_evictions,
    parse_quantity,
)

# The two readers' own rules, written out again: Kubernetes' grammar, and Bottlerocket's KUBERNETES_QUANTITY.
KUBERNETES = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([KMGTPE]i|[numkMGTPE]?|[eE][+-]?\d+)")
BOTTLEROCKET = re.compile(r"([+-]?[0-9.]+)((e)?[0-9]*)|([+-]?[0-9.]+)((E|P|T|G|M|K)i?)?|([+-]?[0-9.]+)(n|u|m|k)?")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("500Mi", 500 * 1024**2),
        ("1Gi", 1024**3),
        ("1.5Gi", 3 * 1024**3 // 2),
        ("2k", 2000),
        ("129M", 129_000_000),
        ("129e6", 129_000_000),
        ("1E", 10**18),
        ("500m", Fraction(1, 2)),
    ],
)
def test_the_notation_is_read(text: str, value: Fraction | int) -> None:
    assert parse_quantity(text) == value


@pytest.mark.parametrize(
    "text", ["", "Mi", "1K", "12ki", "1 Gi", "-1Mi", "1GiB", "1e-3", "1e3Mi", "١Gi", "1Gi\n", "0x10", ".5Gi"]
)
def test_what_one_of_the_readers_refuses_is_refused(text: str) -> None:
    assert parse_quantity(text) is None


@given(st.from_regex(r"\A[0-9.+-]{0,4}[eEinumkKMGTP]{0,2}[0-9+-]{0,3}\Z"))
def test_what_is_accepted_suits_both_readers(text: str) -> None:
    if parse_quantity(text) is not None:
        assert KUBERNETES.fullmatch(text)
        assert BOTTLEROCKET.fullmatch(text)


@pytest.mark.parametrize(
    "reserved",
    [
        {},
        {"cpu": "500m"},
        {"cpu": "0.25", "memory": "1Gi"},
        {"memory": "0"},
        {"ephemeral-storage": "10G", "pid": "1000"},
    ],
)
def test_sensible_reservations_pass(reserved: dict[str, str]) -> None:
    check_reserved("kube-reserved", reserved)


@pytest.mark.parametrize(
    ("reserved", "message"),
    [
        ({"pid": "many"}, "is not an amount in Kubernetes' notation"),
        ({"Memory": "1Gi"}, "cannot reserve “Memory”"),
        ({"memory": "lots"}, "is not an amount in Kubernetes' notation"),
        ({"memory": "500"}, "is less than a mebibyte"),
        ({"memory": "500m"}, "is less than a mebibyte"),
        ({"memory": "10%"}, "is not an amount"),
        ({"cpu": "500Mi"}, "is not an amount of processor time"),
        ({"cpu": "-1"}, "is not an amount of processor time"),
        ({"ephemeral-storage": "1K"}, "is not an amount"),
    ],
)
def test_wrong_reservations_are_refused(reserved: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(message)) as refused:
        check_reserved("system-reserved", reserved)
    assert refused.value.what.startswith("system-reserved ")
    assert refused.value.todo


@given(st.dictionaries(st.sampled_from(RESERVABLE), st.integers(1, 999).map(lambda number: f"{number}Gi"), min_size=1))
def test_every_reservable_resource_is_taken(reserved: dict[str, str]) -> None:
    reserved.pop("cpu", None)
    check_reserved("kube-reserved", reserved)


@pytest.mark.parametrize(
    "thresholds",
    [
        {},
        DEFAULT_EVICTION,
        {"memory.available": "0"},
        {"pid.available": "500"},
        {"nodefs.inodesFree": "500k"},
        {"memory.available": "99.5%"},
    ],
)
def test_sensible_thresholds_pass(thresholds: dict[str, str]) -> None:
    check_eviction(thresholds)


@pytest.mark.parametrize(
    ("thresholds", "message"),
    [
        ({"memory": "100Mi"}, "does not know the signal “memory”"),
        ({"memory.available": "100%"}, "is not a percentage from 0 % to below 100 %"),
        ({"memory.available": "-5%"}, "is not a percentage"),
        ({"memory.available": "5 %"}, "is not a percentage"),
        ({"memory.available": "100"}, "is less than a mebibyte"),
        ({"memory.available": "100MiB"}, "is not an amount"),
        ({"pid.available": "many"}, "is not an amount"),
    ],
)
def test_wrong_thresholds_are_refused(thresholds: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        check_eviction(thresholds)


def test_a_threshold_drives_out_the_defaults() -> None:
    assert lost_evictions({}, None) == {}
    assert lost_evictions(DEFAULT_EVICTION, None) == {}
    for release in (None, "1.68.9"):
        lost = lost_evictions({"memory.available": "200Mi"}, release)
        assert "memory.available" not in lost
        assert lost["nodefs.available"] == "10%"
    for release in ("1.69.0", "v1.70.1", "2.0.0"):
        assert lost_evictions({"memory.available": "200Mi"}, release) == {}


def test_every_default_is_a_signal_with_a_right_threshold() -> None:
    assert set(DEFAULT_EVICTION) <= set(EVICTION_SIGNALS)
    check_eviction(DEFAULT_EVICTION)
