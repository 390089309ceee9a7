"""What a check found, and the report of all of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from brqos.doctor.remedies import Packages
from brqos.stages import Stage


class Status(StrEnum):
    """How a check ended. Only `too-old` and `missing` stop the work."""

    FOUND = "found"
    TOO_OLD = "too-old"
    MISSING = "missing"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Check:
    """One tool or resource: what was found, what is needed, for which stages, and what to do if it is not there.

    `version` is a version, an amount ("212 GB free"), what is wrong ("does not run"), or empty; `needed` the same for
    what is asked for; `remedy` is empty where nothing is to be done. `packages` are those that bring what is missing.
    What is `optional` is needed for a part of the work only, as its remedy says, and stops nothing.
    """

    name: str
    status: Status
    needed_for: tuple[Stage, ...]
    version: str = ""
    needed: str = ""
    remedy: str = ""
    packages: Packages | None = None
    optional: bool = False

    @property
    def stops(self) -> bool:
        """Whether the work cannot go on so."""
        return not self.optional and self.status in {Status.MISSING, Status.TOO_OLD}

    @property
    def is_there(self) -> bool:
        """Whether all is well with it."""
        return self.status is Status.FOUND

    def as_json(self) -> dict[str, object]:
        """The check for `--json`; what is optional and not there is a warning."""
        status = Status.WARNING if self.optional and not self.is_there else self.status
        return {
            "name": self.name,
            "status": status.value,
            "version": self.version or None,
            "needed": self.needed or None,
            "remedy": self.remedy or None,
            "needed_for": [stage.value for stage in self.needed_for],
        }


@dataclass(frozen=True, slots=True)
class Report:
    """All checks of the stages asked for, in the order in which they matter.

    `at_once` is the command that installs all that is lacking and comes in packages; empty where the remedies of the
    checks say as much.
    """

    stages: tuple[Stage, ...]
    checks: tuple[Check, ...]
    at_once: str = ""

    @property
    def lacking(self) -> tuple[Check, ...]:
        """What has to be put right first."""
        return tuple(check for check in self.checks if check.stops)

    def as_json(self) -> dict[str, object]:
        """The report for `--json`."""
        return {
            "ok": not self.lacking,
            "stages": [stage.value for stage in self.stages],
            "checks": [check.as_json() for check in self.checks],
        }


def in_order(stages: Iterable[Stage]) -> tuple[Stage, ...]:
    """The stages once each, in the order of the work."""
    wanted = set(stages)
    return tuple(stage for stage in Stage if stage in wanted)
