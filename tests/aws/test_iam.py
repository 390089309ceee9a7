"""Roles and their policies, held against moto and the emulator alike."""

from collections.abc import Iterator

import boto3
import moto
import pytest

from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.iam import Iam, Role
from brqos.aws.session import AwsSession
from brqos.rehearsal.emulator import ACCESS_KEY, SECRET_KEY, Emulator, Fault

pytestmark = pytest.mark.loopback

TAGS = {"brqos:tool": "brqos"}


def trust(service: str = "codebuild.amazonaws.com") -> dict[str, object]:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def policy(action: str) -> dict[str, object]:
    statement = {"Effect": "Allow", "Action": action, "Resource": "arn:aws:s3:::a b/ü+%/*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


@pytest.fixture
def iam(emulator: Emulator) -> Iam:
    return AwsSession(endpoint=emulator.endpoint, credentials=(ACCESS_KEY, SECRET_KEY)).iam()


@pytest.fixture(params=["moto", "emulator"])
def either(request: pytest.FixtureRequest) -> Iterator[Iam]:
    """IAM as moto has it, and as the emulator does."""
    if request.param == "emulator":
        yield request.getfixturevalue("iam")
        return
    with moto.mock_aws():
        yield Iam(boto3.client("iam", aws_access_key_id="testing", aws_secret_access_key="testing"), None)


def test_a_role(either: Iam) -> None:
    assert either.role("builder") is None
    made = either.create_role("builder", trust(), description="builds", tags=TAGS)
    assert made.arn.endswith(":role/builder")
    found = either.role("builder")
    assert found == Role("builder", made.arn, trust(), TAGS, "builds")


def test_a_name_that_is_taken(either: Iam) -> None:
    either.create_role("builder", trust(), description="", tags={})
    with pytest.raises(AwsCallError) as raised:
        either.create_role("builder", trust(), description="", tags={})
    assert raised.value.kind is ErrorKind.DUPLICATE_NAME


def test_changing_a_role(either: Iam) -> None:
    either.create_role("builder", trust(), description="", tags=TAGS)
    either.update_trust("builder", trust("ec2.amazonaws.com"))
    either.tag_role("builder", {"team": "nodes", "brqos:tool": "other"})
    found = either.role("builder")
    assert found is not None
    assert (found.trust, found.tags) == (trust("ec2.amazonaws.com"), {"brqos:tool": "other", "team": "nodes"})


def test_inline_policies(either: Iam) -> None:
    assert either.policies("builder") == {}
    either.create_role("builder", trust(), description="", tags={})
    assert either.policies("builder") == {}
    either.put_policy("builder", "one", policy("s3:GetObject"))
    either.put_policy("builder", "two", policy("s3:PutObject"))
    either.put_policy("builder", "one", policy("s3:ListBucket"))
    assert either.policies("builder") == {"one": policy("s3:ListBucket"), "two": policy("s3:PutObject")}
    either.delete_policy("builder", "one")
    either.delete_policy("builder", "one")
    assert list(either.policies("builder")) == ["two"]


def test_changing_what_is_not_there(either: Iam) -> None:
    for change in (
        lambda: either.update_trust("none", trust()),
        lambda: either.tag_role("none", TAGS),
        lambda: either.put_policy("none", "one", policy("s3:GetObject")),
    ):
        with pytest.raises(AwsCallError) as raised:
            change()
        assert raised.value.kind is ErrorKind.NOT_FOUND


def test_many_policies_come_in_pages(emulator: Emulator, iam: Iam) -> None:
    iam.create_role("builder", trust(), description="", tags={})
    names = [f"p{number}" for number in range(5)]
    for name in names:
        iam.put_policy("builder", name, policy("s3:GetObject"))
    emulator.store.largest_page = 2
    assert list(iam.policies("builder")) == names
    assert emulator.calls["ListRolePolicies"] == 3


def test_a_policy_that_goes_away_meanwhile_is_none(emulator: Emulator, iam: Iam) -> None:
    iam.create_role("builder", trust(), description="", tags={})
    iam.put_policy("builder", "one", policy("s3:GetObject"))
    emulator.faults.inject("GetRolePolicy", Fault(code="NoSuchEntity", status=404))
    assert iam.policies("builder") == {}


def test_refusals(emulator: Emulator, iam: Iam) -> None:
    with pytest.raises(AwsCallError) as raised:
        iam.create_role("builder", {"Statement": []}, description="", tags={})
    assert raised.value.kind is ErrorKind.VALIDATION
    emulator.deny("iam:GetRole")
    with pytest.raises(AwsCallError) as raised:
        iam.role("builder")
    assert raised.value.kind is ErrorKind.ACCESS_DENIED
    emulator.allow()
    emulator.faults.inject("GetRole", Fault(kind="throttled"))
    assert iam.role("builder") is None


def test_the_region_tells_the_partition(emulator: Emulator) -> None:
    session = AwsSession(endpoint=emulator.endpoint, credentials=(ACCESS_KEY, SECRET_KEY))
    made = session.iam("cn-north-1").create_role("builder", trust(), description="", tags={})
    assert made.arn.startswith("arn:aws-cn:iam::")
