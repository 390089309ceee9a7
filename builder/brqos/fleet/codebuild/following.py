"""Following a run to its end: asking, showing, bringing what comes of it, starting again what CodeBuild lost.

What was brought and what became of each build is written into the run as soon as it is known, so whoever follows it
next, here or elsewhere, goes on from there.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

from brqos.aws.codebuild import CodeBuild
from brqos.aws.errors import AwsCallError
from brqos.aws.logs import Logs
from brqos.aws.s3 import S3
from brqos.errors import AwsError, BrqosError
from brqos.fleet.codebuild.bringing import Brought, Failure, Source, bring, cleared, explain
from brqos.fleet.codebuild.polling import HOPELESS, Pace, Poller
from brqos.fleet.codebuild.run import RunEntry, Verdict
from brqos.fleet.codebuild.starting import start_batches
from brqos.fleet.codebuild.state import (
    QUIET,
    Shown,
    State,
    Told,
    Watched,
    begin,
    latest_batch,
    lost,
    restarted,
    running,
)
from brqos.fleet.codebuild.store import StoredRun
from brqos.fleet.codebuild.watching import advance
from brqos.monitor import Board, Boards
from brqos.record import BUILDS

_BRINGERS = 4
_TRIES = 10


@dataclass
class Follower:
    """Follows one run; `clock` is in seconds since 1970, `sleep` waits."""

    stored: StoredRun
    codebuild: CodeBuild
    logs: Logs
    s3: S3
    monitor: Boards
    root: Path = BUILDS
    pace: Pace = field(default_factory=Pace)
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    _in_flight: dict[str, "Future[Brought]"] = field(default_factory=dict)
    _tries: dict[str, int] = field(default_factory=dict)
    _later: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        run = self.stored.run
        self.poller = Poller(run.id, run.log_group, self.codebuild, self.logs, self.monitor, self.clock)

    def follow(self) -> None:
        """Follow it until nothing more comes.

        Raises AwsError where AWS does not let us ask any more, and for results that cannot be brought;
        KeyboardInterrupt goes on. The builds go on in any case.
        """
        cleared(self.root, self.monitor)
        self._start_rest()
        run = self.stored.run
        state = begin(run, self.clock())
        count = len(run.entries)
        # Not as a context: an interrupt must not wait for what is being brought.
        pool = ThreadPoolExecutor(_BRINGERS, thread_name_prefix="bring")
        title = f"Building {count} image{'' if count == 1 else 's'} on CodeBuild"
        try:
            with self.monitor.board(title, count) as board:
                board.advance(sum(entry.is_over for entry in run.entries))
                self._loop(state, board, pool)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        self.stored.save(self.stored.run)

    def _start_rest(self) -> None:
        """Start what a run that was interrupted had not started yet; of one that was stopped nothing is."""
        run = self.stored.run
        if run.stopped is None:
            if any(batch.id is None for batch in run.batches):
                start_batches(self.stored, self.codebuild, wait=self.sleep, seconds=self.clock)
            return
        for batch in run.batches:
            for name in batch.entries if batch.id is None else ():
                if run.entry(name).verdict is None:
                    run = run.with_entry(name, verdict=Verdict.STOPPED, why="It was not begun.")
        self.stored.save(run)

    def _loop(self, state: State, board: Board, pool: ThreadPoolExecutor) -> None:
        while not self.stored.run.is_over:
            # What is known already, from an earlier time, needs no asking.
            self._bring_all(pool)
            if any(entry.verdict is None for entry in self.stored.run.entries):
                state = self._step(state)
            self._collect(board)
            self._show(state, board)
            if not self.stored.run.is_over:
                self._wait(state, board)

    def _step(self, state: State) -> State:
        poll, failed = self.poller.ask(state)
        state, shown = advance(state, poll)
        self._tell(state, shown)
        self._keep(state, shown)
        if not failed:
            state = self._again(state)
        return state

    def _tell(self, state: State, shown: Sequence[Shown]) -> None:
        for one in shown:
            if one.told is Told.STARTED:
                self.monitor.note(f"{one.entry}: begun")
            elif one.told is Told.QUIET:
                minutes = int(QUIET // 60)
                self.monitor.warn(
                    f"{one.entry} has given no sign for {minutes} minutes (last: {one.text or 'nothing'}); if it hangs,"
                    f" CodeBuild ends it by its timeout. Its log: {self._log_of(state.watched[one.entry])}"
                )

    def _keep(self, state: State, shown: Sequence[Shown]) -> None:
        """Write down verdicts, and what is known of failures."""
        run = self.stored.run
        for name in (one.entry for one in shown if one.told is Told.OVER):
            watched, attempt = state.watched[name], run.attempt(name, state.watched[name].batch)
            if watched.verdict is Verdict.LOST and attempt <= run.retries and run.stopped is None:
                continue
            run = run.with_entry(name, verdict=watched.verdict, attempt=attempt)
            if watched.verdict is not Verdict.BUILT:
                failure = self._explained(run.entry(name), watched)
                run = run.with_entry(name, why=failure.why, log=failure.log)
        if run is not self.stored.run:
            self.stored.save(run)

    def _explained(self, entry: RunEntry, watched: Watched) -> Failure:
        source = Source(self.s3, self.logs)
        failure = explain(self.stored.run, entry, watched, source, self.stored.logs)
        self.monitor.warn(f"{entry.id}: {watched.verdict}")
        for line in failure.why.splitlines():
            self.monitor.note(f"  {line}")
        if failure.log:
            self.monitor.note(f"  Log: {failure.log}")
        return failure

    def _again(self, state: State) -> State:
        """Start the builds that CodeBuild lost in a new batch, unless another machine that follows has done it."""
        run = self.stored.run
        names = [name for name in lost(state) if run.entry(name).verdict is None]
        if not names:
            return state
        try:
            if all(latest_batch(run, name).number <= state.watched[name].batch for name in names):
                newer = self.stored.newer() or run.with_new_batches(names)
                self.stored.save(run.model_copy(update={"batches": newer.batches}), shared=False)
            self.stored.publish()
            start_batches(self.stored, self.codebuild, wait=self.sleep, seconds=self.clock)
        except AwsError as error:
            # Nothing is lost: the batch is in the run, and is started the next time.
            cause = error if isinstance(error, AwsCallError) else error.__cause__
            self.poller.note([cause] if isinstance(cause, AwsCallError) else [])
            return state
        return self._begun_again(state, names)

    def _begun_again(self, state: State, names: Sequence[str]) -> State:
        run = self.stored.run
        for name in names:
            batch = latest_batch(run, name)
            if batch.id is not None and batch.number > state.watched[name].batch:
                attempt = run.attempt(name, batch.number)
                self.monitor.warn(f"{name}: CodeBuild lost it; begun again (attempt {attempt} of {run.retries + 1})")
                state = restarted(state, name, batch.number, batch.id, self.clock())
        return state

    def _bring_all(self, pool: ThreadPoolExecutor) -> None:
        source = Source(self.s3, self.logs)
        for entry in self.stored.run.entries:
            later = self.clock() < self._later.get(entry.id, 0.0)
            if entry.verdict is Verdict.BUILT and not entry.is_over and entry.id not in self._in_flight and not later:
                self._in_flight[entry.id] = pool.submit(bring, self.stored.run, entry, source, self.root)

    def _collect(self, board: Board) -> None:
        """Take over what was brought; raises AwsError where that fails again and again."""
        run = self.stored.run
        for name, future in list(self._in_flight.items()):
            if not future.done():
                continue
            del self._in_flight[name]
            try:
                brought = future.result()
            except AwsCallError as error:
                self._tries[name] = self._tries.get(name, 0) + 1
                self._later[name] = self.clock() + self.pace.seconds(0, self._tries[name])
                if self._tries[name] >= _TRIES or error.kind in HOPELESS:
                    raise AwsError(
                        f"{name} is built, but what it left cannot be brought",
                        why=f"{error.what}{': ' if error.why else ''}{error.why}",
                        todo=f"{error.todo} Then: brqos status --follow {run.id}",
                    ) from error
                continue
            except BrqosError as error:
                why = "\n".join(filter(None, (error.what, error.why, error.todo)))
                run = run.with_entry(name, verdict=Verdict.FAILED, why=why)
                self.monitor.warn(f"{name}: {error.what}")
                for line in why.splitlines()[1:]:
                    self.monitor.note(f"  {line}")
                continue
            run = run.with_entry(name, record=brought.record, native=brought.native)
            self.monitor.note(f"✓ {name}: {brought.record or 'nothing to build, the official image does it'}")
        if run is not self.stored.run:
            before = sum(entry.is_over for entry in self.stored.run.entries)
            self.stored.save(run, shared=False)
            board.advance(sum(entry.is_over for entry in run.entries) - before)

    def _show(self, state: State, board: Board) -> None:
        at_work = list(running(state))
        open_ = sum(one.verdict is None for one in state.watched.values())
        parts = [f"{len(at_work)} at work", f"{open_ - len(at_work)} waiting"]
        bad = sum(entry.verdict is not None and not entry.verdict.is_good for entry in self.stored.run.entries)
        if bad:
            parts.append(f"{bad} failed")
        board.show(", ".join(parts), [(one.entry, one.step) for one in at_work])

    def _wait(self, state: State, board: Board) -> None:
        if self._in_flight and all(entry.verdict is not None for entry in self.stored.run.entries):
            wait(self._in_flight.values(), timeout=0.5, return_when=FIRST_COMPLETED)
            return
        open_ = sum(one.verdict is None for one in state.watched.values())
        self.sleep(self.pace.seconds(open_, self.poller.failures))

    def _log_of(self, watched: Watched) -> str:
        return f"{self.stored.run.log_group} {watched.stream}"
