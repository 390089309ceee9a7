"""The filters of EC2's Describe calls: all filters must hold, of one filter's values any; `*` and `?` are wild."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from brqos.rehearsal.emulator.wire import ServiceError

_T = TypeVar("_T")
Fields = Mapping[str, Callable[[_T], str | Iterable[str] | None]]
"""By a filter's name a thing's value or values; None where it has none."""


def selected(
    things: Iterable[_T],
    filters: Sequence[Mapping[str, Any]],
    fields: Fields[_T],
    tags: Callable[[_T], Mapping[str, str]] | None = None,
) -> list[_T]:
    """The things that pass all filters; raises ServiceError for a filter that is not known, or has no values.

    With `tags` the filters `tag:<key>` and `tag-key` are known too.
    """
    tests = [_test(each, fields, tags) for each in filters]
    return [thing for thing in things if all(test(thing) for test in tests)]


def _test(
    given: Mapping[str, Any], fields: Fields[_T], tags: Callable[[_T], Mapping[str, str]] | None
) -> Callable[[_T], bool]:
    name, wanted = str(given.get("Name", "")), given.get("Value")
    if not isinstance(wanted, list) or not wanted:
        raise ServiceError("InvalidParameterValue", f"The filter '{name}' has no values")
    patterns = [_pattern(str(value)) for value in wanted]
    values = _values(name, fields, tags)

    def passes(thing: _T) -> bool:
        return any(pattern.fullmatch(candidate) for pattern in patterns for candidate in values(thing))

    return passes


def _values(name: str, fields: Fields[_T], tags: Callable[[_T], Mapping[str, str]] | None) -> Callable[[_T], list[str]]:
    if tags is not None and name.startswith("tag:"):
        key, tags_of = name[4:], tags
        return lambda thing: [value for its_key, value in tags_of(thing).items() if its_key == key]
    if tags is not None and name == "tag-key":
        tags_of = tags
        return lambda thing: list(tags_of(thing))
    if name not in fields:
        raise ServiceError("InvalidParameterValue", f"The filter '{name}' is invalid")
    field = fields[name]

    def values(thing: _T) -> list[str]:
        found = field(thing) or []
        return [found] if isinstance(found, str) else list(found)

    return values


def _pattern(value: str) -> re.Pattern[str]:
    # A backslash takes the meaning from the wildcard after it.
    parts = re.split(r"(\\.|\*|\?)", value)
    words = {"*": ".*", "?": "."}
    return re.compile("".join(words.get(part, re.escape(part.removeprefix("\\"))) for part in parts), re.DOTALL)
