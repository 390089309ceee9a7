"""Verification against the emulator: what is as it was asked for, and every way in which it may not be."""

from collections.abc import Callable
from typing import Any

import pytest

from ami.worlds import publish_region
from brqos.ami.inspection.regions import Expected, inspect_all, inspect_region
from brqos.ami.inspection.result import Row, Verdict
from brqos.ami.model import RegionAmi
from brqos.ami.plan import AmiPlan, AmiRequest, plan_amis
from brqos.ami.upload.expected_blocks import expected_of
from brqos.aws.session import AwsSession
from brqos.config.ami import AmiSpec
from brqos.image.model import ImageRole
from brqos.rehearsal.emulator import Emulator, Fault

from ..conftest import REGION, Recorder
from ..worlds import PREFIX, World

pytestmark = pytest.mark.loopback

OTHER_REGION = "us-east-1"
ACCOUNT = "111122223333"
PUBLISHED: dict[str, Any] = {
    "share_accounts": (ACCOUNT,),
    "share_snapshots": True,
    "deprecate_after": "90d",
    "protect": True,
    "ssm_prefix": PREFIX,
}


@pytest.fixture
def world(session: AwsSession) -> World:
    return World(session)


@pytest.fixture
def plans(request_for: Callable[..., AmiRequest]) -> dict[str, AmiPlan]:
    spec = AmiSpec(regions=(REGION, OTHER_REGION), direct_upload=True, **PUBLISHED)
    request = request_for(spec=spec, secure_boot=True, uefi_data="QUJD")
    return {plan.region: plan for plan in plan_amis(request)}


@pytest.fixture
def plan(plans: dict[str, AmiPlan]) -> AmiPlan:
    return plans[REGION]


def expected(plan: AmiPlan) -> Expected:
    return {item.role: expected_of(item.image, omit_zeros=item.omit_zeros) for item in plan.snapshots}


class Inspector:
    """Makes the AMI of a plan, publishes it, and inspects it."""

    def __init__(self, world: World, monitor: Recorder) -> None:
        self.world, self.monitor = world, monitor

    def publish(self, plan: AmiPlan, **changes: Any) -> RegionAmi:
        ami = self.world.make_planned(plan, **changes)
        return publish_region(self.world.session, plan.region, ami, plan.publication, self.monitor)

    def wrong(self, plan: AmiPlan, ami: RegionAmi) -> dict[str, Row]:
        rows = inspect_region(self.world.session, plan.region, ami, plan, expected(plan), self.monitor)
        return {row.check: row for row in rows if row.verdict is not Verdict.OK}


@pytest.fixture
def inspector(world: World, monitor: Recorder) -> Inspector:
    return Inspector(world, monitor)


def test_all_is_as_it_was_asked_for(inspector: Inspector, plans: dict[str, AmiPlan], monitor: Recorder) -> None:
    amis = {region: inspector.publish(plan) for region, plan in plans.items()}
    sessions = dict.fromkeys(plans, inspector.world.session)
    found = inspect_all(sessions, amis, plans, expected(plans[REGION]), monitor)
    assert found.having(Verdict.DIFFERENT) == found.having(Verdict.UNKNOWN) == {}
    assert found.agreed
    assert list(found.regions) == [REGION, OTHER_REGION]
    checks = [row.check for row in found.regions[REGION]]
    assert [check for check in checks if not check.startswith(PREFIX)] == [
        "AMI",
        "name",
        "registration",
        "tags",
        "description",
        "snapshots",
        "UEFI data",
        *(
            f"{role} snapshot{what}"
            for role in ("os", "data")
            for what in ("", ", size", ", encryption", ", blocks", ", content")
        ),
        "launch permissions",
        "os snapshot, permissions",
        "data snapshot, permissions",
        "deprecation",
        "deregistration protection",
    ]
    assert len(checks) == len(set(checks)), "every check has one row"


def test_names_are_looked_at_when_they_are_there(inspector: Inspector, plan: AmiPlan, monitor: Recorder) -> None:
    ami = inspector.world.make_planned(plan)
    session = inspector.world.session
    for named, count in ((True, 2), (False, 0)):
        rows = inspect_region(session, REGION, ami, plan, expected(plan), monitor, named=named)
        assert sum(row.check.startswith(PREFIX) for row in rows) == count


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"omit": (0,)}, {"os snapshot, blocks": "missing: 0"}),
        ({"omit": (4, 5)}, {}),
        ({"change": (0,)}, {"os snapshot, content": ""}),
        ({"extra": (11,)}, {"os snapshot, blocks": "beyond the image: 11"}),
    ],
)
def test_blocks(inspector: Inspector, plan: AmiPlan, changes: dict[str, Any], wrong: dict[str, str]) -> None:
    found = inspector.wrong(plan, inspector.publish(plan, **changes))
    assert {check: row.note for check, row in found.items()} == wrong
    assert all(row.verdict is Verdict.DIFFERENT for row in found.values())


