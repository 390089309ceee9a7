"""The five fields of a cron expression, as GitHub and GitLab take them. Pure.

GitHub: POSIX cron with `* , - /` and English names of months and days, no `@weekly`, UTC ("Events that trigger
workflows", schedule). GitLab's fugit takes all of that too.
"""

import re
from dataclasses import dataclass

from brqos.errors import ConfigurationError

_EXAMPLE = 'For example "17 5 * * 1": each Monday at 5:17 UTC.'
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    first: int
    last: int
    words: tuple[str, ...] = ()

    def number(self, text: str) -> int | None:
        """The value that a word or number stands for, if it is one of this field's."""
        if text.lower() in self.words:
            return self.first + self.words.index(text.lower())
        value = int(text) if re.fullmatch(r"[0-9]{1,2}", text, re.ASCII) else -1
        return value if self.first <= value <= self.last else None


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of the week", 0, 6, _DAYS),
)


def check_cron(text: str) -> None:
    """Raise ConfigurationError, naming the field, for what is no cron expression of five fields."""
    words = text.split()
    if len(words) != len(_FIELDS):
        raise ConfigurationError(
            f"“{text}” is no cron expression",
            why=f"It has {len(words)} fields and not five: {', '.join(field.name for field in _FIELDS)}.",
            todo=_EXAMPLE,
        )
    for field, word in zip(_FIELDS, words, strict=True):
        for part in word.split(","):
            if not _is_part(field, part):
                raise ConfigurationError(
                    f"“{text}” is no cron expression",
                    why=f"“{part}” is no {field.name}: that is * or {field.first} to {field.last}, also as 1-5 or */2.",
                    todo=_EXAMPLE,
                )


def _is_part(field: _Field, part: str) -> bool:
    span, slash, step = part.partition("/")
    if slash and not (re.fullmatch(r"[0-9]{1,2}", step, re.ASCII) and 0 < int(step) <= field.last):
        return False
    if span == "*":
        return True
    low, dash, high = span.partition("-")
    first = field.number(low)
    if first is None:
        return False
    if not dash:
        return True
    last = field.number(high)
    return last is not None and first <= last
