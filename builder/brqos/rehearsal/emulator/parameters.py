"""The parameters of SSM's Parameter Store, with all their versions; writes that wait for a check come in late."""

from dataclasses import dataclass, field
from typing import Protocol

from brqos.rehearsal.emulator.records import Image
from brqos.rehearsal.emulator.wire import Caller

IMAGE_TYPE = "aws:ec2:image"
"""The data type whose values are checked to be images, some time after the call has succeeded."""


@dataclass(slots=True)
class Version:
    """One version of a parameter."""

    number: int
    value: str
    type: str
    modified_at: float
    user: str
    description: str = ""
    data_type: str = "text"
    tier: str = "Standard"
    allowed_pattern: str = ""
    key_id: str = ""
    policies: str = ""
    labels: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Parameter:
    """A parameter and its history, the oldest version first."""

    name: str
    arn: str
    versions: list[Version]
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def latest(self) -> Version:
        """The version that counts where none is named."""
        return self.versions[-1]


class Images(Protocol):
    """What the check of an image looks at."""

    images: dict[str, Image]

    def clock(self) -> float:
        """The time in seconds."""

    def visible(self, image: Image, account: str) -> bool:
        """Whether that account may see the image."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    due: float
    place: tuple[str, str]
    parameter: Parameter
    allowed: bool


class Parameters:
    """All parameters, per account and region."""

    def __init__(self) -> None:
        self._by_place: dict[tuple[str, str], dict[str, Parameter]] = {}
        self._waiting: list[_Waiting] = []

    def of(self, caller: Caller, store: Images) -> dict[str, Parameter]:
        """The caller's parameters in the region that they ask, by name; to be read and to be changed."""
        return self.at(caller.account, caller.region, store)

    def at(self, account: str, region: str, store: Images) -> dict[str, Parameter]:
        """The parameters of an account in a region."""
        self._settle(store)
        return self._by_place.setdefault((account, region), {})

    def all(self, caller: Caller, store: Images) -> list[Parameter]:
        """The caller's parameters in the region that they ask."""
        return list(self.of(caller, store).values())

    def places(self, store: Images) -> dict[tuple[str, str], dict[str, Parameter]]:
        """Everything, by account and region."""
        self._settle(store)
        return self._by_place

    def value_of(self, caller: Caller, name: str, store: Images) -> str | None:
        """The value that a reference such as `name` or `name:3` or `name:label` means; None where there is none."""
        base, _, selector = name.partition(":")
        parameter = self.of(caller, store).get(base)
        if parameter is None:
            return None
        for version in reversed(parameter.versions):
            if not selector or selector == str(version.number) or selector in version.labels:
                return version.value
        return None

    def write_later(self, caller: Caller, parameter: Parameter, due: float, *, allowed: bool) -> None:
        """Keep a version (the only one of `parameter`) until it is due; it comes in if it names an image then.

        `allowed` says whether the caller may see images at all: the check works with the caller's permissions.
        """
        self._waiting.append(_Waiting(due, (caller.account, caller.region), parameter, allowed))

    def _settle(self, store: Images) -> None:
        now = store.clock()
        due = [each for each in self._waiting if each.due <= now]
        if not due:
            return
        self._waiting = [each for each in self._waiting if each.due > now]
        for each in due:
            if each.allowed and _is_available(store, each):
                merge(self._by_place.setdefault(each.place, {}), each.parameter)


def merge(parameters: dict[str, Parameter], written: Parameter) -> Version:
    """Add the one version of `written` to what is there of that name, with the next number."""
    known = parameters.setdefault(written.name, Parameter(written.name, written.arn, [], written.tags))
    version = written.versions[0]
    version.number = known.versions[-1].number + 1 if known.versions else 1
    known.versions.append(version)
    return version


def _is_available(store: Images, waiting: _Waiting) -> bool:
    account, region = waiting.place
    image = store.images.get(waiting.parameter.latest.value)
    if image is None or image.region != region or not store.visible(image, account):
        return False
    return image.state(store.clock()) == "available"
