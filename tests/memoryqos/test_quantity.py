"""Kubernetes' notation of amounts."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brqos.memoryqos.quantity import LARGEST, NANO, parse_bytes, parse_nano, parse_quantity, readable, whole


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("128974848", 128974848),
        ("129e6", 129_000_000),
        ("129E6", 129_000_000),
        ("129M", 129_000_000),
        ("123Mi", 123 * 2**20),
        ("128974848000m", 128974848),
        ("1.5Gi", 3 * 2**29),
        (".5Gi", 2**29),
        ("1.Gi", 2**30),
        ("+1Ki", 1024),
        ("1e3", 1000),
        ("1e-3", Fraction(1, 1000)),
        ("1e+3", 1000),
        ("1E", 10**18),
        ("1Ei", 2**60),
        ("100n", Fraction(1, 10**7)),
        ("1u", Fraction(1, 10**6)),
        ("-1Mi", -(2**20)),
        ("0001Ki", 1024),
    ],
)
def test_every_notation_is_read(text: str, value: Fraction | int) -> None:
    assert parse_quantity(text) == value


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "Mi", "1K", "1ki", "1 Gi", "1Gi ", "1Gi\n", "1GiB", "2Gb", "1e3Mi", "1e", "0x10", "1_000", "--1"),
        *("1.2.3", ".", "١Gi", "NaN", "inf", "1e1.5", "1i", "1mi", "9" * 200),
    ],
)
def test_what_kubernetes_refuses_is_refused(text: str) -> None:
    assert parse_nano(text) is None


@pytest.mark.parametrize(
    ("text", "number"), [("1m", 1), ("1001m", 2), ("0.1", 1), ("1n", 1), ("1.0000000001", 2), ("0", 0), ("0.5Ki", 512)]
)
def test_a_part_of_a_byte_counts_as_one(text: str, number: int) -> None:
    assert parse_bytes(text) == number


@pytest.mark.parametrize("text", ["8Ei", "10E", "1e19", "1e999999999", "99999999999999999999"])
def test_what_is_too_large_is_cut_down(text: str) -> None:
    assert parse_bytes(text) == LARGEST


def test_what_is_too_small_is_one_step() -> None:
    assert parse_nano("1e-999999999") == 1
    assert parse_nano("0e-999999999") == 0
    assert parse_nano("0.0000000001") == 1
    assert parse_nano("-0.0000000001") == -1


@given(st.integers(0, 10**15), st.sampled_from(["", "k", "Ki", "M", "Mi", "G", "Gi", "m", "u", "n"]))
def test_whole_numbers_are_exact(number: int, suffix: str) -> None:
    factors = {"": 1, "k": 10**3, "Ki": 2**10, "M": 10**6, "Mi": 2**20, "G": 10**9, "Gi": 2**30}
    small = {"m": 10**3, "u": 10**6, "n": 10**9}
    exact = Fraction(number, small[suffix]) if suffix in small else Fraction(number * factors[suffix])
    assert parse_quantity(f"{number}{suffix}") == min(exact, LARGEST)


@given(st.text(alphabet="0123456789.+-eEKMGTPinumk ", max_size=12))
def test_nothing_but_a_number_or_none_comes_out(text: str) -> None:
    nano = parse_nano(text)
    assert nano is None or abs(nano) <= LARGEST * NANO


@given(st.integers(0, 2**70))
def test_whole_is_the_next_whole_number(nano: int) -> None:
    assert (whole(nano) - 1) * NANO < nano <= whole(nano) * NANO


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (1023, "1023"),
        (1024, "1Ki"),
        (200 * 2**20, "200Mi"),
        (6775058432, "6.31Gi"),
        (7 * 2**30, "7Gi"),
        (1536 * 2**20, "1.5Gi"),
        (1023 * 2**20 + 1, "1023Mi"),
    ],
)
def test_numbers_for_people(number: int, text: str) -> None:
    assert readable(number) == text
