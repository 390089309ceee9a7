"""The filters of EC2's Describe calls: all filters must hold, of one filter's values any; `*` and `?` are wild."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from brqos.rehearsal.emulator.wire import ServiceError


def matches(
    filters: Sequence[Mapping[str, Any]],
    fields: Mapping[str, Callable[[], str | None]],
    tags: Mapping[str, str],
) -> bool:
    """Whether a thing with these fields and tags passes all filters; raises ServiceError for an unknown filter."""
    return all(_passes(item, fields, tags) for item in filters)


def _passes(item: Mapping[str, Any], fields: Mapping[str, Callable[[], str | None]], tags: Mapping[str, str]) -> bool:
    name, wanted = str(item.get("Name", "")), item.get("Value")
    if not isinstance(wanted, list) or not wanted:
        raise ServiceError("InvalidParameterValue", f"The filter '{name}' has no values")
    patterns = [_pattern(str(value)) for value in wanted]
    if name.startswith("tag:"):
        candidates = [tags[name[4:]]] if name[4:] in tags else []
    elif name == "tag-key":
        candidates = list(tags)
    elif name in fields:
        value = fields[name]()
        candidates = [] if value is None else [value]
    else:
        raise ServiceError("InvalidParameterValue", f"The filter '{name}' is invalid")
    return any(pattern.fullmatch(candidate) for pattern in patterns for candidate in candidates)


def _pattern(value: str) -> re.Pattern[str]:
    # A backslash takes the meaning from the wildcard after it.
    parts = re.split(r"(\\.|\*|\?)", value)
    words = {"*": ".*", "?": "."}
    return re.compile("".join(words.get(part, re.escape(part.removeprefix("\\"))) for part in parts), re.DOTALL)
