"""What CodeBuild tells of projects, batches and builds."""

from collections.abc import Mapping
from typing import Any

from brqos.rehearsal.emulator.cbor import Moment
from brqos.rehearsal.emulator.codebuild.runs import Phase
from brqos.rehearsal.emulator.codebuild.state import DOWNLOAD, IN_PROGRESS, Batch, Build, Project


def project_told(project: Project) -> dict[str, Any]:
    """A project as BatchGetProjects tells it."""
    return {
        **project.told,
        "arn": project.arn,
        "created": Moment(project.created_at),
        "lastModified": Moment(project.modified_at),
        "badge": {"badgeEnabled": False},
    }


def batch_told(batch: Batch) -> dict[str, Any]:
    """A batch as BatchGetBuildBatches tells it."""
    project = batch.project
    return _present(
        {
            "id": batch.id,
            "arn": batch.arn,
            "startTime": Moment(batch.started_at),
            "endTime": None if batch.ended_at is None else Moment(batch.ended_at),
            "currentPhase": batch.phases[-1].type,
            "buildBatchStatus": batch.state,
            "phases": [_phase(phase) for phase in batch.phases],
            **_of_project(project),
            "environment": project["environment"],
            "logConfig": project.get("logsConfig"),
            "buildTimeoutInMinutes": project["timeoutInMinutes"],
            "complete": batch.ended_at is not None,
            "initiator": batch.initiator,
            "buildBatchNumber": batch.number,
            "buildBatchConfig": project["buildBatchConfig"],
            "buildGroups": [_group(build) for build in (batch.download, *batch.builds.values())],
            "debugSessionEnabled": False,
        }
    )


def build_told(batch: Batch, build: Build, now: float) -> dict[str, Any]:
    """A build as BatchGetBuilds tells it."""
    project, phases = batch.project, build.phases(now)
    region, account = batch.region, batch.account
    # The stream is made when the machine is (LogsLocation, deepLink).
    logs = {
        "groupName": build.group,
        "streamName": build.stream,
        "cloudWatchLogsArn": f"{batch.arn.partition(':codebuild:')[0]}:logs:{region}:{account}:log-group:{build.group}"
        f":log-stream:{build.stream}",
        "cloudWatchLogs": project.get("logsConfig", {}).get("cloudWatchLogs"),
    }
    return _present(
        {
            "id": build.id,
            "arn": build.arn,
            "buildNumber": build.number,
            "startTime": Moment(build.requested_at),
            "endTime": None if build.ended_at is None else Moment(build.ended_at),
            "currentPhase": phases[-1].type,
            "buildStatus": build.state,
            "phases": [_phase(phase) for phase in phases],
            **_of_project(project),
            "environment": build.environment,
            "logs": logs if build.run is not None else {"cloudWatchLogs": logs["cloudWatchLogs"]},
            "timeoutInMinutes": project["timeoutInMinutes"],
            "buildComplete": build.ended_at is not None,
            "initiator": batch.initiator,
            "buildBatchArn": batch.arn,
        }
    )


def _of_project(project: Mapping[str, Any]) -> dict[str, Any]:
    """What batches and builds take over from their project in the same words."""
    return {
        "projectName": project["name"],
        "source": project["source"],
        "secondarySources": [],
        "secondarySourceVersions": [],
        "artifacts": {"location": ""},
        "secondaryArtifacts": [],
        "cache": project.get("cache"),
        "serviceRole": project["serviceRole"],
        "queuedTimeoutInMinutes": project["queuedTimeoutInMinutes"],
        "encryptionKey": project["encryptionKey"],
    }


def _group(build: Build) -> dict[str, Any]:
    identifier = build.task.identifier
    artifact = {"type": "no_artifacts", "identifier": identifier} if build.started_at is not None else None
    return {
        "identifier": identifier,
        "dependsOn": None if identifier == DOWNLOAD else list(build.task.depends_on),
        "ignoreFailure": build.task.ignore_failure,
        "currentBuildSummary": _present(
            {
                "arn": build.arn,
                "requestedOn": Moment(build.requested_at),
                "buildStatus": build.state,
                "primaryArtifact": artifact,
                "secondaryArtifacts": [] if artifact else None,
            }
        ),
    }


def _phase(phase: Phase) -> dict[str, Any]:
    ended = phase.ended
    contexts = [{"statusCode": phase.code, "message": phase.message}]
    return _present(
        {
            "phaseType": phase.type,
            "phaseStatus": phase.status or (IN_PROGRESS if phase.type != "COMPLETED" else None),
            "startTime": Moment(phase.started),
            "endTime": None if ended is None else Moment(ended),
            "durationInSeconds": None if ended is None else int(ended - phase.started),
            "contexts": contexts if phase.code or phase.message else None,
        }
    )


def _present(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
