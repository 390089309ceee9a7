"""The template for AWS's own engines: what cfn-lint and the buildspec's schema say, and who may do what in it."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from brqos.errors import BrqosError
from brqos.fleet.codebuild.place import spec_of
from brqos.fleet.pipelines import codebuild
from brqos.fleet.pipelines.access import documents_of
from brqos.fleet.pipelines.codebuild import identifiers
from brqos.fleet.pipelines.cron import schedule_expression
from brqos.fleet.pipelines.explain_codebuild import explanation
from brqos.fleet.pipelines.wishes import Service
from fleet.pipelines.cases import (
    BOTH,
    CASES,
    CONNECTION,
    IN_ECR,
    OF_CODEBUILD,
    REPACK,
    ROLE,
    SOURCE,
    Case,
    fleet,
    template,
)
from fleet.pipelines.scripts import buildspecs, commands, load
from nodes.launch_template.lint import complaints

GOLDENS = Path(__file__).with_name("goldens")
SCHEMA = json.loads(Path(__file__).with_name("buildspec.schema.json").read_text())


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def golden(case: str) -> str:
    return (GOLDENS / f"{case}.codebuild.yml").read_text(encoding="utf-8")


def resources(text: str, kind: str) -> dict[str, dict[str, Any]]:
    return {name: one["Properties"] for name, one in load(text)["Resources"].items() if one["Type"] == kind}


@pytest.mark.parametrize("case", CASES)
def test_cfn_lint_has_nothing_against_it(case: str) -> None:
    assert complaints(golden(case), "cn-north-1" if case == "source" else "eu-central-1") == []


def test_cfn_lint_can_say_no() -> None:
    assert complaints(golden("rehearsal").replace("ExecutionMode: QUEUED", "ExecutionMode: LATER"))


@pytest.mark.parametrize("case", CASES)
def test_every_buildspec_is_one(case: str) -> None:
    found = buildspecs(golden(case))
    assert len(found) >= 2
    for spec in found.values():
        assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(spec)] == []


@pytest.mark.parametrize(
    ("old", "new"),
    [("build-list:", "build-lists:"), ("identifier: build_aws", "identifier: build-aws"), ("phases:", "phase:")],
)
def test_the_schema_can_say_no(old: str, new: str) -> None:
    spec = buildspecs(golden("rehearsal").replace(old, new))["Build"]
    assert list(Draft202012Validator(SCHEMA).iter_errors(spec))


def test_only_what_is_asked_for_becomes_a_stage() -> None:
    stages = {}
    for case in CASES:
        (pipeline,) = resources(golden(case), "AWS::CodePipeline::Pipeline").values()
        stages[case] = [action["Name"] for stage in pipeline["Stages"] for action in stage["Actions"]]
    assert stages == {
        "repack": ["Source", "Plan", "Watch", "Build", "Register", "Verify", "Approve", "Promote"],
        "by-rule": ["Source", "Plan", "Watch", "Build", "Register", "Verify", "Promote"],
        "source": ["Source", "Plan", "Watch", "Build", "Register"],
        "both-engines": ["Source", "Plan", "Watch", "Build", "Register"],
        "images-only": ["Source", "Plan", "Watch", "Build"],
        "rehearsal": ["Source", "Plan", "Build"],
    }


@pytest.mark.parametrize("case", CASES)
def test_jobs_are_the_projects_and_every_project_has_an_action(case: str, tmp_path: Path) -> None:
    builds, wishes = fleet(Case(CASES[case].files, {**OF_CODEBUILD[case], "service": Service.CODEBUILD}), tmp_path)
    projects = resources(golden(case), "AWS::CodeBuild::Project")
    assert [name.capitalize() for name in codebuild.jobs(builds, wishes)] == list(projects)
    (pipeline,) = resources(golden(case), "AWS::CodePipeline::Pipeline").values()
    actions = [action for stage in pipeline["Stages"] for action in stage["Actions"]]
    used = [action["Configuration"] for action in actions if action["ActionTypeId"]["Provider"] == "CodeBuild"]
    assert {one["ProjectName"]["Ref"] for one in used} == set(projects)
    for one in used:
        batch = "BuildBatchConfig" in projects[one["ProjectName"]["Ref"]]
        assert (
            batch
            == (one.get("BatchEnabled") == "true")
            == ("batch" in buildspecs(golden(case))[one["ProjectName"]["Ref"]])
        )


def test_two_runs_never_publish_the_same_thing_and_nobody_is_asked_about_nothing() -> None:
    for case in CASES:
        (pipeline,) = resources(golden(case), "AWS::CodePipeline::Pipeline").values()
        assert pipeline["ExecutionMode"] == "QUEUED"
        for stage in pipeline["Stages"]:
            skips = [condition["Result"] for condition in stage.get("BeforeEntry", {}).get("Conditions", ())]
            assert skips == ([] if stage["Name"] in {"Source", "Plan"} else ["SKIP"])
        assert not any(
            "ConcurrentBuildLimit" in one for one in resources(golden(case), "AWS::CodeBuild::Project").values()
        )


def allowed(role: dict[str, Any]) -> set[str]:
    return {
        action
        for policy in role["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        for action in statement["Action"]
    }


@pytest.mark.parametrize("case", CASES)
def test_whoever_builds_cannot_publish(case: str) -> None:
    roles = resources(golden(case), "AWS::IAM::Role")
    projects = resources(golden(case), "AWS::CodeBuild::Project")
    assert projects["Build"]["ServiceRole"] == {"Fn::GetAtt": ["BuildRole", "Arn"]}
    assert {action.split(":")[0] for action in allowed(roles["BuildRole"])} <= {"logs", "s3", "secretsmanager", "ecr"}
    for name, role in roles.items():
        actions = allowed(role)
        assert not any("*" in action for action in actions)
        # Who starts builds is not who runs in them.
        assert any(action.startswith("codebuild:") for action in actions) == (name in {"BatchRole", "PipelineRole"})
        assert "iam:PassRole" not in actions
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_builds_write_no_record_of_what_is_published() -> None:
    (policy,) = resources(golden("repack"), "AWS::IAM::Role")["BuildRole"]["Policies"]
    writes = [one["Resource"] for one in policy["PolicyDocument"]["Statement"] if "s3:PutObject" in one["Action"]]
    assert writes == [[{"Fn::Sub": "${Records.Arn}/images/*"}, {"Fn::Sub": "${Records.Arn}/kits/*"}]]


@pytest.mark.parametrize("case", CASES)
def test_buckets_are_private_encrypted_and_emptied(case: str) -> None:
    buckets = resources(golden(case), "AWS::S3::Bucket")
    policies = {one["Bucket"]["Ref"]: one for one in resources(golden(case), "AWS::S3::BucketPolicy").values()}
    assert set(buckets) == set(policies) == {"Records", "Artifacts"}
    for name, bucket in buckets.items():
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert bucket["BucketEncryption"]
        assert all(rule["ExpirationInDays"] for rule in bucket["LifecycleConfiguration"]["Rules"])
        (deny,) = policies[name]["PolicyDocument"]["Statement"]
        assert (deny["Effect"], deny["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_only_a_build_from_source_is_privileged_and_big() -> None:
    spec = buildspecs(golden("both-engines"))["Build"]
    envs = {one["identifier"]: one["env"] for one in spec["batch"]["build-list"]}
    big = envs["build_images_source_aws_k8s_1_34_x86_64"]
    small = envs["build_images_repack_aws_k8s_1_34_nvidia_aarch64"]
    assert big["privileged-mode"] is True
    assert small["privileged-mode"] is False
    assert (big["compute-type"], small["compute-type"]) == ("BUILD_GENERAL1_LARGE", "BUILD_GENERAL1_SMALL")
    projects = resources(golden("both-engines"), "AWS::CodeBuild::Project")
    assert [name for name, one in projects.items() if one["Environment"].get("PrivilegedMode")] == ["Build"]
    assert "privileged" not in golden("repack").lower()
    restrictions = projects["Build"]["BuildBatchConfig"]["Restrictions"]
    assert set(restrictions["ComputeTypesAllowed"]) == {big["compute-type"], small["compute-type"]}


def test_what_codebuild_says_of_the_machines_is_heard(tmp_path: Path) -> None:
    section = """
