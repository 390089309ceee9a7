"""What an operation of CodeBuild is given, and its refusals."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from brqos.rehearsal.emulator.codebuild.progress import Progress
from brqos.rehearsal.emulator.codebuild.state import Builds, Project
from brqos.rehearsal.emulator.store import Store
from brqos.rehearsal.emulator.wire import Caller, ServiceError


@dataclass(frozen=True, slots=True)
class Call:
    """One call; the store is locked, and everything is as it is now."""

    store: Store
    progress: Progress
    asked: Mapping[str, Any]
    caller: Caller
    may: Callable[[Caller, str], bool]

    @property
    def builds(self) -> Builds:
        """All that there is of CodeBuild's."""
        return self.store.codebuild

    def arn(self, resource: str) -> str:
        """The ARN of a resource such as `project/x`."""
        caller = self.caller
        return f"arn:{caller.partition}:codebuild:{caller.region}:{caller.account}:{resource}"

    def place(self, name: str) -> tuple[str, str, str]:
        """The key of a project of the caller's in this region."""
        return self.caller.account, self.caller.region, name

    def project(self, name: str) -> Project:
        """The caller's project; raises ServiceError if there is none."""
        found = self.builds.projects.get(self.place(name))
        if found is None:
            raise ServiceError("ResourceNotFoundException", f"Project cannot be found: {self.arn(f'project/{name}')}")
        return found

    def text(self, name: str, default: str | None = None) -> str:
        """A string member; without a default it has to be there. Raises ServiceError."""
        value = self.asked.get(name, default)
        if not isinstance(value, str) or (not value and default is None):
            raise invalid(f"{name}: a string is expected that is not empty")
        return value

    def ids(self, name: str = "ids") -> list[str]:
        """A list of at most 100 strings that has to be there; raises ServiceError."""
        value = self.asked.get(name)
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            raise invalid(f"{name}: a list of strings is expected")
        if len(value) > 100:
            raise invalid(f"Invalid input: {name} must have at most 100 items, has {len(value)}")
        return value


Operation = tuple[Callable[[Call], dict[str, Any]], frozenset[str]]


def operation(carry_out: Callable[[Call], dict[str, Any]], *members: str) -> Operation:
    """An entry of a table of operations: what does it, and the members that it knows."""
    return carry_out, frozenset(members)


def invalid(message: str) -> ServiceError:
    """An InvalidInputException."""
    return ServiceError("InvalidInputException", message)
