"""Launch templates at moto's EC2 and the emulator's, and what EC2 has against their data."""

import base64
from collections.abc import Iterator
from typing import Any

import boto3
import moto
import pytest
from botocore.stub import Stubber

from brqos.aws.dry_run import Permission
from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.launch_templates import DescribedLaunchTemplate, LaunchTemplates, WrittenVersion
from brqos.aws.session import AwsSession
from brqos.rehearsal.emulator import ACCESS_KEY, SECRET_KEY, Emulator, Fault

REGION = "eu-west-1"
TAGS = {"brqos:tool": "brqos", "a": "b"}
UNKNOWN = "lt-0123456789abcdef0"
DATA = {
    "ImageId": "ami-0123456789abcdef0",
    "UserData": base64.b64encode(b"[settings.kubernetes]\n").decode(),
    "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 2},
    "BlockDeviceMappings": [{"DeviceName": "/dev/xvdb", "Ebs": {"VolumeSize": 80, "VolumeType": "gp3"}}],
    "TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "a", "Value": "b"}]}],
}


def client() -> Any:
    return boto3.client("ec2", region_name=REGION, aws_access_key_id="x", aws_secret_access_key="y")


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


@pytest.fixture
def of_emulator(emulator: Emulator) -> LaunchTemplates:
    return AwsSession(endpoint=emulator.endpoint, credentials=(ACCESS_KEY, SECRET_KEY)).launch_templates(REGION)


@pytest.fixture
def of_moto() -> Iterator[LaunchTemplates]:
    with moto.mock_aws():
        yield LaunchTemplates(client(), REGION, None)


def create(templates: LaunchTemplates, name: str = "nodes", token: str = "t") -> WrittenVersion:
    return templates.create(name, DATA, description="first", tags=TAGS, token=token)


@pytest.mark.loopback
@pytest.mark.parametrize("source", ["of_moto", "of_emulator"])
def test_making_and_changing(source: str, request: pytest.FixtureRequest) -> None:
    templates = request.getfixturevalue(source)
    assert templates.find("nodes") is None
    made = create(templates)
    assert (made.number, made.warnings) == (1, ())
    assert templates.find("nodes") == DescribedLaunchTemplate(made.template, "nodes", 1, 1, TAGS)
    other = {"ImageId": "ami-0fedcba9876543210"}
    second = templates.create_version(made.template, other, description="", token="u")
    assert second == WrittenVersion(made.template, 2)
    assert templates.find("nodes") == DescribedLaunchTemplate(made.template, "nodes", 1, 2, TAGS)
    told = templates.version(made.template, 1)
    # moto counts the tags of the template itself to its data.
    assert {name: value for name, value in told.items() if name != "TagSpecifications"} == {
        name: value for name, value in DATA.items() if name != "TagSpecifications"
    }
    assert templates.version(made.template, "$Default") == told
    assert templates.version(made.template, "$Latest") == other


@pytest.mark.loopback
@pytest.mark.parametrize("source", ["of_moto", "of_emulator"])
def test_refusals(source: str, request: pytest.FixtureRequest) -> None:
    templates = request.getfixturevalue(source)
    made = create(templates)
    with pytest.raises(AwsCallError, match=f"CreateLaunchTemplate in {REGION}") as caught:
        create(templates, token="u")
    assert caught.value.kind is ErrorKind.DUPLICATE_NAME
    for template, version in ((made.template, 9), (UNKNOWN, 1)):
        with pytest.raises(AwsCallError) as caught:
            templates.version(template, version)
        assert caught.value.kind is ErrorKind.NOT_FOUND


@pytest.mark.loopback
def test_what_the_emulator_knows_better(of_emulator: LaunchTemplates) -> None:
    made = create(of_emulator)
    assert of_emulator.version(made.template, 1) == DATA
    with pytest.raises(AwsCallError, match=r"InvalidUserData\.Malformed") as caught:
        of_emulator.create("more", {"UserData": "[settings]"}, description="", tags={}, token="v")
    assert caught.value.kind is ErrorKind.VALIDATION
    with pytest.raises(AwsCallError) as caught:
        of_emulator.create_version(UNKNOWN, DATA, description="", token="w")
    assert caught.value.kind is ErrorKind.NOT_FOUND
    with pytest.raises(AwsCallError) as caught:
        of_emulator.create("a name", DATA, description="", tags={}, token="x")
    assert caught.value.kind is ErrorKind.VALIDATION


