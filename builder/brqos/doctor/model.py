"""What a check found, and the report of all of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

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

    `version` is a version, an amount ("212 GB free") or empty; `needed` the same for what is asked for; `remedy` is
    empty where nothing is to be done.
    """

    name: str
    status: Status
    needed_for: tuple[Stage, ...]
    version: str = ""
    needed: str = ""
    remedy: str = ""

    @property
    def stops(self) -> bool:
        """Whether the work cannot go on so."""
        return self.status in {Status.MISSING, Status.TOO_OLD}

    def as_json(self) -> dict[str, object]:
        """The check for `--json`."""
        return {
            "name": self.name,
            "status": self.status.value,
            "version": self.version or None,
            "needed": self.needed or None,
            "remedy": self.remedy or None,
            "needed_for": [stage.value for stage in self.needed_for],
        }


@dataclass(frozen=True, slots=True)
class Report:
    """All checks of the stages asked for, in the order in which they matter."""

    stages: tuple[Stage, ...]
    checks: tuple[Check, ...]

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
