"""CodeBuild: projects, batches of builds and what became of them.

Batches and builds are asked for by id, a hundred at a time. What is not needed of the answers, which carry the whole
configuration of a project again for each build, is not looked at.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, cast

from brqos.aws.errors import AwsCallError, ErrorKind, translated
from brqos.aws.retry import Retry

if TYPE_CHECKING:
    from mypy_boto3_codebuild import CodeBuildClient
    from mypy_boto3_codebuild.type_defs import BuildBatchTypeDef, BuildGroupTypeDef, BuildTypeDef

MOST_IDS = 100
"""The most ids that BatchGetBuildBatches and BatchGetBuilds take, and the most builds that a batch has."""
ROLE_PATIENCE = Retry({ErrorKind.ROLE_NOT_READY: 120.0}, first_delay=1.0, longest_delay=8.0)
"""For `create_project` and `update_project` with a role that was just made: IAM spreads it within seconds.

hashicorp/terraform-provider-aws waits two minutes for the same words, in internal/service/codebuild/project.go.
"""
_DOWNLOAD = "DOWNLOAD_SOURCE"
_NOT_READY = "CodeBuild is not authorized to perform"


class BuildState(StrEnum):
    """How far a batch, a build or one of its phases is (StatusType of the API)."""

    IN_PROGRESS = "IN_PROGRESS"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    FAULT = "FAULT"
    """CodeBuild itself failed: the build may be tried again."""
    TIMED_OUT = "TIMED_OUT"
    STOPPED = "STOPPED"

    @property
    def ended(self) -> bool:
        """Whether nothing more comes."""
        return self is not BuildState.IN_PROGRESS


@dataclass(frozen=True, slots=True)
class BatchMember:
    """One build of a batch; `build` is its id (`project:uuid`), None as long as there is none.

    One that waits, for its turn or for others, is IN_PROGRESS too: only `CodeBuild.builds` tells it from one that runs.
    """

    identifier: str
    """As in the buildspec's `batch` section."""
    build: str | None
    state: BuildState


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch of builds.

    `members` is empty until the buildspec was read (phase IN_PROGRESS). `download` is the id of the build that reads
    it, the first of a batch, which is no member; `message` is what CodeBuild says about phases that went wrong.
    """

    id: str
    """`project:uuid`."""
    state: BuildState
    phase: str
    message: str
    members: tuple[BatchMember, ...]
    started: datetime | None
    ended: datetime | None
    download: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    """What it was started with, beside the project's own environment."""


@dataclass(frozen=True, slots=True)
class Build:
    """A build; `log_group` and `log_stream` are empty as long as it has no log.

    `identifier` is empty where CodeBuild does not tell it: the members of a batch have it too, by the build's id.
    `queued_seconds` is how long it waited for a machine, or has waited so far.
    """

    id: str
    identifier: str
    state: BuildState
    phase: str
    message: str
    log_group: str
    log_stream: str
    started: datetime | None
    ended: datetime | None
    queued_seconds: int


class CodeBuild:
    """CodeBuild in one region; safe to use from any thread. All methods raise AwsCallError."""

    def __init__(self, client: "CodeBuildClient", region: str, profile: str | None) -> None:
        self._client = client
        self._profile = profile
        self.region = region

    def project(self, name: str) -> dict[str, Any] | None:
        """The project of that name as BatchGetProjects tells it; None if there is none."""
        with translated("BatchGetProjects", self.region, self._profile):
            answer = self._client.batch_get_projects(names=[name])
        return next((cast("dict[str, Any]", item) for item in answer.get("projects", [])), None)

    def create_project(self, wanted: Mapping[str, Any]) -> None:
        """Make a project from the parameters of CreateProject.

        An error of kind DUPLICATE_NAME if the name is taken, ROLE_NOT_READY if CodeBuild may not (yet) take the role
        on: see `ROLE_PATIENCE`.
        """
        self._write("CreateProject", wanted)

    def update_project(self, wanted: Mapping[str, Any]) -> None:
        """Change a project: of the parameters of UpdateProject those that are not given stay as they are.

        An error of kind NOT_FOUND if there is no such project, ROLE_NOT_READY as in `create_project`.
        """
        self._write("UpdateProject", wanted)

    def start_batch(
        self, project: str, *, source: str, buildspec: str, token: str, variables: Mapping[str, str]
    ) -> Batch:
        """Start a batch; with the token of a call in the last five minutes that call's batch comes back.

        `source` is `bucket/key.zip`, `buildspec` its text (YAML) with a `batch` section. `variables` are added to the
        project's environment, readable for whoever may look at the build. An error of kind NOT_FOUND if there is no
        such project, VALIDATION if the token was used with other parameters.
        """
        with translated("StartBuildBatch", self.region, self._profile):
            answer = self._client.start_build_batch(
                projectName=project,
                sourceTypeOverride="S3",
                sourceLocationOverride=source,
                buildspecOverride=buildspec,
                environmentVariablesOverride=[
                    {"name": name, "value": value, "type": "PLAINTEXT"} for name, value in variables.items()
                ],
                idempotencyToken=token,
            )
        return _batch(answer["buildBatch"])

    def batches(self, ids: Sequence[str]) -> list[Batch]:
        """These batches, in this order; those that do not exist (any more) are left out."""
        found: dict[str, Batch] = {}
        for part in _parts(ids):
            with translated("BatchGetBuildBatches", self.region, self._profile):
                answer = self._client.batch_get_build_batches(ids=part)
            found |= {item.get("id", ""): _batch(item) for item in answer.get("buildBatches", [])}
        return [found[each] for each in dict.fromkeys(ids) if each in found]

    def builds(self, ids: Sequence[str]) -> list[Build]:
        """These builds, in this order; those that do not exist (yet) are left out."""
        found: dict[str, Build] = {}
        for part in _parts(ids):
            with translated("BatchGetBuilds", self.region, self._profile):
                answer = self._client.batch_get_builds(ids=part)
            found |= {item.get("id", ""): _build(item) for item in answer.get("builds", [])}
        return [found[each] for each in dict.fromkeys(ids) if each in found]

    def batch_ids(self, project: str) -> Iterator[str]:
        """The ids of a project's batches, the newest first, asked for as they are needed; NOT_FOUND for no project."""
        asked: dict[str, Any] = {"projectName": project, "sortOrder": "DESCENDING", "maxResults": MOST_IDS}
        while True:
            with translated("ListBuildBatchesForProject", self.region, self._profile):
                answer = self._client.list_build_batches_for_project(**asked)
            yield from answer.get("ids", [])
            if not answer.get("nextToken"):
                return
            asked["nextToken"] = answer["nextToken"]

    def stop_batch(self, batch: str) -> None:
        """Stop a batch and all its builds; one that has ended stays as it is. An error of kind NOT_FOUND for none."""
        with translated("StopBuildBatch", self.region, self._profile):
            self._client.stop_build_batch(id=batch)

    def _write(self, operation: str, wanted: Mapping[str, Any]) -> None:
        write = self._client.create_project if operation == "CreateProject" else self._client.update_project
        try:
            with translated(operation, self.region, self._profile):
                cast("Any", write)(**wanted)
        except AwsCallError as error:
            # The API has no code of its own for it.
            if error.code != "InvalidInputException" or _NOT_READY not in error.why:
                raise
            raise AwsCallError(
                error.what,
                kind=ErrorKind.ROLE_NOT_READY,
                code=error.code,
                why=error.why,
                todo="Its trust policy has to name codebuild.amazonaws.com; a role that was just made takes seconds.",
            ) from error


