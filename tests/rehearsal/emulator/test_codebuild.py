"""The emulated CodeBuild: what it takes and refuses, in both of its protocols."""

import io
import json
import zipfile
from typing import Any

import boto3
import pytest
from botocore.config import Config

from brqos.rehearsal.emulator import ACCESS_KEY, ACCOUNT, SECRET_KEY, cbor

from .conftest import REGION, Aws, RawClient, refused

pytestmark = pytest.mark.loopback

ROLE = f"arn:aws:iam::{ACCOUNT}:role/builder"
ENVIRONMENT = {"type": "LINUX_CONTAINER", "image": "aws/codebuild/standard:7.0", "computeType": "BUILD_GENERAL1_SMALL"}
PROJECT: dict[str, Any] = {
    "name": "brqos",
    "source": {"type": "S3", "location": "bucket/none.zip", "buildspec": "version: 0.2"},
    "artifacts": {"type": "NO_ARTIFACTS"},
    "environment": ENVIRONMENT,
    "serviceRole": ROLE,
    "buildBatchConfig": {"serviceRole": ROLE},
}
SPEC = "version: 0.2\nbatch:\n  build-list: [{identifier: a}]\nphases:\n  build:\n    commands: [make]\n"
TARGET = "CodeBuild_20161006"


def trusting(service: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": [service]}, "Action": ["sts:AssumeRole"]}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def environment(**given: Any) -> dict[str, Any]:
    return {"environment": {**ENVIRONMENT, **given}}


def batch_config(**given: Any) -> dict[str, Any]:
    return {"buildBatchConfig": {"serviceRole": ROLE, **given}}


@pytest.fixture
def codebuild(aws: Aws) -> Any:
    """A client that sends whatever it is told, with any role."""
    aws.emulator.store.roles_of_iam.required = False
    return boto3.client(
        "codebuild",
        region_name=REGION,
        endpoint_url=aws.emulator.endpoint,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        config=Config(parameter_validation=False, retries={"total_max_attempts": 1}),
    )


@pytest.fixture
def source(aws: Aws) -> str:
    aws.s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("file", "content")
    aws.s3.put_object(Bucket="bucket", Key="source.zip", Body=archive.getvalue())
    return "bucket/source.zip"


@pytest.mark.parametrize(
    "given",
    [
        {"name": "x"}, {"name": "-ab"}, {"name": "a" * 151}, {"description": "x" * 256},
        {"serviceRole": "builder"}, {"serviceRole": "arn:aws:iam::111111111111:role/builder"},
        {"source": {"type": "S3"}}, {"source": {"type": "S3", "location": "Bucket/x.zip"}},
        {"source": {"type": "GITHUB", "location": "https://github.com/a/b"}}, {"source": {"type": "NO_SOURCE"}},
        {"artifacts": {"type": "S3"}}, {"timeoutInMinutes": 4}, {"timeoutInMinutes": 2161},
        {"queuedTimeoutInMinutes": 481}, {"concurrentBuildLimit": 0}, {"tags": [{"key": "aws:x", "value": ""}]},
        {"tags": [{"key": "a", "value": "!"}]}, {"tags": [{"key": "a", "value": ""}] * 2},
        {"tags": [{"key": f"k{number}", "value": ""} for number in range(51)]},
        {"logsConfig": {"s3Logs": {"status": "ENABLED", "location": "bucket/x"}}},
        {"logsConfig": {"cloudWatchLogs": {"status": "DISABLED", "groupName": "x"}}},
        {"cache": {"type": "LOCAL", "modes": ["LOCAL_OTHER_CACHE"]}}, {"vpcConfig": {"vpcId": "x"}},
        {"vpcConfig": {"vpcId": "vpc-1", "subnets": [], "securityGroupIds": ["sg-1"]}},
        environment(type="LINUX"), environment(computeType="LARGE"), environment(computeType="BUILD_LAMBDA_1GB"),
        environment(image=""), environment(type="LINUX_GPU_CONTAINER", computeType="BUILD_GENERAL1_MEDIUM"),
        environment(type="ARM_LAMBDA_CONTAINER", computeType="BUILD_LAMBDA_1GB", privilegedMode=True),
        environment(imagePullCredentialsType="SERVICE_ROLE"),
        environment(environmentVariables=[{"name": "1", "value": ""}]),
        environment(environmentVariables=[{"name": "A", "value": "x"}] * 2),
        environment(environmentVariables=[{"name": "A", "value": "x", "type": "PARAMETER_STORE"}]),
        environment(dockerServer={"computeType": "BUILD_GENERAL1_SMALL"}),
        batch_config(timeoutInMins=2161), batch_config(restrictions={"maximumBuildsAllowed": 101}),
        batch_config(restrictions={"computeTypesAllowed": ["LARGE"]}), {"buildBatchConfig": {"timeoutInMins": 60}},
        {"badgeEnabled": True},
    ],
    ids=str,
)  # fmt: skip
def test_projects_that_cannot_be_made(codebuild: Any, given: dict[str, Any]) -> None:
    with refused("InvalidInputException", status=400):
        codebuild.create_project(**{**PROJECT, **given})
    assert codebuild.batch_get_projects(names=["brqos"])["projectsNotFound"] == ["brqos"]


def test_what_codebuild_adds(codebuild: Any) -> None:
    told = codebuild.create_project(**PROJECT)["project"]
    assert (told["timeoutInMinutes"], told["queuedTimeoutInMinutes"], told["cache"]) == (60, 480, {"type": "NO_CACHE"})
    assert told["encryptionKey"] == f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/aws/s3"
    with refused("ResourceAlreadyExistsException"):
        codebuild.create_project(**PROJECT)


def test_what_an_update_leaves_and_takes_away(codebuild: Any) -> None:
    vpc = {"vpcId": "vpc-1", "subnets": ["subnet-1"], "securityGroupIds": ["sg-1"]}
    codebuild.create_project(**PROJECT, concurrentBuildLimit=3, vpcConfig=vpc, description="x")
    told = codebuild.update_project(name="brqos", concurrentBuildLimit=-1, vpcConfig={})["project"]
    assert "concurrentBuildLimit" not in told and "vpcConfig" not in told and told["description"] == "x"
    with refused("InvalidInputException"):
        codebuild.update_project(name="brqos", timeoutInMinutes=1)
    with refused("ResourceNotFoundException"):
        codebuild.update_project(name="other", timeoutInMinutes=10)


def test_roles_that_codebuild_may_not_take_on(aws: Aws) -> None:
    words = f"CodeBuild is not authorized to perform: sts:AssumeRole on {ROLE}"
    with refused("InvalidInputException", match=words):
        aws.codebuild.create_project(**PROJECT)
    aws.iam.create_role(RoleName="builder", AssumeRolePolicyDocument=trusting("ec2.amazonaws.com"))
    aws.clock.now += 60
    with refused("InvalidInputException", match=words):
        aws.codebuild.create_project(**PROJECT)
    aws.iam.update_assume_role_policy(RoleName="builder", PolicyDocument=trusting("codebuild.amazonaws.com"))
    with refused("InvalidInputException", match=words):
        aws.codebuild.create_project(**PROJECT)
    aws.clock.now += 1
    aws.codebuild.create_project(**PROJECT)


def test_another_account_and_region_have_their_own(aws: Aws, codebuild: Any, source: str) -> None:
    codebuild.create_project(**PROJECT)
    batch = codebuild.start_build_batch(projectName="brqos", sourceLocationOverride=source, buildspecOverride=SPEC)
    batch_id = batch["buildBatch"]["id"]
    for other in (
        aws.client("codebuild", "eu-west-2"),
        aws.client("codebuild", credentials=aws.account("111111111111")),
    ):
        assert other.batch_get_build_batches(ids=[batch_id])["buildBatches"] == []
        with refused("ResourceNotFoundException"):
            other.stop_build_batch(id=batch_id)
        with refused("ResourceNotFoundException"):
            other.list_build_batches_for_project(projectName="brqos")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"sourceLocationOverride": "nowhere"}, "location must be a valid S3 source"),
        ({"sourceTypeOverride": "NO_SOURCE"}, "location must be empty"),
        ({"environmentVariablesOverride": [{"name": "a b", "value": ""}]}, "Invalid environment variable"),
        ({"computeTypeOverride": "BUILD_LAMBDA_1GB"}, "Invalid compute type"),
        ({"buildTimeoutInMinutesOverride": 5000}, "timeoutInMinutes"),
        ({"debugSessionEnabled": True}, "debugSessionEnabled is not emulated"),
    ],
)
def test_batches_that_cannot_be_started(aws: Aws, codebuild: Any, given: dict[str, Any], words: str) -> None:
    codebuild.create_project(**PROJECT)
    with refused("InvalidInputException", match=words):
        codebuild.start_build_batch(**{"projectName": "brqos", "buildspecOverride": SPEC, **given})
    assert aws.emulator.store.codebuild.batches == {}