[codebuild]
image = "registry.example.com/own:1"
compute = "2xlarge"
tags = { team = "nodes" }
variables = { PIP_INDEX_URL = "https://pypi.example.com/simple" }
keep-days = 3
[codebuild.vpc]
id = "vpc-0123456789abcdef0"
subnets = ["subnet-0123456789abcdef0"]
security-groups = ["sg-0123456789abcdef0"]
"""
    case = Case({"brqos.toml": 'arch = "x86_64"\n' + REPACK + section}, {"service": Service.CODEBUILD})
    builds, wishes = fleet(Case(case.files, {**case.wishes, "image": "registry.example.com/own:1"}), tmp_path)
    settings = spec_of(wishes.files)
    text = codebuild.template(builds, wishes, settings)
    assert complaints(text) == []
    assert "with --tags team=nodes" in text
    for project in resources(text, "AWS::CodeBuild::Project").values():
        assert project["VpcConfig"]["Subnets"] == ["subnet-0123456789abcdef0"]
        assert project["Environment"]["Image"] == "registry.example.com/own:1"
        variables = {one["Name"]: one["Value"] for one in project["Environment"]["EnvironmentVariables"]}
        assert variables["PIP_INDEX_URL"] == "https://pypi.example.com/simple"
    spec = buildspecs(text)["Build"]
    assert {one["env"]["compute-type"] for one in spec["batch"]["build-list"]} == {"BUILD_GENERAL1_2XLARGE"}
    # It is there, but brqos is not in it.
    assert any("pip" in command for command in commands(spec))
    assert "ec2:CreateNetworkInterface" in allowed(resources(text, "AWS::IAM::Role")["BuildRole"])
    assert any("takes no keep-days" in told for told in explanation(builds, wishes, settings, text))


def test_an_image_with_brqos_installs_nothing() -> None:
    for name, spec in buildspecs(golden("source")).items():
        assert list(spec["phases"]) == ["build"], name
        assert "apt-get" not in "\n".join(commands(spec))
    roles = resources(golden("source"), "AWS::IAM::Role")
    assert "ecr:BatchGetImage" in allowed(roles["BuildRole"])
    assert "ecr:BatchGetImage" not in allowed(resources(golden("repack"), "AWS::IAM::Role")["BuildRole"])


def test_documents_name_each_role_and_the_account(tmp_path: Path) -> None:
    wished = {**OF_CODEBUILD["repack"], "service": Service.CODEBUILD, "account": "444455556666"}
    builds, wishes = fleet(Case(CASES["repack"].files, wished), tmp_path)
    found = documents_of(codebuild.roles(builds, wishes, spec_of(wishes.files)), wishes)
    assert set(found) == {
        f"brqos-{role}-{kind}.json"
        for role in ("build", "publish", "canary", "watch", "batch", "pipeline", "start")
        for kind in ("permissions", "trust")
    }
    text = json.dumps(found)
    assert "arn:aws:ssm:*:444455556666:parameter/images/bottlerocket/*" in text
    assert "000000000000" not in text
    assert "AWS::AccountId" not in text
    assert CONNECTION in text


@pytest.mark.parametrize("name", ["repack", "both-engines"])
def test_the_explanation_names_what_has_to_be_there(name: str, tmp_path: Path) -> None:
    builds, wishes = fleet(Case(CASES[name].files, {**OF_CODEBUILD[name], "service": Service.CODEBUILD}), tmp_path)
    settings = spec_of(wishes.files)
    text = "\n".join(explanation(builds, wishes, settings, "x" * 51_201))
    for words in ("cloudformation deploy", "--s3-bucket", "eu-central-1", "a role that cannot publish"):
        assert words in text
    keys = ("SbkeysSecret", "PutApprovalResult", "staging", "handshake")
    assert [word in text for word in keys] == [name == "repack"] * len(keys)
    assert ("BUILD_GENERAL1_LARGE (128 GB), privileged" in text) == (name == "both-engines")
    assert ("source/source.zip" in text) == (name == "both-engines")


MANY = 'arch = "x86_64"\n[matrix]\nvariants = [{variants}]\n[build]\nengine = "repack"\n[repack]\nunsigned = true\n'


@pytest.mark.parametrize(
    ("files", "wishes", "what"),
    [
        ([f'arch = "x86_64"\n{SOURCE}'], {}, "no --image names one"),
        ([f'arch = "x86_64"\n{REPACK}'], {"connection": CONNECTION}, "not at which one"),
        ([f'arch = "x86_64"\n{REPACK}'], {"connection": "x", "repository": "a/b"}, "not the ARN of a connection"),
        ([f'arch = "x86_64"\n{BOTH}'], {"schedule": "0 0 1 * MON"}, "days of the month and days of the week"),
        ([f'arch = "x86_64"\n{BOTH}'], {"image": "a b"}, "wrong form"),
        ([f'arch = "x86_64"\n{BOTH}'], {"promotion": "after-verify"}, "after-verify"),
    ],
)
def test_what_is_refused(files: list[str], wishes: dict[str, Any], what: str, tmp_path: Path) -> None:
    from brqos.fleet.pipelines.wishes import Promotion

    if "promotion" in wishes:
        wishes = {"promotion": Promotion(wishes["promotion"])}
    case = Case({f"{number}.toml": text for number, text in enumerate(files)}, {**wishes, "service": Service.CODEBUILD})
    with pytest.raises(BrqosError) as error:
        builds, whole = fleet(case, tmp_path)
        codebuild.template(builds, whole, spec_of(whole.files))
    assert what in str(error.value)
    assert error.value.todo


def test_more_builds_than_a_batch_takes(tmp_path: Path) -> None:
    variants = ", ".join(f'"aws-k8s-1.{minor}"' for minor in range(28, 36))
    names = [f"{letter}.toml" for letter in "abcdefghijklm"]
    case = Case(dict.fromkeys(names, MANY.replace("{variants}", variants)), {"service": Service.CODEBUILD})
    with pytest.raises(BrqosError) as error:
        fleet(case, tmp_path)
    assert "104 builds, and CodeBuild runs at most 100" in str(error.value)


@given(st.lists(st.text(alphabet="ab1-._", min_size=1, max_size=6), unique=True, max_size=12))
def test_every_build_has_an_identifier_of_its_own(ids: list[str]) -> None:
    found = identifiers(ids)
    assert list(found) == ids
    assert len(set(found.values())) == len(ids)
    assert all(name.replace("_", "a").isalnum() and name.isascii() for name in found.values())


@pytest.mark.parametrize(
    ("cron", "scheduler"),
    [
        ("17 5 * * 1", "cron(17 5 ? * MON *)"),
        ("5 4 * * SUN", "cron(5 4 ? * SUN *)"),
        ("*/15 0-6,20 1 JAN-mar *", "cron(0,15,30,45 0,1,2,3,4,5,6,20 1 1,2,3 ? *)"),
        ("0,30 9-17/4 * * MON-FRI", "cron(0,30 9,13,17 ? * MON,TUE,WED,THU,FRI *)"),
        ("50/5 * * * *", "cron(50,55 * * * ? *)"),
        ("0 0 1-31 * 0-6", "cron(0 0 * * ? *)"),
    ],
)
def test_cron_as_the_scheduler_takes_it(cron: str, scheduler: str) -> None:
    assert schedule_expression(cron) == scheduler


def test_the_command_is_in_the_file(tmp_path: Path) -> None:
    assert template("rehearsal", tmp_path).startswith("# Written by:\n#   brqos pipeline codebuild\n")
    assert ROLE + "-canary" in template("by-rule", tmp_path)
    assert IN_ECR in template("source", tmp_path)


@pytest.mark.parametrize("case", CASES)
def test_functions_are_written_as_the_reference_has_them(case: str) -> None:
    # As a text it is the short form's alone, which other readers of the long one do not take.
    def texts(value: Any) -> bool:
        if isinstance(value, dict):
            return isinstance(value.get("Fn::GetAtt"), str) or any(map(texts, value.values()))
        return isinstance(value, list) and any(map(texts, value))

    assert not texts(load(golden(case)))
