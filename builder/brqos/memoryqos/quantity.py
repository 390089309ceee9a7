"""Amounts of resources in Kubernetes' notation, read as Kubernetes reads them.

kubernetes, staging/src/k8s.io/apimachinery/pkg/api/resource/quantity.go: ParseQuantity, Value. An amount is held as a
whole number of thousand-millionths (`nano`), the finest step that Kubernetes knows, so that sums stay exact.
"""

import re
from fractions import Fraction
from functools import lru_cache

NANO = 10**9
"""Nano-units in one unit: one byte, one core."""

LARGEST = 2**63 - 1
"""What Kubernetes cuts every larger amount down to, in units."""

_BINARY = {f"{letter}i": Fraction(1024**power) for power, letter in enumerate("KMGTPE", start=1)}
_DECIMAL = {letter: Fraction(1000**power) for power, letter in enumerate("kMGTPE", start=1)}
_SMALL = {"n": Fraction(1, 10**9), "u": Fraction(1, 10**6), "m": Fraction(1, 1000), "": Fraction(1)}
_SUFFIXES = {**_BINARY, **_DECIMAL, **_SMALL}
_NOTATION = re.compile(
    r"(?P<sign>[+-]?)(?P<number>\d+\.?\d*|\.\d+)(?:[eE](?P<exponent>[+-]?\d+)|(?P<suffix>[KMGTPE]i|[numkMGTPE]?))",
    re.ASCII,
)
# Beyond these nothing but the largest amount and the smallest step are left, and 1e999999999 would fill the memory.
_LARGEST_EXPONENT = 40
_MOST_CHARACTERS = 100


@lru_cache(maxsize=8192)
def parse_nano(text: str) -> int | None:
    """The amount in nano-units; None where the text is no quantity.

    As in Kubernetes, what is finer than a nano-unit is rounded up (away from zero). What is larger than 2^63 - 1 units
    is cut down to that, where Kubernetes' own reader does so or overflows, by the notation. A text without any digit
    (`Mi`), which it reads as 0, is none here.
    """
    match = _NOTATION.fullmatch(text)
    if match is None or len(text) > _MOST_CHARACTERS:
        return None
    exact = _exact(match)
    nano = min(-(-exact.numerator * NANO // exact.denominator), LARGEST * NANO)
    return -nano if match["sign"] == "-" else nano


def _exact(match: re.Match[str]) -> Fraction:
    number = Fraction(match["number"])
    if match["exponent"] is None:
        return number * _SUFFIXES[match["suffix"]]
    exponent = int(match["exponent"])
    if exponent < -_LARGEST_EXPONENT - _MOST_CHARACTERS:
        return Fraction(1 if number else 0, NANO)
    return number * Fraction(10) ** min(exponent, _LARGEST_EXPONENT + _MOST_CHARACTERS)


def parse_quantity(text: str) -> Fraction | None:
    """The number that the notation stands for (bytes, cores or a count); None where the text is no quantity."""
    nano = parse_nano(text)
    return None if nano is None else Fraction(nano, NANO)


def parse_bytes(text: str) -> int | None:
    """The amount in whole bytes, a part of one counting as one (Quantity.Value); None where it is no quantity."""
    nano = parse_nano(text)
    return None if nano is None else whole(nano)


def whole(nano: int) -> int:
    """Whole units; a part of one counts as one, as in Quantity.Value. For amounts that are not negative."""
    return -(-nano // NANO)


_STEPS = (("Ei", 2**60), ("Pi", 2**50), ("Ti", 2**40), ("Gi", 2**30), ("Mi", 2**20), ("Ki", 2**10))


def readable(number: int) -> str:
    """Bytes for people: `0`, `512Ki`, `190Mi`, `6.31Gi`; three digits are kept where the unit does not divide it."""
    for unit, size in _STEPS:
        if number >= size:
            whole_units, rest = divmod(number, size)
            if rest == 0 or whole_units >= 1000:
                return f"{whole_units}{unit}"
            return f"{number / size:.3g}{unit}"
    return str(number)