def test_a_project_without_batches(codebuild: Any) -> None:
    codebuild.create_project(**{name: value for name, value in PROJECT.items() if name != "buildBatchConfig"})
    with refused("InvalidInputException", match="no batch configuration"):
        codebuild.start_build_batch(projectName="brqos", buildspecOverride=SPEC)


def test_more_ids_than_are_taken(codebuild: Any) -> None:
    for call in (codebuild.batch_get_build_batches, codebuild.batch_get_builds):
        with refused("InvalidInputException", match="at most 100"):
            call(ids=["a:b"] * 101)


def test_listing(aws: Aws, codebuild: Any, source: str) -> None:
    codebuild.create_project(**PROJECT)
    asked = {"projectName": "brqos", "sourceLocationOverride": source, "buildspecOverride": SPEC}
    ids = [codebuild.start_build_batch(**asked)["buildBatch"]["id"] for _ in range(3)]
    codebuild.stop_build_batch(id=ids[1])
    listed = codebuild.list_build_batches_for_project
    assert listed(projectName="brqos", sortOrder="ASCENDING")["ids"] == ids
    assert listed(projectName="brqos", filter={"status": "STOPPED"})["ids"] == [ids[1]]
    page = listed(projectName="brqos", maxResults=2)
    assert page["ids"] == ids[:0:-1]
    assert listed(projectName="brqos", maxResults=2, nextToken=page["nextToken"])["ids"] == [ids[0]]
    with refused("InvalidInputException", match="nextToken"):
        listed(projectName="brqos", sortOrder="ASCENDING", nextToken=page["nextToken"])


