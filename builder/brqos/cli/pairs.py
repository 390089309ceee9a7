"""`KEY=VALUE` on the command line: one way to read it, and to refuse it, for every option."""

import re
from collections.abc import Sequence

from brqos.config.shown import shortened
from brqos.errors import UsageError

_REGION_FIRST = re.compile(r"[a-z0-9-]*=")


def pairs(option: str, words: Sequence[str] | None, *, example: str = "name=value") -> dict[str, str]:
    """`KEY=VALUE` words as a table; raises UsageError for a word without `=` and for a key with two values."""
    table: dict[str, str] = {}
    for word in words or ():
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise UsageError(
                f"{option} {shortened(word)} is not of the form KEY=VALUE", todo=f"For example: {option} {example}"
            )
        if table.setdefault(key, value) != value:
            raise UsageError(
                f"{option} gives {shortened(key)} two values, “{shortened(table[key])}” and “{shortened(value)}”",
                todo="Keep one of them.",
            )
    return table


def single_and_by_region(
    option: str, words: Sequence[str] | None, *, example: str
) -> tuple[str | None, dict[str, str]]:
    """Words of which one may stand alone, for all regions, and others are REGION=VALUE; raises UsageError."""
    # A value may have an equals sign of its own, as the path of a role may.
    alone = [word for word in words or () if not _REGION_FIRST.match(word)]
    if len(alone) > 1:
        raise UsageError(
            f"{option} is given {len(alone)} times for all regions: {shortened(', '.join(alone))}",
            todo=f"Give one, and others for single regions: {option} {example}",
        )
    by_region = pairs(option, [word for word in words or () if _REGION_FIRST.match(word)], example=example)
    return (alone[0] if alone else None), by_region
