"""What polls make of a run: whatever is lost or comes twice, the verdicts are those that CodeBuild gave."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brqos.aws.codebuild import Batch, BatchMember, Build, BuildState
from brqos.aws.logs import LogEvent
from brqos.fleet.codebuild.run import Verdict
from brqos.fleet.codebuild.state import (
    MOST_LOOKED_AT,
    MOST_MISSING,
    QUIET,
    Poll,
    State,
    Told,
    begin,
    lost,
    restarted,
    running,
    wanted_batches,
    wanted_builds,
)
from brqos.fleet.codebuild.watching import advance
from fleet.codebuild.parts import run

ENDS = {
    BuildState.SUCCEEDED: Verdict.BUILT,
    BuildState.FAILED: Verdict.FAILED,
    BuildState.FAULT: Verdict.LOST,
    BuildState.STOPPED: Verdict.STOPPED,
    BuildState.TIMED_OUT: Verdict.TIMED_OUT,
}
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def batch(
    *members: BatchMember, state: BuildState = BuildState.IN_PROGRESS, number: int = 1, message: str = ""
) -> Batch:
    return Batch(f"brqos:batch-{number}", state, "", message, members, NOW, None)


def member(number: int, state: BuildState = BuildState.IN_PROGRESS, build: bool = True) -> BatchMember:
    return BatchMember(f"x{number}", f"brqos:u{number}" if build else None, state)


def build(number: int, state: BuildState = BuildState.IN_PROGRESS, *, begun: bool = True, message: str = "") -> Build:
    stream = f"u{number}" if begun else ""
    return Build(f"brqos:u{number}", f"x{number}", state, "BUILD", message, "group", stream, None, None, 0)


def event(number: int, text: str, time: int, stream: int = 0) -> LogEvent:
    return LogEvent(f"e{number}", f"u{stream}", time, time, f"::brqos:: {text}")


def after(*polls: Poll, count: int = 1) -> tuple[State, list[Told]]:
    state, told = begin(run(count), 0.0), []
    for poll in polls:
        state, shown = advance(state, poll)
        told += [one.told for one in shown]
    return state, told


@dataclass
class World:
    """A CodeBuild whose builds go through their lives, each to its own end."""

    ends: list[BuildState]
    lives: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lives = [0] * len(self.ends)

    def live(self, number: int) -> None:
        """0: no build, 1: waits, 2: runs, 3: over."""
        self.lives[number] = min(3, self.lives[number] + 1)

    def state(self, number: int) -> BuildState:
        return self.ends[number] if self.lives[number] == 3 else BuildState.IN_PROGRESS

    def batch(self) -> Batch:
        members = [member(n, self.state(n), build=life > 0) for n, life in enumerate(self.lives)]
        over = all(life == 3 for life in self.lives)
        bad = any(end is not BuildState.SUCCEEDED for end in self.ends)
        state = (BuildState.FAILED if bad else BuildState.SUCCEEDED) if over else BuildState.IN_PROGRESS
        return batch(*members, state=state)

    def build(self, name: str) -> Build | None:
        number = int(name.removeprefix("brqos:u"))
        return build(number, self.state(number), begun=self.lives[number] > 1) if self.lives[number] else None


@given(
    ends=st.lists(st.sampled_from(list(ENDS)), min_size=1, max_size=6),
    seed=st.integers(0, 2**32),
    loss=st.floats(0, 0.8),
    repeats=st.floats(0, 0.8),
)
def test_any_sequence_of_polls_ends_in_the_same_verdicts(
    ends: list[BuildState], seed: int, loss: float, repeats: float
) -> None:
    """Answers get lost in part, and old ones come again; nothing that is over is ever taken back."""
    chance, world = random.Random(seed), World(ends)
    state, old, verdicts = begin(run(len(ends)), 0.0), [], {}
    for turn in range(400):
        if chance.random() < 0.5:
            world.live(chance.randrange(len(ends)))
        asked = [number for number in wanted_batches(state) if chance.random() >= loss]
        names = [name for name in wanted_builds(state) if chance.random() >= loss]
        builds = [found for name in names if (found := world.build(name))]
        poll = Poll(float(turn), {number: world.batch() for number in asked}, frozenset(), builds)
        if old and chance.random() < repeats:
            poll = chance.choice(old)
        old.append(poll)
        state, _ = advance(state, poll)
        for entry, one in state.watched.items():
            if one.verdict is not None:
                assert verdicts.setdefault(entry, one.verdict) is one.verdict
    while wanted_builds(state) or wanted_batches(state):
        for number in range(len(ends)):
            world.live(number)
        builds = [found for name in wanted_builds(state) if (found := world.build(name))]
        state, _ = advance(state, Poll(1000.0, {1: world.batch()}, frozenset(), builds))
    assert [state.watched[f"b{n}"].verdict for n in range(len(ends))] == [ENDS[end] for end in ends]
    assert [entry for entry, one in state.watched.items() if one.verdict is Verdict.LOST] == lost(state)


def test_a_build_that_waited_too_long_is_lost_and_one_that_ran_too_long_is_not() -> None:
    ended = BuildState.TIMED_OUT
    polls = [Poll(1.0, {1: batch(member(0, ended), member(1, ended))})]
    builds = [build(0, ended, begun=False), build(1, ended)]
    state, _ = after(*polls, Poll(2.0, builds=builds), count=2)
    assert [one.verdict for one in state.watched.values()] == [Verdict.LOST, Verdict.TIMED_OUT]


@pytest.mark.parametrize(
    ("ended", "verdict"),
    [
        (BuildState.FAULT, Verdict.LOST),
        (BuildState.TIMED_OUT, Verdict.LOST),
        (BuildState.STOPPED, Verdict.STOPPED),
        (BuildState.FAILED, Verdict.FAILED),
    ],
)
def test_a_batch_that_ends_before_its_builds_begin(ended: BuildState, verdict: Verdict) -> None:
    state, told = after(Poll(1.0, {1: batch(state=ended, message="YAML_FILE_ERROR: no")}), count=2)
    assert {one.verdict for one in state.watched.values()} == {verdict}
    assert {one.message for one in state.watched.values()} == {"YAML_FILE_ERROR: no"}
    assert told == [Told.OVER, Told.OVER]


def test_a_batch_is_gone_only_when_it_is_missing_again_and_again() -> None:
    missing = Poll(1.0, missing=frozenset({1}))
    state, _ = after(*[missing] * (MOST_MISSING - 1))
    assert state.watched["b0"].verdict is None
    state, _ = advance(state, Poll(2.0, {1: batch(member(0))}))
    for _ in range(MOST_MISSING - 1):
        state, _ = advance(state, missing)
    assert wanted_batches(state) == [1]
    state, _ = advance(state, missing)
    assert wanted_batches(state) == []
    state, _ = advance(state, Poll(3.0, builds=[build(0, BuildState.SUCCEEDED)]))
    assert state.watched["b0"].verdict is Verdict.BUILT, "its build is known, and counts"


def test_builds_that_were_deleted_are_not_waited_for() -> None:
    """With the batch its builds go; whoever follows would ask for them for ever."""
    known = Poll(1.0, {1: batch(member(0))}, builds=[build(0)])
    no_batch, no_build = Poll(2.0, missing=frozenset({1})), Poll(3.0, gone=frozenset({"brqos:u0"}))
    state, _ = after(known, *[no_build] * (2 * MOST_MISSING))
    assert state.watched["b0"].verdict is None, "its batch says that it goes on"
    state, _ = after(known, *[no_batch] * MOST_MISSING, *[no_build] * (MOST_MISSING - 1))
    assert wanted_builds(state) == ["brqos:u0"]
    heard, _ = advance(state, Poll(4.0, builds=[build(0)]))
    heard, _ = advance(heard, no_build)
    assert heard.watched["b0"].verdict is None, "it was seen in between"
    state, told = advance(state, no_build)
    assert (wanted_builds(state), wanted_batches(state)) == ([], [])
    assert state.watched["b0"].verdict is Verdict.STOPPED
    assert [(one.told, one.text) for one in told] == [(Told.OVER, "The build is not there any more.")]


def test_what_a_build_says_is_shown_once() -> None:
    known = Poll(1.0, {1: batch(member(0))}, builds=[build(0)])
    events = (event(1, "one", 1_000_000), event(2, "two", 1_001_000))
    state, told = after(known, Poll(2.0, events=events), Poll(3.0, events=events), Poll(4.0, events=events[:1]))
    assert told == [Told.STARTED, Told.STEP]
    assert state.watched["b0"].step == "two"
    assert [one.entry for one in running(state)] == ["b0"]


def test_late_events_are_asked_for_and_old_ones_forgotten() -> None:
    known = Poll(1.0, {1: batch(member(0))}, builds=[build(0)])
    begun = begin(run(), 0.0).since
    state, _ = after(known, Poll(2.0, events=(event(1, "one", begun + 100_000),)))
    assert state.since == begun + 70_000
    state, _ = advance(state, Poll(3.0, events=(event(2, "earlier", begun + 80_000),)))
    assert state.watched["b0"].step == "one"
    state, _ = advance(state, Poll(4.0, events=(event(3, "later", begun + 200_000),)))
    assert set(state.seen) == {"e3"}


def test_events_of_others_are_nothing_to_us() -> None:
    state, told = after(Poll(1.0, {1: batch(member(0))}), Poll(2.0, events=(event(1, "x", 9_000_000, stream=7),)))
    assert told == []
    assert not state.seen


def test_what_a_build_says_tells_that_it_has_begun() -> None:
    state, told = after(Poll(1.0, {1: batch(member(0))}), Poll(2.0, events=(event(1, "x", 1_000_000),)))
    assert told == [Told.STARTED, Told.STEP]
    assert wanted_builds(state) == []


def test_silence_is_told_once_and_again_after_a_sign() -> None:
    known = Poll(1.0, {1: batch(member(0))}, builds=[build(0)])
    quiet = [Poll(1.0 + QUIET), Poll(2.0 + QUIET), Poll(3.0 + QUIET)]
    _, told = after(known, *quiet)
    assert told.count(Told.QUIET) == 1
    sign = Poll(4.0 + QUIET, events=(event(1, "x", 1_000_000),))
    _, told = after(known, *quiet, sign, Poll(4.0 + 2 * QUIET))
    assert told.count(Told.QUIET) == 2
    _, told = after(Poll(1.0, {1: batch(member(0))}), *quiet)
    assert Told.QUIET not in told, "one that waits for a machine is not silent"


def test_only_what_is_not_known_is_looked_at() -> None:
    count = 3 * MOST_LOOKED_AT
    state, _ = after(Poll(1.0, {1: batch(*map(member, range(count)))}), count=count)
    seen: set[str] = set()
    for turn in range(3):
        asked = wanted_builds(state)
        assert len(asked) == MOST_LOOKED_AT
        seen.update(asked)
        waiting = [build(int(name.removeprefix("brqos:u")), begun=False) for name in asked]
        state, _ = advance(state, Poll(2.0 + turn, builds=waiting))
    assert len(seen) == count, "all of them in turn"
    state, _ = advance(state, Poll(9.0, builds=[build(n) for n in range(count)]))
    assert wanted_builds(state) == []
    state, _ = advance(
        state, Poll(9.0, {1: batch(*(member(n) for n in range(1, count)), member(0, BuildState.FAILED))})
    )
    assert wanted_builds(state) == ["brqos:u0"]


def test_a_new_attempt_knows_nothing_of_the_old_one() -> None:
    state, _ = after(Poll(1.0, {1: batch(member(0, BuildState.FAULT))}))
    assert lost(state) == ["b0"]
    state = restarted(state, "b0", 2, "brqos:batch-2", 2.0)
    assert lost(state) == []
    state, _ = advance(state, Poll(3.0, {1: batch(member(0, BuildState.FAULT))}))
    assert state.watched["b0"].verdict is None, "the old batch says it again"
    again = BatchMember("x0", "brqos:again", BuildState.SUCCEEDED)
    state, _ = advance(state, Poll(4.0, {2: batch(again, number=2)}))
    assert state.watched["b0"].verdict is Verdict.BUILT