def test_what_is_not_emulated_is_refused(codebuild: Any) -> None:
    with refused("UnknownOperationException"):
        codebuild.list_projects()


def test_json_as_older_clients_speak_it(aws: Aws, codebuild: Any, raw: RawClient, source: str) -> None:
    codebuild.create_project(**PROJECT)
    headers = {"x-amz-target": f"{TARGET}.StartBuildBatch", "content-type": "application/x-amz-json-1.1"}
    asked = {"projectName": "brqos", "sourceLocationOverride": source, "buildspecOverride": SPEC}
    answer = raw.send("POST", "/", service="codebuild", headers=headers, body=json.dumps(asked).encode())
    assert answer.status == 200
    told = answer.json["buildBatch"]
    assert told["startTime"] == aws.clock.now and "endTime" not in told
    assert codebuild.batch_get_build_batches(ids=[told["id"]])["buildBatches"][0]["arn"] == told["arn"]
    answer = raw.send("POST", "/", service="codebuild", headers=headers, body=b'{"projectName": "none"}')
    assert (answer.status, answer.json["__type"]) == (400, "ResourceNotFoundException")
    answer = raw.send("POST", "/", service="codebuild", headers=headers, body=b"[")
    assert answer.json["__type"] == "SerializationException"


def test_cbor_as_newer_clients_speak_it(codebuild: Any, raw: RawClient) -> None:
    path, headers = f"/service/{TARGET}/operation/BatchGetProjects", {"smithy-protocol": cbor.PROTOCOL}
    body = cbor.encode({"names": ["brqos"]})
    answer = raw.send("POST", path, service="codebuild", headers=headers, body=body)
    assert answer.headers["smithy-protocol"] == cbor.PROTOCOL
    assert cbor.decode(answer.body) == {"projects": [], "projectsNotFound": ["brqos"]}
    for wrong, code in ((b"\xff", "SerializationException"), (cbor.encode({"x": 1}), "InvalidInputException")):
        answer = raw.send("POST", path, service="codebuild", headers=headers, body=wrong)
        assert (answer.status, cbor.decode(answer.body)["__type"]) == (400, code)
