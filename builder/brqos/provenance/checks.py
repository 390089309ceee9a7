"""What was checked of a build's documents, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """`not-checked`: nothing was there to hold it against, or nobody asked for it."""

    OK = "ok"
    FAILED = "failed"
    NOT_CHECKED = "not-checked"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; `of_aws` where AWS was asked, `told` says what was found."""

    what: str
    verdict: Verdict
    told: str = ""
    of_aws: bool = False


def ok(what: str, told: str = "") -> Check:
    """A check that went well."""
    return Check(what, Verdict.OK, told)


def failed(what: str, told: str) -> Check:
    """A check that did not."""
    return Check(what, Verdict.FAILED, told)


def not_checked(what: str, told: str) -> Check:
    """Something that could not be, or was not to be checked."""
    return Check(what, Verdict.NOT_CHECKED, told)


def compared(what: str, found: object, expected: object, *, told: str = "") -> Check:
    """Whether it is what was expected; `told` is what is said where it is."""
    return ok(what, told) if found == expected else failed(what, f"is {_told(found)}, not {_told(expected)}")


def _told(value: object) -> object:
    return "not told" if value is None else value


def failures(checks: Sequence[Check]) -> list[Check]:
    """The checks that did not go well."""
    return [check for check in checks if check.verdict is Verdict.FAILED]
