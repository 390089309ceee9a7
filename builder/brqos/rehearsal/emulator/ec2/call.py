"""One call of EC2, and what all actions need: members, ids, pages, tags, times."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from brqos.rehearsal.emulator.faults import Faults
from brqos.rehearsal.emulator.paging import UnknownTokenError
from brqos.rehearsal.emulator.store import Store
from brqos.rehearsal.emulator.wire import Caller, ServiceError

_T = TypeVar("_T")


class Owned(Protocol):
    """Something that lies in a region and belongs to an account."""

    region: str
    owner: str


@dataclass(frozen=True, slots=True)
class Ec2Call:
    """What an action is given; the store is locked while it works."""

    store: Store
    faults: Faults
    asked: Mapping[str, Any]
    caller: Caller

    @property
    def now(self) -> float:
        """The store's time."""
        return self.store.clock()

    def here(self, thing: Owned) -> bool:
        """Whether a thing belongs to the caller and lies in the region that is asked."""
        return (thing.region, thing.owner) == (self.caller.region, self.caller.account)

    def required(self, name: str) -> str:
        """A parameter that has to be there; raises ServiceError."""
        value = self.asked.get(name)
        if not isinstance(value, str) or not value:
            raise ServiceError("MissingParameter", f"The request must contain the parameter {name}")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """A boolean parameter; raises ServiceError for anything but true and false."""
        value = self.asked.get(name)
        if value is None:
            return default
        if value not in ("true", "false"):
            raise ServiceError("InvalidParameterValue", f"Value ({value}) for parameter {name} is invalid.")
        return bool(value == "true")

    def page(
        self,
        key: str,
        things: Sequence[_T],
        key_of: Callable[[_T], str],
        *,
        ids: str = "",
        least: int = 5,
        most: int = 1000,
    ) -> tuple[list[_T], str | None]:
        """This page of the things and the token of the next; raises ServiceError.

        `ids` is the parameter that asks for single things: it does not go with MaxResults. `least` and `most` are the
        smallest and the largest page that may be asked for.
        """
        size = self.asked.get("MaxResults")
        if size is not None:
            if ids and self.asked.get(ids):
                message = "The parameter MaxResults cannot be used with the parameter " + ids
                raise ServiceError("InvalidParameterCombination", message)
            if not str(size).isdecimal() or not least <= int(size) <= most:
                raise ServiceError("InvalidParameterValue", f"Value ({size}) for parameter maxResults is invalid.")
        by_key = {key_of(thing): thing for thing in things}
        query = repr((key, self.caller.account, self.caller.region, self.asked.get("Filter"), self.asked.get("Owner")))
        try:
            keys, token = self.store.pager.page(
                query,
                list(by_key),
                None if size is None else int(size),
                self.asked.get("NextToken"),
                cut=not (ids and self.asked.get(ids)),
            )
        except UnknownTokenError:
            raise ServiceError("InvalidNextToken", "The token is not valid or has expired") from None
        return [by_key[each] for each in keys if each in by_key], token


Action = Callable[[Ec2Call], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Known:
    """An action and the parameters that it knows, beside those that all of them know."""

    carry_out: Action
    members: frozenset[str]


def action(carry_out: Action, *members: str) -> Known:
    """An entry of a table of actions."""
    return Known(carry_out, frozenset(members))


def checked_id(kind: str, value: str, code: str) -> str:
    """An id of that kind (`ami`, `snap`) spelt as one; raises ServiceError with this code."""
    if not re.fullmatch(rf"{kind}-([0-9a-f]{{8}}|[0-9a-f]{{17}}|rehearsal[0-9a-f]{{8}})", value):
        raise ServiceError(code, f'Invalid id: "{value}"')
    return value


def timestamp(seconds: float) -> str:
    """A time as EC2 writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def seconds_of(text: str) -> float | None:
    """A time as clients write it, in seconds; None where it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def tag_set(tags: Mapping[str, str]) -> list[dict[str, str]] | None:
    """Tags as members of an answer; EC2 leaves the set out where there are none."""
    return [{"key": key, "value": value} for key, value in sorted(tags.items())] or None
