"""Sharing, marks and parameters of one region, end to end against the emulator, with what may go wrong on the way."""

from collections.abc import Callable
from typing import Any

import pytest

from ami.worlds import publish_region
from brqos.ami.model import RegionAmi
from brqos.ami.plan import AmiPlan, AmiRequest, plan_amis
from brqos.ami.publishing import parameters as parameters_module
from brqos.aws.errors import AwsCallError
from brqos.aws.parameters import IMAGE
from brqos.aws.session import AwsSession
from brqos.config.ami import AmiSpec
from brqos.errors import AwsError
from brqos.rehearsal.emulator import Emulator, Fault

from ..conftest import REGION, Recorder
from ..worlds import FOLDER, PREFIX, World

pytestmark = pytest.mark.loopback

ACCOUNT = "111122223333"
ORGANIZATION = "arn:aws:organizations::111122223333:organization/o-abcdefghij"
OU = "arn:aws:organizations::111122223333:ou/o-abcdefghij/ou-abcd-12345678"
FIELDS: dict[str, Any] = {
    "share_accounts": (ACCOUNT,),
    "share_organizations": (ORGANIZATION,),
    "share_ous": (OU,),
    "share_snapshots": True,
    "deprecate_after": "90d",
    "protect": True,
    "ssm_prefix": PREFIX,
}
WRITES = (
    "ModifyImageAttribute",
    "ModifySnapshotAttribute",
    "EnableImageDeprecation",
    "EnableImageDeregistrationProtection",
    "PutParameter",
)


@pytest.fixture
def world(session: AwsSession) -> World:
    return World(session)


class Publisher:
    def __init__(self, world: World, monitor: Recorder, request_for: Callable[..., AmiRequest]) -> None:
        self.world, self.monitor, self.request_for = world, monitor, request_for
        self.steps: list[RegionAmi] = []

    def plan(self, **fields: Any) -> AmiPlan:
        return plan_amis(self.request_for(spec=AmiSpec(regions=(REGION,), **fields)))[0]

    def __call__(self, plan: AmiPlan, ami: RegionAmi) -> RegionAmi:
        return publish_region(
            self.world.session, REGION, ami, plan.publication, self.monitor, on_step=self.steps.append
        )


@pytest.fixture
def publish(world: World, monitor: Recorder, request_for: Callable[..., AmiRequest]) -> Publisher:
    return Publisher(world, monitor, request_for)


def test_all_of_it_and_nothing_twice(publish: Publisher, world: World, emulator: Emulator) -> None:
    plan = publish.plan(**FIELDS)
    ami = world.make_planned(plan)
    done = publish(plan, ami)
    version = plan.publication.subject.image_version
    assert done.shared_with == (ACCOUNT, ORGANIZATION, OU)
    assert done.parameters == world.parameters(REGION)
    assert done.parameters == {
        f"{FOLDER}/{version}/image_id": ami.id,
        f"{FOLDER}/{version}/image_version": version,
    }
    name = f"{FOLDER}/{version}/image_id"
    assert world.session.parameters(REGION).get([name])[name].data_type == IMAGE
    assert [(step.shared_with != (), step.parameters != {}) for step in publish.steps] == [(True, False), (True, True)]
    before = emulator.calls.copy()
    assert publish(plan, done) == done
    assert [name for name in WRITES if emulator.calls[name] > before[name]] == []


def test_nothing_was_asked_for(publish: Publisher, world: World, emulator: Emulator) -> None:
    plan = publish.plan()
    ami = world.make_planned(plan)
    assert publish(plan, ami) == ami
    assert [name for name in WRITES if emulator.calls[name]] == []


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault("RequestLimitExceeded", 503), id="throttled"),
        pytest.param(Fault("InternalError", 500), id="server"),
        pytest.param(Fault(drop=True), id="no answer"),
        pytest.param(Fault(drop=True, after_effect=True), id="lost answer"),
    ],
)
@pytest.mark.parametrize("operation", [*WRITES, "DescribeImageAttribute", "GetParameters"])
def test_passing_trouble(publish: Publisher, world: World, emulator: Emulator, operation: str, fault: Fault) -> None:
    plan = publish.plan(**FIELDS)
    ami = world.make_planned(plan)
    emulator.faults.inject(operation, fault)
    done = publish(plan, ami)
    assert done.shared_with == (ACCOUNT, ORGANIZATION, OU)
    assert done.parameters == world.parameters(REGION)


@pytest.mark.parametrize("operation", WRITES)
def test_what_is_refused_and_then_allowed(publish: Publisher, world: World, emulator: Emulator, operation: str) -> None:
    plan = publish.plan(**FIELDS)
    ami = world.make_planned(plan)
    emulator.faults.inject(operation, Fault("UnauthorizedOperation", 403), times=1)
    with pytest.raises(AwsCallError, match="UnauthorizedOperation"):
        publish(plan, ami)
    assert publish(plan, ami).parameters == world.parameters(REGION)


def test_a_parameter_whose_ami_ssm_cannot_see(
    publish: Publisher, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parameters_module, "_APPEAR_SECONDS", 1.0)
    plan = publish.plan(**FIELDS)
    store = world.session.parameters(REGION)
    with pytest.raises(AwsError, match="did not take its value") as raised:
        parameters_module.publish_parameters(store, plan.publication, "ami-0123456789abcdef0", publish.monitor)
    assert "is not there, not ami-0123456789abcdef0" in raised.value.why


def test_public(publish: Publisher, world: World) -> None:
    plan = publish.plan(public=True)
    assert publish(plan, world.make_planned(plan)).shared_with == ("all",)


def test_public_is_blocked(publish: Publisher, world: World, emulator: Emulator) -> None:
    world.client("ec2", REGION).enable_image_block_public_access(ImageBlockPublicAccessState="block-new-sharing")
    plan = publish.plan(public=True)
    with pytest.raises(AwsError, match="blocks public access"):
        publish(plan, world.make_planned(plan))
    assert emulator.calls["ModifyImageAttribute"] == 0


def test_what_the_default_key_encrypts_cannot_be_shared(publish: Publisher, world: World, emulator: Emulator) -> None:
    emulator.store.settings(REGION, "000000000000").encryption_by_default = True
    plan = publish.plan(**FIELDS)
    ami = world.make_planned(plan)
    with pytest.raises(AwsError, match="cannot be shared: its snapshots are encrypted") as raised:
        publish(plan, ami)
    assert f"--kms-key {REGION}=" in raised.value.todo
    for plan in (publish.plan(share_organizations=(ORGANIZATION,)), publish.plan(public=True)):
        with pytest.raises(AwsError, match=r"encrypted|cannot be made"):
            publish(plan, ami)


def test_an_ami_that_is_not_there(publish: Publisher, emulator: Emulator) -> None:
    plan = publish.plan(**FIELDS)
    with pytest.raises(AwsError, match="is not there"):
        publish(plan, RegionAmi(id="ami-0123456789abcdef0", name="x", snapshots={}))
    assert [name for name in WRITES if emulator.calls[name]] == []
