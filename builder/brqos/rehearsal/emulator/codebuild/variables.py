"""The environment of a build: who wins where several say something, and what CodeBuild adds.

Rules: user guide, "Environment variables in build environments" and the `env/variables` section of "Build specification
reference": the call that starts a build wins over the project, and that over the buildspec. Where the variables of one
build of a batch rank is not said; here they rank above the buildspec's own.
"""

from collections.abc import Mapping
from typing import Any

from brqos.rehearsal.emulator.codebuild.buildspec import Task
from brqos.rehearsal.emulator.codebuild.state import Batch, Build


def environment_of(project: Mapping[str, Any], task: Task) -> dict[str, Any]:
    """The environment that a build is told to have: the project's, with what the task overrides."""
    environment = project["environment"]
    own = [{"name": name, "value": value, "type": "PLAINTEXT"} for name, value in task.variables.items()]
    return {
        **environment,
        "type": task.type or environment["type"],
        "image": task.image or environment["image"],
        "computeType": task.compute_type or environment["computeType"],
        "privilegedMode": environment.get("privilegedMode", False) if task.privileged is None else task.privileged,
        "environmentVariables": [*environment.get("environmentVariables", []), *own],
    }


def variables_of(batch: Batch, build: Build, of_spec: Mapping[str, str]) -> dict[str, str]:
    """All variables of a build, CodeBuild's own among them."""
    project = batch.project
    listed = project["environment"].get("environmentVariables", [])
    bucket, key = batch.source
    return {
        **of_spec,
        **build.task.variables,
        **{item["name"]: item["value"] for item in listed},
        **batch.variables,
        "CODEBUILD_BATCH_BUILD_IDENTIFIER": build.task.identifier,
        "CODEBUILD_BUILD_ARN": build.arn,
        "CODEBUILD_BUILD_ID": build.id,
        "CODEBUILD_BUILD_NUMBER": str(build.number),
        "CODEBUILD_CI": "true",
        "CODEBUILD_INITIATOR": batch.initiator,
        "CODEBUILD_LOG_PATH": build.stream,
        # The version of an object in a bucket without versions is called so.
        "CODEBUILD_RESOLVED_SOURCE_VERSION": "null",
        "CODEBUILD_SOURCE_REPO_URL": f"{bucket}/{key}",
        "CODEBUILD_START_TIME": str(int(build.requested_at * 1000)),
        "AWS_REGION": batch.region,
        "AWS_DEFAULT_REGION": batch.region,
    }
