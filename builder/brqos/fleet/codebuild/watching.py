"""What is known of a run's builds while it goes on: a state, and what a poll makes of it. Pure.

Polls may be lost, come twice, or tell of builds only half: a verdict follows from how a build ended and from nothing
else, and once it is there it stays. A build that CodeBuild itself lost (FAULT, or TIMED_OUT while it waited for a
machine) may be started again; one that failed by itself may not.
"""

from dataclasses import replace

from brqos.aws.codebuild import BatchMember, Build, BuildState
from brqos.fleet.codebuild.buildspec import MARK
from brqos.fleet.codebuild.run import Verdict
from brqos.fleet.codebuild.state import MOST_MISSING, OVERLAP, QUIET, BatchState, Poll, Shown, State, Told, Watched


def advance(state: State, poll: Poll) -> tuple[State, list[Shown]]:
    """What a poll makes of the state, and what of it is worth showing."""
    batches = {number: _batch(batch, number, poll) for number, batch in state.batches.items()}
    watched = dict(state.watched)
    for number, batch in poll.batches.items():
        by_identifier = {one.identifier: one for one in watched.values() if one.batch == number}
        for member in batch.members:
            if (one := by_identifier.get(member.identifier)) is not None:
                watched[one.entry] = _member(one, member, poll.now)
    by_build = {one.build: one.entry for one in watched.values() if one.build}
    for build in poll.builds:
        if (entry := by_build.get(build.id)) is not None:
            watched[entry] = _build(watched[entry], build, poll.now)
    for entry, one in watched.items():
        known = _gone(one, batches[one.batch]) if one.build in poll.gone else one
        watched[entry] = _without_build(known, batches[one.batch])
    after = replace(state, batches=batches, watched=watched)
    after = _events(after, poll)
    shown = _shown(state, after)
    return _quiet(after, poll.now, shown), shown


def _batch(before: BatchState, number: int, poll: Poll) -> BatchState:
    if (batch := poll.batches.get(number)) is not None:
        ended = before.ended or (batch.state if batch.state.ended else None)
        return replace(before, ended=ended, message=batch.message or before.message, missing=0)
    if number not in poll.missing or before.ended is not None:
        return before
    missing = before.missing + 1
    if missing < MOST_MISSING:
        return replace(before, missing=missing)
    return replace(before, missing=missing, ended=BuildState.STOPPED, message="The batch is not there any more.")


def _member(one: Watched, member: BatchMember, now: float) -> Watched:
    if one.verdict is not None:
        return one
    build = one.build or member.build or ""
    ended = one.ended or (member.state if member.state.ended else None)
    changed = (build, ended) != (one.build, one.ended)
    after = replace(one, build=build, ended=ended, sign=now if changed else one.sign)
    match ended:
        case BuildState.SUCCEEDED:
            return replace(after, verdict=Verdict.BUILT)
        case BuildState.FAULT:
            return replace(after, verdict=Verdict.LOST)
        case BuildState.STOPPED:
            return replace(after, verdict=Verdict.STOPPED)
    # Of the others it takes the build itself to tell: whether it had begun, and why it failed.
    return after


def _build(one: Watched, build: Build, now: float) -> Watched:
    if one.verdict is not None:
        return one
    stream = build.log_stream or one.stream
    changed = (stream, build.phase) != (one.stream, one.phase)
    ended = one.ended or (build.state if build.state.ended else None)
    after = replace(
        one,
        stream=stream,
        phase=build.phase or one.phase,
        message=build.message or one.message,
        ended=ended,
        sign=now if changed else one.sign,
        looked=now,
        missing=0,
    )
    if ended is None or not build.state.ended:
        return after
    return replace(after, verdict=_verdict(build))


def _verdict(build: Build) -> Verdict:
    match build.state:
        case BuildState.SUCCEEDED:
            return Verdict.BUILT
        case BuildState.FAULT:
            return Verdict.LOST
        case BuildState.STOPPED:
            return Verdict.STOPPED
        case BuildState.TIMED_OUT:
            waited = not build.log_stream
            return Verdict.LOST if waited else Verdict.TIMED_OUT
    return Verdict.FAILED


def _gone(one: Watched, batch: BatchState) -> Watched:
    """A build that was deleted, by its batch or alone, before anybody saw how it ended."""
    after = replace(one, missing=one.missing + 1)
    if one.verdict is not None or after.missing < MOST_MISSING or (one.ended or batch.ended) is None:
        return after
    return replace(after, verdict=Verdict.STOPPED, message="The build is not there any more.")


def _without_build(one: Watched, batch: BatchState) -> Watched:
    """A build that CodeBuild never began, and never will."""
    how = one.ended or batch.ended
    if one.verdict is not None or one.build or how is None:
        return one
    match how:
        case BuildState.FAULT | BuildState.TIMED_OUT:
            verdict = Verdict.LOST
        case BuildState.STOPPED:
            verdict = Verdict.STOPPED
        case _:
            verdict = Verdict.FAILED
    return replace(one, verdict=verdict, message=batch.message or "CodeBuild began no build of it.")


def _events(state: State, poll: Poll) -> State:
    by_stream = {_stream_of(one): one.entry for one in state.watched.values() if one.build}
    watched, seen, newest = dict(state.watched), dict(state.seen), state.since + OVERLAP
    for event in poll.events:
        entry = by_stream.get(event.stream)
        if entry is None or event.id in seen:
            # Not seen and of no build: of another run, or of a build that is not known yet, and then it comes again.
            continue
        seen[event.id] = event.time
        newest = max(newest, event.time)
        one = watched[entry]
        if event.time >= one.step_time and one.verdict is None:
            step = event.message.partition(MARK)[2].strip() or one.step
            watched[entry] = replace(
                one, stream=event.stream, step=step, step_time=event.time, sign=poll.now, quiet=False
            )
    since = newest - OVERLAP
    if since != state.since:
        seen = {event: time for event, time in seen.items() if time >= since}
    return replace(state, watched=watched, since=since, seen=seen)


def _stream_of(one: Watched) -> str:
    """The log of a build; CodeBuild calls it by the build's own id, unless it is told otherwise."""
    return one.stream or one.build.partition(":")[2]


def _shown(before: State, after: State) -> list[Shown]:
    shown = []
    for entry, one in after.watched.items():
        old = before.watched[entry]
        if one.stream and not old.stream:
            shown.append(Shown(Told.STARTED, entry))
        if one.step != old.step:
            shown.append(Shown(Told.STEP, entry, one.step))
        if one.verdict is not None and old.verdict is None:
            shown.append(Shown(Told.OVER, entry, one.message))
    return shown


def _quiet(state: State, now: float, shown: list[Shown]) -> State:
    """Tell, once, of builds that have given no sign for long; they end by their timeout."""
    watched = dict(state.watched)
    for entry, one in watched.items():
        if one.runs and not one.quiet and now - one.sign >= QUIET:
            watched[entry] = replace(one, quiet=True)
            shown.append(Shown(Told.QUIET, entry, one.step))
    return replace(state, watched=watched)
