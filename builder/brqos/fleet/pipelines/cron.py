"""The five fields of a cron expression, as GitHub and GitLab take them. Pure.

GitHub: POSIX cron with `* , - /` and English names of months and days, no `@weekly`, UTC ("Events that trigger
workflows", schedule). GitLab's fugit takes all of that too. AWS writes the same in another way: see
`schedule_expression`.
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


def schedule_expression(text: str) -> str:
    """The expression as EventBridge Scheduler takes it, `cron(17 5 ? * MON *)`.

    It has six fields, days of the week from 1 = SUN, no steps for them, and one of the two kinds of days has to be `?`
    (EventBridge Scheduler User Guide, "Schedule types"): so every value is written out, and days by their names. Raises
    ConfigurationError for what is no cron expression, and for one that names both kinds of days: cron means either of
    them by that, and AWS refuses it.
    """
    check_cron(text)
    minute, hour, day, month, weekday = (
        _written(field, word) for field, word in zip(_FIELDS, text.split(), strict=True)
    )
    if "*" not in (day, weekday):
        raise ConfigurationError(
            f"“{text}” names days of the month and days of the week",
            why="EventBridge Scheduler takes one of them.",
            todo=_EXAMPLE,
        )
    return f"cron({minute} {hour} {day if weekday == '*' else '?'} {month} {'?' if weekday == '*' else weekday} *)"


def _written(field: _Field, word: str) -> str:
    values = sorted({value for part in word.split(",") for value in _values(field, part)})
    if len(values) == field.last - field.first + 1:
        return "*"
    return ",".join(_DAYS[value].upper() if field.words is _DAYS else str(value) for value in values)


def _values(field: _Field, part: str) -> range:
    """What a part that was checked stands for; `5/10` is 5, 15, ... to the end."""
    span, slash, step = part.partition("/")
    low, dash, high = span.partition("-")
    first = field.first if span == "*" else field.number(low)
    last = field.number(high) if dash else field.last if span == "*" or slash else first
    assert first is not None
    assert last is not None
    return range(first, last + 1, int(step or "1"))


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
