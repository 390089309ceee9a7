import pytest

from brqos.provenance.builder import LOCAL, builder_of

GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "example/images",
    "GITHUB_WORKFLOW_REF": "example/images/.github/workflows/bake.yml@refs/heads/main",
    "GITHUB_RUN_ID": "42",
    "GITHUB_RUN_ATTEMPT": "2",
    "GITHUB_ACTOR": "ann",
}
GITLAB = {
    "GITLAB_CI": "true",
    "CI_PROJECT_URL": "https://gitlab.com/example/images",
    "CI_RUNNER_ID": "7",
    "CI_JOB_URL": "https://gitlab.com/example/images/-/jobs/9",
    "GITLAB_USER_LOGIN": "ann",
}
CODEBUILD = {"CODEBUILD_BUILD_ARN": "arn:aws:codebuild:eu-west-1:111122223333:build/brqos:0d3c"}


@pytest.mark.parametrize(
    ("environment", "builder", "invocation"),
    [
        ({}, LOCAL, ""),
        ({"USER": "ann", "HOSTNAME": "box"}, LOCAL, ""),
        (
            GITHUB,
            "https://github.com/example/images/.github/workflows/bake.yml@refs/heads/main",
            "https://github.com/example/images/actions/runs/42/attempts/2",
        ),
        (GITLAB, "https://gitlab.com/example/images/-/runners/7", "https://gitlab.com/example/images/-/jobs/9"),
        (
            CODEBUILD,
            "arn:aws:codebuild:eu-west-1:111122223333:project/brqos",
            "arn:aws:codebuild:eu-west-1:111122223333:build/brqos:0d3c",
        ),
        # A runner of GitHub's in CodeBuild has the variables of both.
        (
            {**CODEBUILD, **GITHUB},
            "https://github.com/example/images/.github/workflows/bake.yml@refs/heads/main",
            "https://github.com/example/images/actions/runs/42/attempts/2",
        ),
        ({"GITHUB_ACTIONS": "true"}, LOCAL, ""),
    ],
)
def test_who_builds(environment: dict[str, str], builder: str, invocation: str) -> None:
    found = builder_of(environment)
    assert (found.id, found.invocation) == (builder, invocation)
    assert "ann" not in found.id + found.invocation