def _parts(ids: Sequence[str]) -> Iterator[list[str]]:
    once = list(dict.fromkeys(ids))
    for start in range(0, len(once), MOST_IDS):
        yield once[start : start + MOST_IDS]


def _batch(told: "BuildBatchTypeDef") -> Batch:
    groups = told.get("buildGroups", [])
    return Batch(
        id=told.get("id", ""),
        state=_state(told.get("buildBatchStatus")),
        phase=told.get("currentPhase", ""),
        message=_message(told.get("phases", [])),
        members=tuple(_member(group) for group in groups if group.get("identifier") != _DOWNLOAD),
        started=told.get("startTime"),
        ended=told.get("endTime"),
        download=next((_member(group).build for group in groups if group.get("identifier") == _DOWNLOAD), None),
        variables={item["name"]: item["value"] for item in told.get("environment", {}).get("environmentVariables", [])},
    )


def _member(group: "BuildGroupTypeDef") -> BatchMember:
    current = group.get("currentBuildSummary", {})
    # arn:aws:codebuild:eu-west-1:000000000000:build/project:uuid
    build = current.get("arn", "").partition(":build/")[2]
    return BatchMember(group.get("identifier", ""), build or None, _state(current.get("buildStatus")))


def _build(told: "BuildTypeDef") -> Build:
    logs, variables = told.get("logs", {}), told.get("environment", {}).get("environmentVariables", [])
    named = (item["value"] for item in variables if item["name"] == "CODEBUILD_BATCH_BUILD_IDENTIFIER")
    phases = told.get("phases", [])
    return Build(
        id=told.get("id", ""),
        identifier=next(named, ""),
        state=_state(told.get("buildStatus")),
        phase=told.get("currentPhase", ""),
        message=_message(phases),
        log_group=logs.get("groupName", ""),
        log_stream=logs.get("streamName", ""),
        started=told.get("startTime"),
        ended=told.get("endTime"),
        queued_seconds=sum(_seconds(phase) for phase in phases if phase.get("phaseType") == "QUEUED"),
    )


def _state(told: str | None) -> BuildState:
    if told is None:
        return BuildState.IN_PROGRESS
    try:
        return BuildState(told)
    except ValueError:
        # A phase is told to be CLIENT_ERROR, which the API's reference does not know either.
        return BuildState.FAILED


def _message(phases: Sequence[Mapping[str, Any]]) -> str:
    """What is said about the phases that did not succeed, in their order."""
    said = (
        f"{context.get('statusCode', '')}: {context.get('message', '')}".strip(": ")
        for phase in phases
        if phase.get("phaseStatus") not in (None, "SUCCEEDED", "IN_PROGRESS")
        for context in phase.get("contexts", ())
    )
    return "\n".join(dict.fromkeys(text for text in said if text))


def _seconds(phase: Mapping[str, Any]) -> int:
    if "durationInSeconds" in phase:
        return int(phase["durationInSeconds"])
    started = phase.get("startTime")
    return max(0, int((datetime.now(started.tzinfo) - started).total_seconds())) if started else 0
