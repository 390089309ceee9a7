"""What runs brqos: this machine, or a pipeline, known by the variables that the pipeline itself sets.

SLSA wants a URI for the builder and one for the run. Variables: GitHub's "Variables reference" (default environment
variables), GitLab's "Predefined CI/CD variables", CodeBuild's "Environment variables in build environments". Who and on
which host it was is nobody's matter, and is not asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass

LOCAL = "urn:brqos:builder:local"
UNKNOWN = "urn:brqos:builder:unknown"


@dataclass(frozen=True, slots=True)
class Builder:
    """`id` says what carries the builds out, `invocation` which run it was; empty where nothing tells."""

    id: str
    invocation: str = ""


def builder_of(environment: Mapping[str, str]) -> Builder:
    """The builder that these variables tell of."""

    def told(*names: str) -> list[str] | None:
        values = [environment.get(name, "") for name in names]
        return values if all(values) else None

    # A runner in CodeBuild sets GitHub's or GitLab's variables too: those say more.
    if environment.get("GITHUB_ACTIONS") == "true" and (values := told("GITHUB_SERVER_URL", "GITHUB_WORKFLOW_REF")):
        server, workflow = values
        run = told("GITHUB_REPOSITORY", "GITHUB_RUN_ID")
        attempt = environment.get("GITHUB_RUN_ATTEMPT") or "1"
        return Builder(
            f"{server}/{workflow}", f"{server}/{run[0]}/actions/runs/{run[1]}/attempts/{attempt}" if run else ""
        )
    if environment.get("GITLAB_CI") == "true" and (values := told("CI_PROJECT_URL", "CI_RUNNER_ID")):
        return Builder(f"{values[0]}/-/runners/{values[1]}", environment.get("CI_JOB_URL", ""))
    if values := told("CODEBUILD_BUILD_ARN"):
        # arn:aws:codebuild:eu-west-1:111122223333:build/project:uuid
        project = values[0].rpartition(":")[0].replace(":build/", ":project/")
        return Builder(project, values[0])
    return Builder(LOCAL)
