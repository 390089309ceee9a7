"""One call of SSM, and what all operations need: members of the right type, pages, the caller's parameters."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from brqos.rehearsal.emulator.paging import UnknownTokenError
from brqos.rehearsal.emulator.parameters import Parameter
from brqos.rehearsal.emulator.store import Store
from brqos.rehearsal.emulator.wire import Caller, ServiceError

_T = TypeVar("_T")
_DEFAULT_PAGE = 10


@dataclass(frozen=True, slots=True)
class SsmCall:
    """What an operation is given; the store is locked while it works."""

    store: Store
    asked: Mapping[str, Any]
    caller: Caller
    may: Callable[[Caller, str], bool]

    @property
    def parameters(self) -> dict[str, Parameter]:
        """The caller's parameters in this region."""
        return self.store.parameters.of(self.caller, self.store)

    def arn(self, name: str) -> str:
        """The ARN of a parameter."""
        caller = self.caller
        return f"arn:{caller.partition}:ssm:{caller.region}:{caller.account}:parameter/{name.removeprefix('/')}"

    def text(self, name: str, default: str | None = None, longest: int = 1 << 20) -> str:
        """A string member; without a default it has to be there. Raises ServiceError."""
        value = self.asked.get(name, default)
        if value is None:
            raise invalid(f"1 validation error detected: Value null at '{name[0].lower()}{name[1:]}' must not be null")
        if not isinstance(value, str) or len(value) > longest:
            raise invalid(f"{name} must be a string of at most {longest} characters")
        return value

    def flag(self, name: str) -> bool:
        """A boolean member; raises ServiceError."""
        value = self.asked.get(name, False)
        if not isinstance(value, bool):
            raise ServiceError("SerializationException", f"{name} must be a boolean")
        return value

    def texts(self, name: str, most: int) -> list[str]:
        """A list of 1 to `most` strings that has to be there; raises ServiceError."""
        value = self.asked.get(name)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise invalid(f"{name} must be a list of strings")
        if not 1 <= len(value) <= most:
            raise invalid(f"{name} must have 1 to {most} members")
        return value

    def page(
        self, key: str, things: Sequence[_T], key_of: Callable[[_T], str], largest: int
    ) -> tuple[list[_T], str | None]:
        """This page of the things, at most `largest`, and the token of the next one; raises ServiceError."""
        size = self.asked.get("MaxResults", min(_DEFAULT_PAGE, largest))
        if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= largest:
            raise invalid(f"MaxResults must be between 1 and {largest}")
        by_key = {key_of(thing): thing for thing in things}
        query = f"{key} {self.caller.account} {self.caller.region}"
        try:
            keys, token = self.store.pager.page(query, list(by_key), size, self.asked.get("NextToken"))
        except UnknownTokenError:
            raise ServiceError("InvalidNextToken", "The specified token is not valid.") from None
        return [by_key[each] for each in keys if each in by_key], token


Operation = tuple[Callable[[SsmCall], dict[str, Any]], frozenset[str]]


def operation(carry_out: Callable[[SsmCall], dict[str, Any]], *members: str) -> Operation:
    """An entry of a table of operations: what does it, and the members that it knows."""
    return carry_out, frozenset(members)


def invalid(message: str) -> ServiceError:
    """A ValidationException."""
    return ServiceError("ValidationException", message)


def parameter_not_found(name: str) -> ServiceError:
    """What SSM says of a parameter that it does not know."""
    return ServiceError("ParameterNotFound", f"Parameter {name} not found.")
