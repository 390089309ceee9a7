"""How batches go on: what happens, moment by moment, until now.

Nothing moves by itself. Whoever asks for anything first lets all come about that was due since the last time, in its
order, so that a build that ends makes room for the next one at that moment and not when somebody looks. Rules:
CodeBuild user guide, "Batch builds in AWS CodeBuild", and the AWS CLI's examples of `retry-build-batch`, in which the
builds that depended on one that failed are STOPPED.
"""

import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from brqos.rehearsal.emulator.codebuild.buildspec import BuildspecError, Task, read_batch, read_build
from brqos.rehearsal.emulator.codebuild.runs import FAILED, STOPPED, SUCCEEDED, TIMED_OUT, Order, Phase, Runner
from brqos.rehearsal.emulator.codebuild.state import Batch, Build, Builds
from brqos.rehearsal.emulator.codebuild.variables import environment_of, variables_of
from brqos.rehearsal.emulator.store import Store

_NO_OBJECT = "NoSuchKey: The specified key does not exist. for primary source and source version {source}"


class Progress:
    """Lets batches go on; hold the store's lock. `changed` is what runs call from their own threads."""

    def __init__(
        self,
        store: Store,
        runner: Runner,
        changed: Callable[[], None],
        surroundings: Callable[[], Mapping[str, str]],
    ) -> None:
        self._store = store
        self._runner = runner
        self._changed = changed
        self._surroundings = surroundings

    @property
    def _builds(self) -> Builds:
        return self._store.codebuild

    def advance(self) -> None:
        """Let everything come about that is due by now."""
        now = self._store.clock()
        while (moment := min(self._due(), default=None)) is not None and moment <= now:
            self._happen(moment)
        for batch in self._builds.unfinished.values():
            for build in batch.builds.values():
                if build.running:
                    self._print(batch, build, now)

    def stop(self, batch: Batch, now: float, state: str = STOPPED) -> None:
        """Stop a batch and its builds."""
        batch.ends_as = state
        self._stop_builds(batch, now, state)
        if batch.plan is None:
            batch.download.finish(now, state)
        self._settle(batch, now)
        self._start_queued(now)

    def _due(self) -> Iterator[float]:
        for batch in self._builds.unfinished.values():
            if batch.plan is None:
                yield batch.spec_at
            if not batch.ends_as:
                yield batch.deadline
            for build in batch.builds.values():
                if (deadline := batch.deadline_of(build)) is not None:
                    yield deadline
                if build.run is not None and build.ended_at is None and (ended := build.run.ended()) is not None:
                    yield ended

    def _happen(self, moment: float) -> None:
        for batch in list(self._builds.unfinished.values()):
            if batch.plan is None and batch.spec_at <= moment:
                self._read(batch, moment)
            for build in batch.builds.values():
                self._look_at(batch, build, moment)
            if not batch.ends_as and batch.deadline <= moment:
                self.stop(batch, moment, TIMED_OUT)
            else:
                self._settle(batch, moment)
        self._start_queued(moment)

    def _read(self, batch: Batch, now: float) -> None:
        bucket, key = batch.source
        source = self._store.s3.read(bucket, key)
        try:
            if source is None:
                raise _UnreadableError("CLIENT_ERROR", _NO_OBJECT.format(source=f"arn:aws:s3:::{bucket}/{key}"))
            try:
                batch.plan = read_batch(batch.project["source"]["buildspec"])
            except BuildspecError as error:
                raise _UnreadableError("YAML_FILE_ERROR", str(error)) from None
            allowed = batch.project["buildBatchConfig"].get("restrictions", {}).get("maximumBuildsAllowed", 100)
            if len(batch.plan.tasks) > allowed:
                message = f"the batch has {len(batch.plan.tasks)} builds, the project allows {allowed}"
                raise _UnreadableError("BATCH_RESTRICTION_ERROR", message)
        except _UnreadableError as error:
            batch.plan = None
            batch.download.finish(now, FAILED, error.code, error.message)
            batch.phases[-1].end(now, FAILED, error.code, error.message)
            self._finish(batch, now, FAILED)
            return
        batch.download.finish(now, SUCCEEDED)
        batch.phases[-1].end(now)
        batch.phases.append(Phase("IN_PROGRESS", now))
        for task in batch.plan.tasks:
            build = self._new(batch, task, now)
            batch.builds[task.identifier] = build
            self._builds.builds[build.id] = (batch, build)

    def _new(self, batch: Batch, task: Task, now: float) -> Build:
        name = batch.project["name"]
        place = (batch.account, batch.region, name)
        self._builds.projects[place].numbers += 1
        return new_build(batch.arn, batch.project, task, self._builds.projects[place].numbers, now)

    def _look_at(self, batch: Batch, build: Build, now: float) -> None:
        if build.run is not None and build.ended_at is None:
            ended = build.run.ended()
            if ended is not None and ended <= now:
                self._end(batch, build, ended)
                return
        deadline = batch.deadline_of(build)
        if deadline is not None and deadline <= now:
            self._stop_build(batch, build, now, TIMED_OUT)

    def _stop_builds(self, batch: Batch, now: float, state: str) -> None:
        for build in batch.builds.values():
            if build.ended_at is None and not build.stopping:
                self._stop_build(batch, build, now, state)

    def _stop_build(self, batch: Batch, build: Build, now: float, state: str) -> None:
        if build.run is None:
            build.finish(now, state)
            return
        build.stopping = True
        build.run.stop(now, state)
        ended = build.run.ended()
        if ended is not None and ended <= now:
            self._end(batch, build, ended)

    def _end(self, batch: Batch, build: Build, now: float) -> None:
        assert build.run is not None
        self._print(batch, build, now)
        build.finish(now, build.run.state())

    def _settle(self, batch: Batch, now: float) -> None:
        """What follows from what has just ended."""
        if batch.ended_at is not None or (batch.plan is None and not batch.ends_as):
            return
        spoilt = any(build.spoils for build in batch.builds.values())
        if spoilt and batch.plan is not None and batch.plan.fast_fail:
            self._stop_builds(batch, now, STOPPED)
        # What depends on one that was stopped just now may stand before or behind it.
        while any(self._release(batch, build, now) for build in batch.builds.values()):
            pass
        if all(build.ended_at is not None for build in batch.builds.values()):
            self._finish(batch, now, batch.ends_as or (FAILED if spoilt else SUCCEEDED))

    def _release(self, batch: Batch, build: Build, now: float) -> bool:
        """Let one that waits for others go on, or end; whether anything changed."""
        if build.queued_at is not None or build.ended_at is not None:
            return False
        needed = [batch.builds[name] for name in build.task.depends_on]
        if any(other.spoils for other in needed):
            build.finish(now)
            return True
        if all(other.ended_at is not None for other in needed):
            build.queued_at = now
            return True
        return False

    def _finish(self, batch: Batch, now: float, state: str) -> None:
        if batch.phases[-1].ended is None:
            batch.phases[-1].end(now, state)
        # There is no phase that is called TIMED_OUT (BuildBatchPhaseType).
        name = "FAILED" if state == TIMED_OUT else state
        batch.phases.append(Phase(name, now, now, SUCCEEDED))
        batch.state, batch.ended_at = state, now
        del self._builds.unfinished[batch.id]

    def _start_queued(self, now: float) -> None:
        # One that cannot be started may let others go on that waited for it.
        while self._start_some(now):
            pass

    def _start_some(self, now: float) -> bool:
        """Start as many as there is room for; whether one of them ended at once."""
        failed = False
        running: dict[tuple[str, ...], int] = {}
        waiting: list[tuple[float, Batch, Build]] = []
        for batch in self._builds.unfinished.values():
            for build in batch.builds.values():
                if build.running:
                    _count(running, batch)
                if build.queued and build.queued_at is not None:
                    waiting.append((build.queued_at, batch, build))
        for _, batch, build in sorted(waiting, key=lambda entry: entry[0]):
            if not self._has_room(batch, running):
                continue
            if self._start(batch, build, now):
                _count(running, batch)
            else:
                failed = True
        return failed

    def _has_room(self, batch: Batch, running: dict[tuple[str, ...], int]) -> bool:
        """Whether neither the account, nor the project, nor the runner has as many as it may."""
        limits = {
            (): self._runner.most,
            (batch.account, batch.region): self._builds.concurrency,
            (batch.account, batch.region, batch.project["name"]): batch.project.get("concurrentBuildLimit"),
        }
        return all(limit is None or running.get(place, 0) < limit for place, limit in limits.items())

    def _start(self, batch: Batch, build: Build, now: float) -> bool:
        """Start one; whether it runs now."""
        bucket, key = batch.source
        archive = self._store.s3.read(bucket, key)
        build.started_at = now
        try:
            if archive is None:
                raise _UnreadableError("CLIENT_ERROR", _NO_OBJECT.format(source=f"arn:aws:s3:::{bucket}/{key}"))
            spec = read_build(batch.project["source"]["buildspec"])
        except (BuildspecError, _UnreadableError) as error:
            code = error.code if isinstance(error, _UnreadableError) else "YAML_FILE_ERROR"
            build.finish(now, FAILED, code, str(error))
            self._settle(batch, now)
            return False
        order = Order(
            build=build.id,
            project=batch.project["name"],
            identifier=build.task.identifier,
            region=batch.region,
            account=batch.account,
            spec=spec,
            variables={**self._surroundings(), **variables_of(batch, build, spec.variables)},
            archive=archive,
            put=lambda into, name, data: self._store.s3.put(into, name, data, self._store.clock()),
            clock=self._store.clock,
            changed=self._changed,
        )
        build.run = self._runner.start(order, now)
        self._store.logs.create(batch.account, batch.region, build.group, build.stream, now)
        return True

    def _print(self, batch: Batch, build: Build, now: float) -> None:
        assert build.run is not None
        for time, text in build.run.lines(now):
            self._store.logs.say(batch.account, batch.region, build.group, build.stream, time, text)


def _count(running: dict[tuple[str, ...], int], batch: Batch) -> None:
    """Count one more, for the runner, the account in its region, and the project."""
    whole = (batch.account, batch.region, batch.project["name"])
    for place in ((), whole[:2], whole):
        running[place] = running.get(place, 0) + 1


class _UnreadableError(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def new_build(batch_arn: str, project: dict[str, Any], task: Task, number: int, now: float) -> Build:
    """A build that was just asked for; its stream is called by its id, below the project's prefix if it has one."""
    unique = str(uuid.uuid4())
    prefix = batch_arn.partition(":build-batch/")[0]
    logs = project.get("logsConfig", {}).get("cloudWatchLogs", {})
    stream = f"{logs['streamName']}/{unique}" if logs.get("streamName") else unique
    build_id = f"{project['name']}:{unique}"
    return Build(
        id=build_id,
        arn=f"{prefix}:build/{build_id}",
        number=number,
        task=task,
        requested_at=now,
        environment=environment_of(project, task),
        group=logs.get("groupName") or f"/aws/codebuild/{project['name']}",
        stream=stream,
    )
