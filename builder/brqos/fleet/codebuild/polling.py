"""Asking how a run's builds are: little, and again later where AWS does not answer.

All batches are asked for in one call, only those builds of which something is not known yet, and of the log only our
own lines: what it costs goes by what changes.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from brqos.aws.codebuild import CodeBuild
from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.logs import LogEvent, Logs
from brqos.errors import AwsError
from brqos.fleet.codebuild.buildspec import PATTERN
from brqos.fleet.codebuild.state import Poll, State, wanted_batches, wanted_builds
from brqos.fleet.codebuild.watching import advance
from brqos.monitor import Monitor

_T = TypeVar("_T")
HOPELESS = frozenset({ErrorKind.ACCESS_DENIED, ErrorKind.CREDENTIALS, ErrorKind.EXPIRED, ErrorKind.PROFILE})
"""A login that has run out does not come back by waiting."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between two polls: more with more builds, and twice as many after each that failed, up to `longest`."""

    shortest: float = 5.0
    longest: float = 60.0
    per_build: float = 0.025

    def seconds(self, builds: int, failures: int) -> float:
        """How long to wait; between four and six fifths of it by chance, so that many do not ask at one moment."""
        usual = min(self.longest, self.shortest + self.per_build * builds)
        backed_off = min(self.longest, usual * 2.0 ** min(failures, 8))
        chance: float = random.uniform(0.8, 1.2)  # noqa: S311 - nothing secret depends on it
        return backed_off * chance


@dataclass
class Poller:
    """Asks about one run, whose id is `run`; `failures` is how often in a row something was not answered."""

    run: str
    log_group: str
    codebuild: CodeBuild
    logs: Logs
    monitor: Monitor
    clock: Callable[[], float]
    failures: int = 0
    _deaf: bool = False

    def ask(self, state: State) -> tuple[Poll, bool]:
        """What can be heard now, and whether something could not; raises AwsError where waiting is no use."""
        failures: list[AwsCallError] = []
        numbers = wanted_batches(state)
        ids = {state.batches[number].id: number for number in numbers}
        batches = _heard(lambda: self.codebuild.batches(list(ids)), failures) if ids else []
        found = {ids[batch.id]: batch for batch in batches or ()}
        missing = frozenset(numbers) - found.keys() if batches is not None else frozenset()
        # Builds that have just ended are looked at in the same breath.
        state, _ = advance(state, Poll(self.clock(), found))
        builds = wanted_builds(state)
        looked = _heard(lambda: self.codebuild.builds(builds), failures) if builds else []
        gone = frozenset(builds) - {build.id for build in looked} if looked is not None else frozenset()
        events = self._said(state, failures)
        self.note(failures)
        poll = Poll(self.clock(), found, missing, tuple(looked or ()), gone, tuple(events))
        return poll, bool(failures)

    def _said(self, state: State, failures: list[AwsCallError]) -> Sequence[LogEvent]:
        """What builds have printed since; without the permission to read logs a run is followed without."""
        if self._deaf:
            return ()
        own: list[AwsCallError] = []
        group = self.log_group
        events = _heard(lambda: list(self.logs.events(group, since=state.since, pattern=PATTERN)), own)
        if own and own[0].kind is ErrorKind.ACCESS_DENIED:
            self._deaf = True
            self.monitor.warn(f"the builds' logs may not be read, so their steps are not shown: {own[0].what}")
        else:
            failures += own
        return events or ()

    def note(self, failures: Sequence[AwsCallError]) -> None:
        """Tell once that AWS does not answer, and once that it does again; raises AwsError where waiting is no use."""
        for error in failures:
            if error.kind in HOPELESS:
                raise AwsError(
                    "the run cannot be followed any more; its builds go on",
                    why=f"{error.what}{': ' if error.why else ''}{error.why}",
                    todo=f"{error.todo} Then: brqos status --follow {self.run}",
                ) from error
        if failures and not self.failures:
            self.monitor.warn(f"{failures[0].what}; the builds go on, and so does asking")
        if self.failures and not failures:
            self.monitor.note("AWS answers again.")
        self.failures = self.failures + 1 if failures else 0


def _heard(ask: Callable[[], _T], failures: list[AwsCallError]) -> _T | None:
    try:
        return ask()
    except AwsCallError as error:
        failures.append(error)
        return None