@pytest.mark.loopback
def test_tokens(of_emulator: LaunchTemplates) -> None:
    made = create(of_emulator)
    assert create(of_emulator) == made
    with pytest.raises(AwsCallError) as caught:
        create(of_emulator, "other")
    assert caught.value.kind is ErrorKind.CONFLICT
    versions = [
        of_emulator.create_version(made.template, {"KeyName": "k"}, description="x", token=token).number
        for token in ("u", "u", "v")
    ]
    assert versions == [2, 2, 3]


@pytest.mark.loopback
def test_an_answer_that_is_lost(
    of_emulator: LaunchTemplates, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    for operation in ("CreateLaunchTemplate", "CreateLaunchTemplateVersion"):
        emulator.faults.inject(operation, Fault(kind="internal", after_effect=True))
    made = create(of_emulator)
    assert of_emulator.create_version(made.template, {"KeyName": "k"}, description="", token="u").number == 2
    (template,) = emulator.store.compute.templates.values()
    assert (template.id, template.latest_version) == (made.template, 2)


@pytest.mark.loopback
def test_probes(of_emulator: LaunchTemplates, emulator: Emulator) -> None:
    probes = {
        "CreateLaunchTemplate": lambda: of_emulator.probe_create("nodes", DATA, description="x", tags=TAGS),
        "CreateLaunchTemplateVersion": lambda: of_emulator.probe_create_version(UNKNOWN, DATA, description="x"),
    }
    for operation, probe in probes.items():
        assert (probe().operation, probe().permission) == (operation, Permission.ALLOWED)
        emulator.deny(f"ec2:{operation}")
        assert (probe().permission, probe().kind) == (Permission.DENIED, ErrorKind.ACCESS_DENIED)
    assert emulator.store.compute.templates == {}
    wrong = of_emulator.probe_create("nodes", {"Colour": "red"}, description="", tags={})
    assert (wrong.permission, wrong.kind) == (Permission.UNKNOWN, ErrorKind.VALIDATION)


def test_what_is_sent_and_warnings() -> None:
    warning = {"Errors": [{"Code": "InvalidAMIID.NotFound", "Message": "The image does not exist"}]}
    warnings = ("InvalidAMIID.NotFound: The image does not exist",)
    with Stubber(asked := client()) as stub:
        templates = LaunchTemplates(asked, REGION, None)
        stub.add_response(
            "create_launch_template",
            {"LaunchTemplate": {"LaunchTemplateId": "lt-1", "LatestVersionNumber": 1}, "Warning": warning},
            {"LaunchTemplateName": "nodes", "LaunchTemplateData": DATA, "ClientToken": "t"},
        )
        made = templates.create("nodes", DATA, description="", tags={}, token="t")
        assert made == WrittenVersion("lt-1", 1, warnings)
        stub.add_response(
            "create_launch_template_version",
            {"LaunchTemplateVersion": {"VersionNumber": 2}, "Warning": warning},
            {"LaunchTemplateId": "lt-1", "LaunchTemplateData": DATA, "ClientToken": "u", "VersionDescription": "x"},
        )
        second = templates.create_version("lt-1", DATA, description="x", token="u")
        assert second == WrittenVersion("lt-1", 2, warnings)
        stub.add_response("describe_launch_template_versions", {"LaunchTemplateVersions": []})
        with pytest.raises(AwsCallError, match="version 7 of lt-1") as caught:
            templates.version("lt-1", 7)
        assert caught.value.kind is ErrorKind.NOT_FOUND
        stub.add_client_error("describe_launch_templates", "UnauthorizedOperation", "no", 403)
        with pytest.raises(AwsCallError) as caught:
            templates.find("nodes")
        assert caught.value.kind is ErrorKind.ACCESS_DENIED
