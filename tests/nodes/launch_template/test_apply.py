"""The launch template made at the emulator's EC2, again and again."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.stub import Stubber

from ami.conftest import Recorder
from brqos.aws.dry_run import Permission, ProbeResult
from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.launch_templates import LaunchTemplates
from brqos.aws.session import AwsSession
from brqos.errors import AwsError
from brqos.nodes.launch_template import apply as applying
from brqos.nodes.launch_template.apply import Applied, apply, carry_out, look, next_command, probe
from brqos.nodes.launch_template.data import launch_template_data
from brqos.nodes.launch_template.nodegroup import nodegroup_json
from brqos.nodes.launch_template.plan import Action, plan_apply, same_data
from brqos.rehearsal.emulator import ACCESS_KEY, SECRET_KEY, Emulator
from nodes.launch_template.cases import FULL, KNOWN, wish

pytestmark = pytest.mark.loopback

OTHER = {**FULL, "ami": "ami-0fedcba9876543210"}


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


@pytest.fixture
def templates(emulator: Emulator) -> LaunchTemplates:
    return AwsSession(endpoint=emulator.endpoint, credentials=(ACCESS_KEY, SECRET_KEY)).launch_templates("eu-central-1")


@pytest.fixture
def monitor() -> Recorder:
    return Recorder()


def test_it_is_made_once_and_then_as_often_as_it_changes(templates: LaunchTemplates, monitor: Recorder) -> None:
    made = apply(wish(**FULL), templates, monitor)
    assert (made.version, made.made) == (1, True)
    assert apply(wish(**FULL), templates, monitor) == Applied(made.template, 1, made=False)
    assert "has this already" in monitor.notes[-1]
    assert apply(wish(**OTHER), templates, monitor) == Applied(made.template, 2, made=True)
    assert apply(wish(**FULL), templates, monitor) == Applied(made.template, 3, made=True)
    assert apply(wish(**FULL), templates, monitor) == Applied(made.template, 3, made=False)
    assert monitor.warnings == []


def test_what_is_there_is_what_was_asked_for(templates: LaunchTemplates, monitor: Recorder) -> None:
    for number, fields in enumerate((FULL, OTHER, {**KNOWN, "name": "memoryqos-arm64"}), start=1):
        made = apply(wish(**fields), templates, monitor)
        assert same_data(launch_template_data(wish(**fields)), templates.version(made.template, number))
    found = templates.find("prod-memoryqos-arm64")
    assert found is not None
    assert found.tags["brqos:tool"] == "brqos"
    assert found.tags["team"] == "data"
    # Nobody else's nodes change by this.
    assert (found.default_version, found.latest_version) == (1, 3)


def test_looking_and_asking_make_nothing(templates: LaunchTemplates) -> None:
    step = plan_apply(wish(**FULL), look(wish(**FULL), templates))
    result = probe(step, templates)
    assert result is not None
    assert result.permission is Permission.ALLOWED
    assert templates.find(step.name) is None


def test_nothing_to_do_is_nothing_to_ask(templates: LaunchTemplates, monitor: Recorder) -> None:
    apply(wish(**FULL), templates, monitor)
    step = plan_apply(wish(**FULL), look(wish(**FULL), templates))
    assert step.action is Action.NOTHING
    assert probe(step, templates) is None


@pytest.mark.parametrize(
    ("first", "denied"), [(False, "ec2:CreateLaunchTemplate"), (True, "ec2:CreateLaunchTemplateVersion")]
)
def test_a_missing_permission_is_found_before(
    emulator: Emulator, templates: LaunchTemplates, monitor: Recorder, first: bool, denied: str
) -> None:
    if first:
        apply(wish(**OTHER), templates, monitor)
    emulator.deny(denied)
    with pytest.raises(AwsError, match="would not allow " + denied.removeprefix("ec2:")):
        apply(wish(**FULL), templates, monitor)
    found = templates.find("prod-memoryqos-arm64")
    assert found is None if not first else found is not None and found.latest_version == 1


def test_a_foreign_template_is_left_alone(templates: LaunchTemplates, monitor: Recorder) -> None:
    templates.create("prod-memoryqos-arm64", {"ImageId": "ami-12345678"}, description="", tags={}, token="x")
    with pytest.raises(AwsError, match="did not make"):
        apply(wish(**FULL), templates, monitor)
    found = templates.find("prod-memoryqos-arm64")
    assert found is not None
    assert found.latest_version == 1


def test_two_at_the_same_time_make_one(templates: LaunchTemplates, monitor: Recorder) -> None:
    step = plan_apply(wish(**FULL), None)
    assert carry_out(step, templates, monitor) == carry_out(step, templates, monitor)
    change = plan_apply(wish(**OTHER), look(wish(**OTHER), templates))
    assert carry_out(change, templates, monitor) == carry_out(change, templates, monitor)
    found = templates.find(step.name)
    assert found is not None
    assert found.latest_version == 2


def test_two_with_different_wishes_do_not_meet(templates: LaunchTemplates, monitor: Recorder) -> None:
    one, other = plan_apply(wish(**FULL), None), plan_apply(wish(**OTHER), None)
    carry_out(one, templates, monitor)
    with pytest.raises(AwsError, match="made by somebody else just now") as refused:
        carry_out(other, templates, monitor)
    assert "again" in refused.value.todo


class Faulty(LaunchTemplates):
    """An EC2 whose answers are made up."""

    def __init__(self, *, found: Any = None, **answers: Any) -> None:
        self._found = found
        self._answers = answers

    def find(self, name: str) -> Any:
        return self._found

    def probe_create(self, name: str, data: Any, *, description: str, tags: Any) -> ProbeResult:
        return ProbeResult("CreateLaunchTemplate", Permission.UNKNOWN, **self._answers["probe"])

    def create(self, name: str, data: Any, *, description: str, tags: Any, token: str) -> Any:
        raise self._answers["error"]


def test_an_endpoint_that_does_what_it_is_asked_about_is_refused(monitor: Recorder) -> None:
    with pytest.raises(AwsError, match="took no notice of DryRun"):
        apply(wish(**FULL), Faulty(probe={"ignored": True}), monitor)


def test_an_unclear_answer_is_told_and_the_call_decides(monitor: Recorder) -> None:
    refusal = AwsCallError("AWS refused it", kind=ErrorKind.VALIDATION)
    with pytest.raises(AwsCallError, match="AWS refused it"):
        apply(wish(**FULL), Faulty(probe={"words": "InvalidUserData: x"}, error=refusal), monitor)
    assert "InvalidUserData: x" in monitor.warnings[0]


def test_an_answer_of_an_earlier_time_is_refused(
    emulator: Emulator, monitor: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = AwsSession(endpoint=emulator.endpoint, credentials=(ACCESS_KEY, SECRET_KEY))
    templates = session.launch_templates("eu-central-1")
    step = plan_apply(wish(**FULL), None)
    monkeypatch.setattr(applying, "_UNKNOWN_SECONDS", 0.0)
    gone = {"LaunchTemplateId": "lt-00000000000000000", "LaunchTemplateName": step.name, "LatestVersionNumber": 1}
    with Stubber(templates._client) as answers:
        answers.add_response("create_launch_template", {"LaunchTemplate": gone})
        answers.add_response("describe_launch_templates", {"LaunchTemplates": []})
        with pytest.raises(AwsError, match="is not there"):
            carry_out(step, templates, monitor)


def test_what_ec2_has_against_it_is_told(
    emulator: Emulator, monitor: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = AwsSession(endpoint=emulator.endpoint, credentials=(ACCESS_KEY, SECRET_KEY))
    templates = session.launch_templates("eu-central-1")
    step = plan_apply(wish(**FULL), None)
    made = {"LaunchTemplateId": "lt-00000000000000000", "LaunchTemplateName": step.name, "LatestVersionNumber": 1}
    warning = {"Errors": [{"Code": "InvalidAMIID.NotFound", "Message": "no such image"}]}
    with Stubber(templates._client) as answers:
        answers.add_response("create_launch_template", {"LaunchTemplate": made, "Warning": warning})
        answers.add_response("describe_launch_templates", {"LaunchTemplates": [made]})
        carry_out(step, templates, monitor)
    assert "no such image" in monitor.warnings[0]


def test_what_comes_next(templates: LaunchTemplates, monitor: Recorder) -> None:
    request = wish(**FULL)
    made = apply(request, templates, monitor)
    command = next_command(request, made, nodegroup_exists=False, file="a b.json")
    assert command == "aws eks create-nodegroup --region eu-central-1 --cli-input-json 'file://a b.json'"
    assert json.loads(json.dumps(nodegroup_json(request, made.template, made.version)))["launchTemplate"] == {
        "id": made.template,
        "version": "1",
    }
    assert next_command(request, made, nodegroup_exists=True, file="") == (
        "aws eks update-nodegroup-version --region eu-central-1 --cluster-name prod --nodegroup-name memoryqos-arm64"
        f" --launch-template id={made.template},version=1"
    )
