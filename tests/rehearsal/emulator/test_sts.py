"""Roles: what credentials AssumeRole gives, what they are good for, and for how long."""

from typing import Any

import boto3
import moto
import pytest

from brqos.rehearsal.emulator import Emulator, Role

from .conftest import REGION, Aws, Clock, refused

pytestmark = pytest.mark.loopback

ROLE = f"arn:aws:iam::{'1' * 12}:role/path/publisher"


def assume(sts: Any, **given: Any) -> dict[str, Any]:
    return dict(sts.assume_role(**{"RoleArn": ROLE, "RoleSessionName": "session", **given}))


def test_credentials_of_a_role(aws: Aws, emulator: Emulator) -> None:
    credentials = assume(aws.sts)["Credentials"]
    assert credentials["AccessKeyId"].startswith("ASIA")
    identity = aws.client("sts", REGION, credentials).get_caller_identity()
    assert identity["Account"] == "1" * 12
    assert identity["Arn"] == f"arn:aws:sts::{'1' * 12}:assumed-role/publisher/session"
    assert identity["UserId"].endswith(":session")
    snapshot = aws.client("ebs", REGION, credentials).start_snapshot(VolumeSize=1)
    assert snapshot["OwnerId"] == emulator.store.snapshots[snapshot["SnapshotId"]].owner == "1" * 12
    with refused("ResourceNotFoundException"):
        aws.ebs.complete_snapshot(SnapshotId=snapshot["SnapshotId"], ChangedBlocksCount=0)
    with refused("SignatureDoesNotMatch"):
        aws.client("sts", REGION, {**credentials, "SecretAccessKey": "x"}).get_caller_identity()
    with refused("ExpiredToken"):
        aws.client("sts", REGION, {**credentials, "SessionToken": "x"}).get_caller_identity()


def test_answers_as_moto_has_them(aws: Aws) -> None:
    ours = assume(aws.sts)
    with moto.mock_aws():
        sts = boto3.client("sts", region_name=REGION, aws_access_key_id="x", aws_secret_access_key="y")
        theirs = assume(sts)
    assert set(ours["Credentials"]) == set(theirs["Credentials"])
    assert set(ours["AssumedRoleUser"]) == set(theirs["AssumedRoleUser"])
    assert ours["AssumedRoleUser"]["Arn"] == theirs["AssumedRoleUser"]["Arn"].replace("path/", "")


@pytest.mark.parametrize(
    ("service", "call", "code", "status"),
    [
        ("sts", "get_caller_identity", "ExpiredToken", 403),
        ("ec2", "describe_images", "RequestExpired", 400),
        ("ssm", "describe_parameters", "ExpiredTokenException", 400),
        ("autoscaling", "describe_auto_scaling_groups", "ExpiredToken", 403),
    ],
)
def test_credentials_expire(aws: Aws, clock: Clock, service: str, call: str, code: str, status: int) -> None:
    credentials = assume(aws.sts, DurationSeconds=900)["Credentials"]
    client = aws.client(service, REGION, credentials)
    clock.now += 899
    getattr(client, call)()
    clock.now += 1
    with refused(code, status=status):
        getattr(client, call)()


def test_expired_credentials_at_ebs_direct(aws: Aws, clock: Clock) -> None:
    ebs = aws.client("ebs", REGION, assume(aws.sts, DurationSeconds=900)["Credentials"])
    clock.now += 900
    with refused("ExpiredTokenException", status=403):
        ebs.start_snapshot(VolumeSize=1)


def test_partitions(aws: Aws) -> None:
    china = aws.client("sts", "cn-north-1")
    assert china.get_caller_identity()["Arn"].startswith("arn:aws-cn:iam::")
    with refused("ValidationError"):
        assume(china)
    credentials = assume(china, RoleArn=ROLE.replace("arn:aws:", "arn:aws-cn:"))["Credentials"]
    arn = aws.client("sts", "cn-north-1", credentials).get_caller_identity()["Arn"]
    assert arn.startswith("arn:aws-cn:sts::")
    gov = aws.client("sts", "us-gov-west-1").get_caller_identity()["Arn"]
    assert gov.startswith("arn:aws-us-gov:iam::")


def test_roles_that_may_be_assumed(aws: Aws, emulator: Emulator) -> None:
    emulator.store.roles[ROLE] = Role(external_id="secret", longest_seconds=3600)
    with refused("AccessDenied", status=403):
        assume(aws.sts, RoleArn=ROLE + "2")
    with refused("AccessDenied", status=403):
        assume(aws.sts)
    with refused("ValidationError"):
        assume(aws.sts, ExternalId="secret", DurationSeconds=7200)
    assume(aws.sts, ExternalId="secret")


@pytest.mark.parametrize(
    "given", [{"RoleArn": ROLE.replace("role", "user")}, {"RoleSessionName": "a b"}, {"DurationSeconds": 43201}]
)
def test_what_is_refused(aws: Aws, given: dict[str, Any]) -> None:
    with refused("ValidationError"):
        assume(aws.sts, **given)


def test_a_chained_role_lasts_an_hour(aws: Aws) -> None:
    chained = aws.client("sts", REGION, assume(aws.sts, DurationSeconds=43200)["Credentials"])
    with refused("ValidationError", match="chaining"):
        assume(chained, DurationSeconds=3601)
    assume(chained)
