"""The policy of whoever builds on CodeBuild: everything by its name, roles for nobody but CodeBuild."""

import json
from typing import Any

from hypothesis import given

from ami.policy.wishes import DEFAULT_NAMES, OWNER, requests
from brqos.ami.policy.policy import PolicyStage, notes_for, policy_for
from brqos.ami.policy.request import PolicyRequest, policy_request
from brqos.config.codebuild import CodeBuildSpec
from brqos.fleet.codebuild.names import names_of


def statements(*specs: CodeBuildSpec, **wishes: Any) -> dict[str, dict[str, Any]]:
    (spec,) = specs or (CodeBuildSpec(),)
    policy = policy_for(policy_request([PolicyStage.CODEBUILD], codebuild=names_of(spec), **wishes))
    return {statement["Sid"]: statement for statement in policy["Statement"]}


def test_everything_at_codebuild_goes_by_the_names_of_the_section() -> None:
    spec = CodeBuildSpec(account=OWNER, region="eu-west-1", project="fleet", bucket="our-builds", role="ours")
    found = statements(spec, regions=["us-east-1"])
    project = [f"arn:aws:codebuild:eu-west-1:{OWNER}:project/fleet"]
    roles = [f"arn:aws:iam::{OWNER}:role/{name}" for name in ("ours", "ours-batch")]
    assert {sid: statement["Resource"] for sid, statement in found.items() if sid != "Look"} == {
        "UseBuildProject": project,
        "CreateBuildProject": project,
        "FollowBuildLogs": [
            f"arn:aws:logs:eu-west-1:{OWNER}:log-group:/aws/codebuild/fleet{end}" for end in ("", ":*")
        ],
        "ReadBuildLogs": [f"arn:aws:logs:eu-west-1:{OWNER}:log-group:/aws/codebuild/fleet:log-stream:*"],
        "UseBuildBucket": ["arn:aws:s3:::our-builds"],
        "SendBuilds": ["arn:aws:s3:::our-builds/bundles/*.zip", "arn:aws:s3:::our-builds/runs/*/run.json"],
        "BringBuilds": ["arn:aws:s3:::our-builds/runs/*"],
        "CreateBuildRoles": roles,
        "WriteBuildRoles": roles,
        "PassBuildRoles": roles,
    }
    # AMIs are looked for where they are published.
    assert found["Look"]["Condition"]["StringEquals"] == {"aws:RequestedRegion": ["us-east-1"]}


@given(requests())
def test_roles_are_handed_to_codebuild_and_nobody_else(request: PolicyRequest) -> None:
    passing = [one for one in policy_for(request)["Statement"] if "iam:PassRole" in one["Action"]]
    assert len(passing) == (request.codebuild is not None)
    for statement in passing:
        assert statement["Action"] == ["iam:PassRole"]
        assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "codebuild.amazonaws.com"}}
        assert all(arn.startswith(f"arn:{request.partition}:iam::") and arn[-1] != "*" for arn in statement["Resource"])


def test_a_role_of_ones_own_is_only_handed_over() -> None:
    own = f"arn:aws:iam::{OWNER}:role/ci/builds"
    both = statements(CodeBuildSpec(role=own))
    assert [sid for sid, statement in both.items() if "iam:" in json.dumps(statement["Action"])] == ["PassBuildRoles"]
    assert both["PassBuildRoles"]["Resource"] == [own]
    one = statements(CodeBuildSpec(role=own, batch_role="batches"))
    assert one["WriteBuildRoles"]["Resource"] == ["arn:aws:iam::*:role/batches"]
    assert one["PassBuildRoles"]["Resource"] == [own, "arn:aws:iam::*:role/batches"]


def test_who_writes_the_builds_role_is_told_what_that_means() -> None:
    told = notes_for(policy_request([PolicyStage.CODEBUILD], regions=["eu-west-1"], codebuild=DEFAULT_NAMES))
    assert [note.partition(":")[0] for note in told[:1]] == ["WriteBuildRoles"]
    assert told[1] == "The CodeBuild project, bucket and roles are those of any account: name yours with --account."
    own = names_of(CodeBuildSpec(account=OWNER, role=f"arn:aws:iam::{OWNER}:role/ci/builds"))
    assert notes_for(policy_request([], regions=["eu-west-1"], codebuild=own)) == ()
