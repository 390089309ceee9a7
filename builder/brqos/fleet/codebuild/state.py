"""What is known of a run's builds at one moment, and what follows from it: whom to ask, what to start again. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from brqos.aws.codebuild import Batch, Build, BuildState
from brqos.aws.logs import LogEvent
from brqos.fleet.codebuild.run import Run, RunBatch, Verdict

OVERLAP = 30_000
"""Milliseconds that are asked for again: CloudWatch Logs shows an event some time after it was said."""
QUIET = 30 * 60.0
"""Seconds without a sign of a build after which that is worth telling."""
MOST_MISSING = 3
"""So often in a row a batch or a build has to be unknown before it is gone; a new one may be unknown for a moment."""

MOST_LOOKED_AT = 25
"""Of builds that may still wait for a machine so many are looked at in one poll, in turn."""


class Told(StrEnum):
    """Something worth showing."""

    STARTED = "started"
    STEP = "step"
    QUIET = "quiet"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Shown:
    """What happened to a build; `text` is its step, or what is known of its end."""

    told: Told
    entry: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Watched:
    """One build in its latest batch; times are seconds, `step_time` milliseconds of the log's own clock."""

    entry: str
    identifier: str
    batch: int
    build: str = ""
    ended: BuildState | None = None
    stream: str = ""
    phase: str = ""
    step: str = ""
    step_time: int = 0
    sign: float = 0.0
    looked: float = 0.0
    missing: int = 0
    quiet: bool = False
    message: str = ""
    verdict: Verdict | None = None

    @property
    def runs(self) -> bool:
        """Whether it has a machine."""
        return self.verdict is None and bool(self.stream)


@dataclass(frozen=True, slots=True)
class BatchState:
    """A batch as it was seen last."""

    id: str
    ended: BuildState | None = None
    message: str = ""
    missing: int = 0


@dataclass(frozen=True, slots=True)
class State:
    """All of it; `since` and `seen` say which events of the log were there already."""

    batches: Mapping[int, BatchState]
    watched: Mapping[str, Watched]
    since: int = 0
    seen: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Poll:
    """What was heard at one time; what could not be asked is not in it.

    `missing` are batches, and `gone` builds, that nobody knows.
    """

    now: float
    batches: Mapping[int, Batch] = field(default_factory=dict)
    missing: frozenset[int] = frozenset()
    builds: Sequence[Build] = ()
    gone: frozenset[str] = frozenset()
    events: Sequence[LogEvent] = ()


def begin(run: Run, now: float) -> State:
    """The state of a run of which nothing is known but its file; builds that are over are not in it."""
    batches = {batch.number: BatchState(batch.id) for batch in run.batches if batch.id is not None}
    watched = {}
    for entry in run.entries:
        latest = latest_batch(run, entry.id)
        if latest.number in batches and entry.verdict is None:
            watched[entry.id] = Watched(entry.id, entry.identifier, latest.number, sign=now)
    needed = {one.batch for one in watched.values()}
    return State(
        {number: batch for number, batch in batches.items() if number in needed},
        watched,
        since=int(run.created.timestamp() * 1000),
    )


def latest_batch(run: Run, entry: str) -> RunBatch:
    """The last batch that has the build."""
    return next(batch for batch in reversed(run.batches) if entry in batch.entries)


def wanted_batches(state: State) -> list[int]:
    """The batches that are still to be asked for."""
    open_ = {one.batch for one in state.watched.values() if one.verdict is None}
    return sorted(number for number in open_ if state.batches[number].ended is None)


def wanted_builds(state: State) -> list[str]:
    """The builds that are to be looked at: those that ended and nobody knows how, and some of those without a log."""
    open_ = [one for one in state.watched.values() if one.build and one.verdict is None]
    over = [one for one in open_ if one.ended is not None or state.batches[one.batch].ended is not None]
    silent = sorted((one for one in open_ if not one.stream and one not in over), key=lambda one: one.looked)
    return [one.build for one in (*over, *silent[:MOST_LOOKED_AT])]


def lost(state: State) -> list[str]:
    """The builds that CodeBuild lost in their latest batch."""
    return [one.entry for one in state.watched.values() if one.verdict is Verdict.LOST]


def restarted(state: State, entry: str, number: int, batch_id: str, now: float) -> State:
    """The state with this build in another batch, that of this number."""
    again = Watched(entry, state.watched[entry].identifier, number, sign=now)
    batches = {**state.batches, number: state.batches.get(number, BatchState(batch_id))}
    return replace(state, batches=batches, watched={**state.watched, entry: again})


def running(state: State) -> Iterable[Watched]:
    """The builds that have a machine, those that spoke last first."""
    return sorted((one for one in state.watched.values() if one.runs), key=lambda one: (-one.step_time, one.entry))
