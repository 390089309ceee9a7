"""Projects, batches and builds as the emulated accounts keep them. Times are the store's, in seconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from brqos.rehearsal.emulator.codebuild.buildspec import BatchPlan, Task
from brqos.rehearsal.emulator.codebuild.runs import STOPPED, SUCCEEDED, Phase, Run
from brqos.rehearsal.emulator.codebuild.scripted import ScriptedRunner

DOWNLOAD = "DOWNLOAD_SOURCE"
"""The identifier of the first build of a batch, which reads the buildspec."""
IN_PROGRESS = "IN_PROGRESS"
_MINUTE = 60.0


@dataclass(slots=True)
class Project:
    """A project: what CreateProject was given, with what UpdateProject changed."""

    arn: str
    told: dict[str, Any]
    created_at: float
    modified_at: float
    numbers: int = 0
    batch_numbers: int = 0


@dataclass(slots=True)
class Build:
    """A build of a batch: it waits for others, then for a machine (`queued_at`), runs (`started_at`), and ends.

    `environment` is told as it is; `code` and `message` are of one that ended before anything ran.
    """

    id: str
    arn: str
    number: int
    task: Task
    requested_at: float
    environment: dict[str, Any]
    group: str
    stream: str
    queued_at: float | None = None
    started_at: float | None = None
    ended_at: float | None = None
    state: str = IN_PROGRESS
    run: Run | None = None
    stopping: bool = False
    code: str = ""
    message: str = ""

    @property
    def queued(self) -> bool:
        """Whether it waits for a machine."""
        return self.queued_at is not None and self.started_at is None and self.ended_at is None

    @property
    def running(self) -> bool:
        """Whether it has a machine."""
        return self.started_at is not None and self.ended_at is None

    @property
    def spoils(self) -> bool:
        """Whether the batch cannot succeed any more because of it."""
        return self.ended_at is not None and self.state != SUCCEEDED and not self.task.ignore_failure

    def finish(self, now: float, state: str = STOPPED, code: str = "", message: str = "") -> None:
        """It is over, without or after a run."""
        self.ended_at, self.state, self.code, self.message = now, state, code, message

    def phases(self, now: float) -> list[Phase]:
        """The phases that it has been in by now."""
        submitted = Phase("SUBMITTED", self.requested_at, self.queued_at or self.ended_at)
        found = [submitted]
        submitted.status = SUCCEEDED if submitted.ended is not None else None
        if self.queued_at is not None:
            left = self.ended_at if self.started_at is None else self.started_at
            found.append(Phase("QUEUED", self.queued_at, left, SUCCEEDED if left is not None else None))
        if self.run is not None:
            found += self.run.phases(now)
        if self.ended_at is not None:
            if self.message:
                found[-1].status, found[-1].code, found[-1].message = self.state, self.code, self.message
            found.append(Phase("COMPLETED", self.ended_at))
        return found


@dataclass(slots=True)
class Batch:
    """A batch; `project` is what its project was like when it was started, with what was overridden.

    `spec_at` is when its buildspec will have been read; `plan` is None before. `ends_as` is STOPPED or TIMED_OUT as
    soon as it is known that it will not end of itself.
    """

    id: str
    arn: str
    number: int
    account: str
    region: str
    project: dict[str, Any]
    variables: Mapping[str, str]
    started_at: float
    spec_at: float
    initiator: str
    phases: list[Phase]
    download: Build
    plan: BatchPlan | None = None
    builds: dict[str, Build] = field(default_factory=dict)
    ends_as: str = ""
    state: str = IN_PROGRESS
    ended_at: float | None = None

    @property
    def source(self) -> tuple[str, str]:
        """Bucket and key of the source."""
        bucket, _, key = self.project["source"].get("location", "").partition("/")
        return bucket, key

    @property
    def deadline(self) -> float:
        """When it is stopped at the latest."""
        return self.started_at + _MINUTE * int(self.project["buildBatchConfig"].get("timeoutInMins", 2160))

    def deadline_of(self, build: Build) -> float | None:
        """When a build is stopped at the latest: in the queue, or where it runs; None for others."""
        if build.stopping or build.ended_at is not None:
            return None
        if build.started_at is not None:
            return build.started_at + _MINUTE * int(self.project["timeoutInMinutes"])
        if build.queued_at is not None:
            return build.queued_at + _MINUTE * int(self.project["queuedTimeoutInMinutes"])
        return None


@dataclass(frozen=True, slots=True)
class TokenUse:
    """What an idempotency token was first used for, and when."""

    parameters: str
    batch: str
    used_at: float


@dataclass(slots=True)
class Builds:
    """Everything of CodeBuild's, for all accounts and regions; tests set what follows.

    `concurrency` is how many builds of an account run at once in a region (None: all). `spec_seconds` is how long a
    batch takes until its builds are known. `scripted` is what builds go by where they are not run for real.
    """

    projects: dict[tuple[str, str, str], Project] = field(default_factory=dict)
    batches: dict[str, Batch] = field(default_factory=dict)
    builds: dict[str, tuple[Batch, Build]] = field(default_factory=dict)
    tokens: dict[tuple[str, str, str], TokenUse] = field(default_factory=dict)
    unfinished: dict[str, Batch] = field(default_factory=dict)
    concurrency: int | None = None
    spec_seconds: float = 0.5
    scripted: ScriptedRunner = field(default_factory=ScriptedRunner)