def test_a_copy_in_another_region(
    inspector: Inspector, request_for: Callable[..., AmiRequest], emulator: Emulator, monitor: Recorder
) -> None:
    key = f"arn:aws:kms:{OTHER_REGION}:000000000000:key/11111111-2222-3333-4444-555555555555"
    emulator.store.kms_keys.add(key)
    spec = AmiSpec(regions=(REGION, OTHER_REGION), kms_keys={OTHER_REGION: key}, **PUBLISHED)
    source, copied = plan_amis(request_for(spec=spec, secure_boot=True, uefi_data="QUJD"))
    assert copied.copy_from == REGION
    ami = inspector.world.copy(copied, inspector.world.make_planned(source))
    ami = publish_region(inspector.world.session, OTHER_REGION, ami, copied.publication, monitor)
    assert inspector.wrong(copied, ami) == {}
    assert any(key in note for note in monitor.notes)
    plain = copied.model_copy(
        update={"snapshots": tuple(item.model_copy(update={"kms_key": None}) for item in copied.snapshots)}
    )
    assert set(inspector.wrong(plain, ami)) == {"os snapshot, encryption", "data snapshot, encryption"}
    emulator.store.settings(OTHER_REGION, "000000000000").encryption_by_default = True
    assert inspector.wrong(plain, ami) == {}


def test_an_ami_that_is_gone(inspector: Inspector, plans: dict[str, AmiPlan], monitor: Recorder) -> None:
    ami = inspector.world.make_planned(plans[REGION])
    inspector.world.client("ec2", REGION).deregister_image(ImageId=ami.id)
    found = inspect_all(
        dict.fromkeys(plans, inspector.world.session), {REGION: ami}, plans, expected(plans[REGION]), monitor
    )
    assert {region: [row.found for row in rows] for region, rows in found.regions.items()} == {
        REGION: ["not there"],
        OTHER_REGION: ["not there"],
    }
    assert not found.agreed


def test_what_was_taken_back_is_seen(inspector: Inspector, plan: AmiPlan) -> None:
    ami = inspector.publish(plan)
    ec2, ssm = inspector.world.client("ec2", REGION), inspector.world.client("ssm", REGION)
    ec2.modify_image_attribute(ImageId=ami.id, LaunchPermission={"Remove": [{"UserId": ACCOUNT}]})
    ec2.modify_snapshot_attribute(
        SnapshotId=ami.snapshots[ImageRole.OS],
        Attribute="createVolumePermission",
        OperationType="remove",
        UserIds=[ACCOUNT],
    )
    ec2.disable_image_deregistration_protection(ImageId=ami.id)
    ec2.disable_image_deprecation(ImageId=ami.id)
    name = next(name for name in ami.parameters if name.endswith("image_version"))
    ssm.delete_parameter(Name=name)
    assert set(inspector.wrong(plan, ami)) == {
        "launch permissions",
        "os snapshot, permissions",
        "deregistration protection",
        "deprecation",
        name,
    }


@pytest.mark.parametrize(
    ("operation", "checks"),
    [
        ("ListSnapshotBlocks", {"os snapshot, blocks", "data snapshot, blocks"}),
        ("GetSnapshotBlock", {"os snapshot, content", "data snapshot, content"}),
        ("DescribeSnapshots", {"os snapshot", "data snapshot"}),
        ("GetParameters", {"SSM parameters"}),
        ("DescribeSnapshotAttribute", {"os snapshot, permissions", "data snapshot, permissions"}),
        ("DescribeImageAttribute", {"UEFI data", "launch permissions"}),
    ],
)
def test_what_may_not_be_asked_is_unknown(
    inspector: Inspector, plan: AmiPlan, emulator: Emulator, operation: str, checks: set[str]
) -> None:
    ami = inspector.publish(plan)
    emulator.faults.inject(operation, Fault("AccessDeniedException", 403), times=1000)
    found = inspector.wrong(plan, ami)
    assert set(found) == checks
    assert all(row.verdict is Verdict.UNKNOWN for row in found.values())
    assert all("AccessDeniedException" in row.note for row in found.values())


@pytest.mark.parametrize(
    "fault", [Fault("RequestThrottledException", 400), Fault("InternalServerException", 500), Fault(drop=True)]
)
@pytest.mark.parametrize("operation", ["ListSnapshotBlocks", "GetSnapshotBlock"])
def test_passing_trouble_is_not_seen(
    inspector: Inspector, plan: AmiPlan, emulator: Emulator, operation: str, fault: Fault
) -> None:
    ami = inspector.publish(plan)
    emulator.faults.inject(operation, fault, times=2)
    assert inspector.wrong(plan, ami) == {}


def test_a_region_that_cannot_be_asked_hides_no_other(
    inspector: Inspector, plans: dict[str, AmiPlan], monitor: Recorder
) -> None:
    amis = {region: inspector.publish(plan) for region, plan in plans.items()}
    stranger = AwsSession(endpoint=inspector.world.session.endpoint, credentials=("UNKNOWN", "key"))
    sessions = {REGION: inspector.world.session, OTHER_REGION: stranger}
    found = inspect_all(sessions, amis, plans, expected(plans[REGION]), monitor)
    assert list(found.having(Verdict.UNKNOWN)) == [OTHER_REGION]
    assert [row.check for row in found.regions[OTHER_REGION]] == ["AMI"]
