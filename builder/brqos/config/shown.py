"""How an error shows what was given: never more of it than a line holds."""

from collections.abc import Mapping

_LONGEST = 80
_KEPT = 60


def shortened(text: str) -> str:
    """The text, or its beginning and how long it is."""
    return text if len(text) <= _LONGEST else f"{text[:_KEPT]}… ({len(text)} characters)"


def shown(value: object) -> str:
    """A value of a configuration: text in quotes, `true`, a number; lists and tables are only named."""
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, bool):
        return str(value).lower()
    return shortened(repr(value) if isinstance(value, str) else str(value))
