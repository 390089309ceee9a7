from collections.abc import Iterator

import pytest

from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.regions import AwsRegions
from brqos.aws.session import AwsSession
from brqos.rehearsal.emulator import ACCESS_KEY, SECRET_KEY, Emulator

ROLE = "arn:aws:iam::210987654321:role/images"
CHINA = "arn:aws-cn:iam::111122223333:role/path/images"


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(delay=0) as running:
        yield running


def session(emulator: Emulator, role: str | None = None) -> AwsSession:
    return AwsSession(endpoint=emulator.endpoint, credentials=(ACCESS_KEY, SECRET_KEY), role=role)


def test_one_session_for_each_identity() -> None:
    default = AwsSession("images")
    regions = AwsRegions(default, {"cn-north-1": "china", "cn-northwest-1": "china"}, {"us-east-1": ROLE})
    assert regions.session("eu-west-1") is default
    assert regions.session("cn-north-1") is regions.session("cn-northwest-1")
    assert regions.session("cn-north-1").profile == "china"
    assert (regions.session("us-east-1").profile, regions.session("us-east-1").role) == ("images", ROLE)


@pytest.mark.loopback
def test_a_role_decides_the_account(emulator: Emulator) -> None:
    identity = session(emulator, ROLE).identity("eu-west-1")
    assert identity.account == "210987654321"
    assert "assumed-role/images/brqos-" in identity.arn
    assert emulator.calls["AssumeRole"] == 1


@pytest.mark.loopback
def test_the_credentials_of_a_role_are_those_of_the_puts_too(emulator: Emulator) -> None:
    frozen = session(emulator, ROLE).frozen_credentials()
    assert frozen.token
    assert frozen.access_key != ACCESS_KEY


@pytest.mark.loopback
def test_a_role_of_another_partition(emulator: Emulator) -> None:
    assert session(emulator, CHINA).identity("cn-north-1").partition == "aws-cn"


def test_a_role_without_credentials_says_that_there_are_none() -> None:
    with pytest.raises(AwsCallError) as caught:
        AwsSession(role=ROLE).frozen_credentials()
    assert caught.value.kind is ErrorKind.CREDENTIALS
    assert not AwsSession(role=ROLE).has_credentials()
