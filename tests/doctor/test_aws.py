"""Credentials and region."""

from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.doctor.aws import Account, check_aws
from brqos.doctor.model import Status
from brqos.errors import AwsError

WHO = "arn:aws:iam::123456789012:user/me (account 123456789012)"


def test_known() -> None:
    checks = list(check_aws(lambda profile, region: Account(f"{WHO} {profile} {region}", "eu-central-1"), "work", ()))
    assert [(check.name, check.version) for check in checks] == [
        ("AWS credentials", f"{WHO} work None"),
        ("AWS region", "eu-central-1"),
    ]
    assert {check.status for check in checks} == {Status.FOUND}


def test_regions_given_win() -> None:
    asked = []

    def ask(profile: str | None, region: str | None) -> Account:
        asked.append(region)
        return Account(WHO, "eu-central-1")

    _, region = check_aws(ask, None, ("us-east-1", "us-west-2"))
    assert asked == ["us-east-1"]
    assert region.version == "us-east-1, us-west-2"


def test_no_region() -> None:
    _, region = check_aws(lambda _, __: Account(WHO, None), None, ())
    assert region.stops
    assert "--region" in region.remedy


def test_unknown() -> None:
    def ask(_: str | None, __: str | None) -> Account:
        raise AwsError("there are no AWS credentials", why="Unable to locate credentials")

    (credentials,) = check_aws(ask, None, ())
    assert credentials.stops
    assert credentials.version == "there are no AWS credentials: Unable to locate credentials"
    assert "aws sso login" in credentials.remedy


def test_unknown_with_a_remedy_of_its_own() -> None:
    def ask(_: str | None, __: str | None) -> Account:
        raise AwsError("the session has expired", todo="`aws sso login --profile work`")

    credentials, region = check_aws(ask, "work", ("us-east-1",))
    assert credentials.remedy == "`aws sso login --profile work`"
    assert region.status is Status.FOUND


def test_unreachable() -> None:
    def ask(_: str | None, __: str | None) -> Account:
        raise AwsCallError("GetCallerIdentity failed", kind=ErrorKind.CONNECTION, why="EndpointConnectionError")

    credentials, _ = check_aws(ask, None, ("us-east-1",))
    assert "HTTPS_PROXY" in credentials.remedy
