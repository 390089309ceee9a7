"""Where a session finds its endpoints, credentials and region, and what it says where it finds none."""

import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import moto
import pytest

from brqos.aws.credentials import Credentials
from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.identity import Identity
from brqos.aws.session import AwsSession
from brqos.process import run
from brqos.rehearsal.emulator import ACCESS_KEY, SECRET_KEY, Emulator, Key

pytestmark = pytest.mark.loopback

OWN = (ACCESS_KEY, SECRET_KEY)
REGION = "eu-west-1"


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)


def kind_of(session: AwsSession) -> AwsCallError:
    with pytest.raises(AwsCallError) as caught:
        session.identity(REGION)
    return caught.value


def test_identity(emulator: Emulator) -> None:
    identity = AwsSession(endpoint=emulator.endpoint, credentials=OWN).identity(REGION)
    assert identity == Identity("000000000000", "arn:aws:iam::000000000000:user/rehearsal")
    assert identity.partition == "aws"


def test_identity_reads_like_that_of_moto(emulator: Emulator) -> None:
    with moto.mock_aws():
        theirs = boto3.client("sts", region_name=REGION, aws_access_key_id="x", aws_secret_access_key="y")
        expected = theirs.get_caller_identity()
    ours = boto3.client(
        "sts",
        region_name=REGION,
        endpoint_url=emulator.endpoint,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
    ).get_caller_identity()
    assert set(ours) == set(expected)
    assert {name: type(value) for name, value in ours.items()} == {
        name: type(value) for name, value in expected.items()
    }


@pytest.mark.usefixtures("keys")
def test_endpoint_variables(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    with Emulator() as for_ebs:
        monkeypatch.setenv("AWS_ENDPOINT_URL", emulator.endpoint)
        monkeypatch.setenv("AWS_ENDPOINT_URL_EBS", for_ebs.endpoint)
        session = AwsSession()
        session.identity(REGION)
        session.ec2(REGION).images_named("x y z")
        session.ebs(REGION).start(volume_gib=1, description="x", tags={}, token="t", timeout_minutes=60)
        assert dict(emulator.calls) == {"GetCallerIdentity": 1, "DescribeImages": 1}
        assert dict(for_ebs.calls) == {"StartSnapshot": 1}


def test_a_profile_of_a_configuration_file(emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "config"
    file.write_text(
        f"[profile work]\nregion = eu-north-1\nendpoint_url = {emulator.endpoint}\n"
        f"aws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET_KEY}\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    session = AwsSession("work")
    assert session.default_region() == "eu-north-1"
    assert session.identity("eu-north-1").account == "000000000000"


def test_an_isolated_session_looks_at_nothing(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "does-not-exist")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
    monkeypatch.setenv("AWS_CA_BUNDLE", "/does/not/exist")
    session = AwsSession(profile="neither", endpoint=emulator.endpoint, credentials=Credentials(*OWN))
    assert session.identity(REGION).account == "000000000000"


def test_session_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    with Emulator(keys={"AKIA": Key("secret", "1" * 12, "token")}) as emulator:
        given = Credentials("AKIA", "secret", "token")
        assert AwsSession(endpoint=emulator.endpoint, credentials=given).identity(REGION).account == "1" * 12
        assert "secret" not in repr(given)
        old = Credentials("AKIA", "secret", "old")
        error = kind_of(AwsSession(endpoint=emulator.endpoint, credentials=old))
    assert error.kind is ErrorKind.EXPIRED
    assert "Log in again" in error.todo


def test_no_credentials() -> None:
    error = kind_of(AwsSession(endpoint="http://127.0.0.1:1"))
    assert error.kind is ErrorKind.CREDENTIALS
    assert error.what == "there are no AWS credentials that can be used"


def test_wrong_credentials(emulator: Emulator) -> None:
    assert kind_of(AwsSession(endpoint=emulator.endpoint, credentials=("AKIAX", "y"))).kind is ErrorKind.CREDENTIALS
    error = kind_of(AwsSession(endpoint=emulator.endpoint, credentials=(ACCESS_KEY, "y")))
    assert error.code == "SignatureDoesNotMatch"


def test_an_unknown_profile() -> None:
    error = kind_of(AwsSession("nobody"))
    assert (error.kind, error.what) == (ErrorKind.PROFILE, "the AWS profile “nobody” does not exist")
    with pytest.raises(AwsCallError):
        AwsSession("nobody").default_region()


@pytest.mark.usefixtures("keys")
def test_an_endpoint_that_nobody_answers_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setattr("time.sleep", lambda _: None)
    error = kind_of(AwsSession())
    assert error.kind is ErrorKind.CONNECTION
    assert "AWS_ENDPOINT_URL" in error.todo


def test_a_region_that_is_none(emulator: Emulator) -> None:
    with pytest.raises(AwsCallError) as caught:
        AwsSession(endpoint=emulator.endpoint, credentials=OWN).identity("no region!")
    assert caught.value.kind is ErrorKind.REGION


def test_the_age_of_a_snapshot_is_told_by_the_service(emulator: Emulator) -> None:
    ebs = AwsSession(endpoint=emulator.endpoint, credentials=OWN).ebs(REGION)
    started = ebs.start(volume_gib=1, description="x", tags={"a": "b"}, token="t", timeout_minutes=60)
    assert abs(started.age) < 3
    (use,) = emulator.store.tokens.values()
    began = use.answer["StartTime"]
    assert isinstance(began, float)
    use.answer["StartTime"] = began - 1000
    again = ebs.start(volume_gib=1, description="x", tags={"a": "b"}, token="t", timeout_minutes=60)
    assert again.id == started.id
    assert 990 < again.age < 1010


@pytest.mark.processes
def test_boto3_is_imported_late() -> None:
    code = (
        "import sys, brqos.aws.session, brqos.aws.errors, brqos.ami.making.register, brqos.ami.plan;"
        "assert not {'boto3', 'botocore'} & set(sys.modules)"
    )
    run([sys.executable, "-c", code])
