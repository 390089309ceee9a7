"""Pruning end to end against the emulator: every way of being in use, every permission missing, answers lost."""

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest

from brqos.ami.pruning.look import look_and_plan
from brqos.ami.pruning.model import PrunePlan, PruneRules
from brqos.ami.pruning.regions import Pruning, look_everywhere, prune_everywhere
from brqos.aws.session import AwsSession
from brqos.rehearsal.emulator import ACCESS_KEY, SECRET_KEY, Emulator, Fault
from brqos.rehearsal.emulator.store import ACCOUNT, Grant, Image, Snapshot

from ..conftest import REGION, Recorder
from .prune_account import VARIANT, tags
from .test_prune import removed, why

pytestmark = pytest.mark.loopback

DAY = 86400.0
OTHER = "us-east-1"
ONE = PruneRules(keep=1)
FOLDER = f"/our/{VARIANT}/x86_64"


class Account:
    """The emulated account: ours are three AMIs of two snapshots, which are 1, 2 and 3 days old."""

    def __init__(self, emulator: Emulator, region: str = REGION) -> None:
        self.emulator, self.region = emulator, region
        self.amis = [self.image(days, tags(version=f"1.{50 - days}.0-0123abcd")) for days in (1, 2, 3)]
        self.newest, self.middle, self.oldest = self.amis

    def client(self, service: str) -> Any:
        return boto3.client(  # type: ignore[call-overload]
            service,
            region_name=self.region,
            endpoint_url=self.emulator.endpoint,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
        )

    def snapshot(self, days: float, given: dict[str, str], *, fails: bool = False, region: str = "") -> str:
        store, now = self.emulator.store, self.emulator.store.clock() - days * DAY
        made = Snapshot(
            id=store.new_id("snap"),
            region=region or self.region,
            owner=ACCOUNT,
            volume_gib=2,
            description="",
            tags=given,
            timeout_seconds=3600,
            started_at=now,
            written_at=now,
            sealed_at=now,
            ready_at=now,
            fails=fails,
        )
        store.add(made)
        return made.id

    def image(self, days: float, given: dict[str, str], *snapshots: str, **fields: Any) -> str:
        store, now = self.emulator.store, self.emulator.store.clock() - days * DAY
        held = snapshots or (self.snapshot(days, given), self.snapshot(days, given))
        made = Image(
            id=store.new_id("ami"),
            region=self.region,
            owner=ACCOUNT,
            created_at=now,
            ready_at=now,
            attributes={"name": f"image of {days} days", "architecture": "x86_64", "rootDeviceName": "/dev/xvda"},
            mappings=[
                {"deviceName": f"/dev/xvd{letter}", "ebs": {"snapshotId": name, "volumeSize": 11, "volumeType": "gp3"}}
                for letter, name in zip("ab", held, strict=False)
            ],
            tags=given,
            **fields,
        )
        store.images[made.id] = made
        return made.id

    def held(self, image: str) -> list[str]:
        return sorted(self.emulator.store.images[image].snapshots())

    @property
    def images(self) -> set[str]:
        return {each.id for each in self.emulator.store.images.values() if each.region == self.region}

    @property
    def snapshots(self) -> set[str]:
        return {each.id for each in self.emulator.store.snapshots.values() if each.region == self.region}

    def publish(self, name: str, value: str, *, ours: bool = True, more: dict[str, str] | None = None) -> None:
        chosen = {"brqos:tool": "brqos", **(more or {})} if ours else {}
        given = [{"Key": key, "Value": value} for key, value in chosen.items()]
        self.client("ssm").put_parameter(Name=name, Value=value, Type="String", Tags=given)


@pytest.fixture
def account(emulator: Emulator) -> Account:
    return Account(emulator)


@pytest.fixture(autouse=True)
def _sound(emulator: Emulator) -> Iterator[None]:
    yield
    assert emulator.bugs == []


@pytest.fixture
def plan(session: AwsSession) -> Any:
    def make(rules: PruneRules = ONE) -> PrunePlan:
        return look_and_plan(REGION, session, rules)

    return make


@pytest.fixture
def prune(session: AwsSession, monitor: Recorder) -> Any:
    def run(rules: PruneRules = ONE, *regions: str) -> Pruning:
        pruning = look_everywhere(regions or (REGION,), session, rules, monitor)
        prune_everywhere(pruning, session, rules, monitor)
        return pruning

    return run


def template(account: Account, name: str, image: str) -> None:
    account.client("ec2").create_launch_template(LaunchTemplateName=name, LaunchTemplateData={"ImageId": image})


def test_the_whole_way(account: Account, prune: Any, emulator: Emulator) -> None:
    foreign = account.image(9, {"brqos:tool": "other"})
    orphan, fresh, broken = (
        account.snapshot(2.5, tags()),
        account.snapshot(1.5, tags()),
        account.snapshot(0.1, tags(), fails=True),
    )
    stranger = account.snapshot(9, {})
    held = [account.held(image) for image in account.amis]
    account.publish(f"{FOLDER}/1.47.0-0123abcd/image_id", account.oldest)
    account.publish(f"{FOLDER}/1.47.0-0123abcd/image_version", "1.47.0-0123abcd")
    account.publish(f"{FOLDER}/1.49.0-0123abcd/image_id", account.newest)
    pruning = prune()
    assert (pruning.failures, pruning.regions[REGION].failed) == ({}, [])
    assert account.images == {account.newest, foreign}
    assert account.snapshots == {*held[0], fresh, stranger, *account.held(foreign)}
    assert broken not in account.snapshots
    assert orphan not in account.snapshots
    names = [item["Name"] for item in account.client("ssm").describe_parameters()["Parameters"]]
    assert names == [f"{FOLDER}/1.49.0-0123abcd/image_id"]
    assert emulator.calls["DeregisterImage"] == 2
    assert prune().regions[REGION].removed == []
    assert emulator.calls["DeregisterImage"] == 2


def test_an_instance(account: Account, plan: Any) -> None:
    ec2 = account.client("ec2")
    (started,) = ec2.run_instances(ImageId=account.oldest, MinCount=1, MaxCount=1)["Instances"]
    assert why(plan(), account.oldest) == f"keep: in use: instance {started['InstanceId']} (running)"
    ec2.terminate_instances(InstanceIds=[started["InstanceId"]])
    assert account.oldest in removed(plan())


def test_an_old_version_of_a_launch_template(account: Account, plan: Any) -> None:
    ec2 = account.client("ec2")
    for version in range(15):
        data = {"ImageId": account.oldest if version == 1 else account.newest}
        if version == 0:
            ec2.create_launch_template(LaunchTemplateName="nodes", LaunchTemplateData=data)
        else:
            ec2.create_launch_template_version(LaunchTemplateName="nodes", LaunchTemplateData=data)
    assert why(plan(), account.oldest) == "keep: in use: launch template nodes (version 2)"


def test_a_template_behind_a_parameter(account: Account, plan: Any) -> None:
    account.publish(f"{FOLDER}/1.47.0-0123abcd/image_id", account.oldest)
    assert removed(plan())[:2] == [account.oldest, account.middle]
    data = {"ImageId": f"resolve:ssm:{FOLDER}/1.47.0-0123abcd/image_id"}
    account.client("ec2").create_launch_template(LaunchTemplateName="nodes", LaunchTemplateData=data)
    assert why(plan(), account.oldest) == "keep: in use: launch template nodes (version 1)"


def test_a_snapshot_of_a_launch_configuration(account: Account, plan: Any, emulator: Emulator) -> None:
    orphan = account.snapshot(9, tags())
    mappings = [{"DeviceName": "/dev/xvdb", "Ebs": {"SnapshotId": orphan}}]
    known = {"data": {"ImageId": account.newest, "BlockDeviceMappings": mappings}}
    emulator.store.compute.configurations[(ACCOUNT, REGION)] = known
    assert why(plan(), orphan) == "keep: in use: launch configuration data"


def test_auto_scaling(account: Account, plan: Any, emulator: Emulator) -> None:
    place = (ACCOUNT, REGION)
    override = {"InstanceType": "m7i.large", "ImageId": account.oldest}
    emulator.store.compute.groups[place] = {
        "workers": {
            "MixedInstancesPolicy": {
                "LaunchTemplate": {
                    "LaunchTemplateSpecification": {"LaunchTemplateName": "x", "Version": "1"},
                    "Overrides": [override],
                }
            }
        }
    }
    emulator.store.compute.configurations[place] = {"old": {"ImageId": account.middle}}
    found = plan()
    assert why(found, account.oldest) == "keep: in use: Auto Scaling group workers"
    assert why(found, account.middle) == "keep: in use: launch configuration old"


@pytest.mark.parametrize("name", ["/some/where", f"{FOLDER}/latest/image_id", f"{FOLDER}/1.47.0-0123abcd/image_id"])
def test_a_parameter(account: Account, plan: Any, name: str) -> None:
    account.publish(name, account.oldest, ours="latest" in name)
    assert why(plan(), account.oldest) == f"keep: in use: SSM parameter {name}"


def test_further_parameters(account: Account, prune: Any) -> None:
    own, version = {}, "1.47.0-0123abcd"
    for name, value in {"id": account.oldest, "image_id": account.oldest, "name": "image of 3 days"}.items():
        own[f"{FOLDER}/{version}/{name}"] = value
        account.publish(f"{FOLDER}/{version}/{name}", value, more=tags(version=version))
    account.publish(f"{FOLDER}/latest/id", account.newest, more=tags(version=version))
    account.publish(f"{FOLDER}/1.49.0-0123abcd/id", account.newest, more=tags(version="1.49.0-0123abcd"))
    assert set(own) < {item.id for item in prune().regions[REGION].removed}
    names = {item["Name"] for item in account.client("ssm").describe_parameters()["Parameters"]}
    assert names == {f"{FOLDER}/latest/id", f"{FOLDER}/1.49.0-0123abcd/id"}
    assert account.images == {account.newest}


@pytest.mark.parametrize(
    ("grant", "words"),
    [
        (Grant("UserId", "1" * 12), "1 account"),
        (Grant("Group", "all"), "everybody"),
        (Grant("OrganizationArn", "arn:aws:organizations::1:organization/o-1"), "1 organization"),
    ],
)
def test_sharing(account: Account, plan: Any, emulator: Emulator, grant: Grant, words: str) -> None:
    emulator.store.images[account.oldest].permissions.add(grant)
    assert why(plan(), account.oldest).startswith(f"keep: shared with {words}: their use is not visible")
    assert account.oldest in removed(plan(PruneRules(keep=1, include_shared=True)))


def test_protection(account: Account, prune: Any, emulator: Emulator) -> None:
    ec2 = account.client("ec2")
    for image, cooldown in ((account.oldest, True), (account.middle, False)):
        ec2.enable_image_deregistration_protection(ImageId=image, WithCooldown=cooldown)
    assert prune().regions[REGION].removed == []
    pruning = prune(PruneRules(keep=1, include_protected=True))
    assert account.images == {account.newest, account.oldest}
    ((item, error),) = pruning.regions[REGION].failed
    assert (item.id, "24 hours" in error.todo) == (account.oldest, True)
    again = prune().regions[REGION]
    assert "AWS lets it go only after" in why(again.plan, account.oldest)
    assert account.oldest in account.images
    # A day later:
    left = emulator.store.images[account.oldest]
    left.protected_until = emulator.store.clock() - 60
    left.protection = "disabled after 2026-01-01T00:00:00.000Z"
    prune()
    assert account.images == {account.newest}


@pytest.mark.parametrize(
    "action",
    [
        "ec2:DescribeInstances",
        "ec2:DescribeLaunchTemplates",
        "autoscaling:DescribeAutoScalingGroups",
        "autoscaling:DescribeLaunchConfigurations",
        "ssm:DescribeParameters",
        "ssm:GetParameters",
        "ec2:DescribeLaunchTemplateVersions",
        "ec2:DescribeImageAttribute",
    ],
)
def test_a_permission_that_is_missing(account: Account, prune: Any, emulator: Emulator, action: str) -> None:
    template(account, "nodes", account.newest)
    account.publish("/some/thing", "else", ours=False)
    emulator.deny(action)
    pruned = prune().regions[REGION]
    assert account.images == set(account.amis)
    assert pruned.removed == []
    assert f"{action} is not allowed" in why(pruned.plan, account.oldest)
    emulator.allow()
    assert len(prune().regions[REGION].removed) == 6


@pytest.mark.parametrize("action", ["ec2:DescribeImages", "ec2:DescribeSnapshots"])
def test_what_has_to_be_seen_at_all(account: Account, prune: Any, emulator: Emulator, action: str) -> None:
    emulator.deny(action)
    pruning = prune()
    assert action.split(":")[1] in pruning.failures[REGION].what
    assert account.images == set(account.amis)


def test_recipes_are_a_warning(account: Account, prune: Any, emulator: Emulator) -> None:
    emulator.deny("ec2:DescribeImageReferences")
    pruned = prune().regions[REGION]
    assert len(pruned.removed) == 6
    assert pruned.plan.warnings[0].startswith(f"{REGION}: Image Builder's recipes were not looked at: AWS refused")


@pytest.mark.parametrize(
    ("action", "removed_at_first"),
    [("ec2:DeregisterImage", 0), ("ec2:DeleteSnapshot", 3), ("ssm:DeleteParameter", 6)],
)
def test_what_may_not_be_removed(
    account: Account, prune: Any, emulator: Emulator, action: str, removed_at_first: int
) -> None:
    account.publish(f"{FOLDER}/1.47.0-0123abcd/image_id", account.oldest)
    emulator.deny(action)
    pruned = prune().regions[REGION]
    assert {error.what.split()[2] for _, error in pruned.failed} == {action.split(":")[1]}
    assert len(pruned.removed) == removed_at_first
    emulator.allow()
    prune(PruneRules(keep=1, older_than=timedelta(0)))
    assert (account.images, account.snapshots) == ({account.newest}, set(account.held(account.newest)))
    assert account.client("ssm").describe_parameters()["Parameters"] == []


@pytest.mark.parametrize("operation", ["DeregisterImage", "DeleteSnapshot", "DeleteParameter"])
@pytest.mark.parametrize(
    "fault",
    [
        Fault(drop=True, after_effect=True),
        Fault("InternalError", after_effect=True),
        Fault("RequestLimitExceeded", 503),
    ],
)
def test_answers_that_are_lost(account: Account, prune: Any, emulator: Emulator, operation: str, fault: Fault) -> None:
    account.publish(f"{FOLDER}/1.47.0-0123abcd/image_id", account.oldest)
    emulator.faults.inject(operation, fault)
    pruned = prune().regions[REGION]
    assert (len(pruned.removed), pruned.failed) == (7, [])
    assert account.images == {account.newest}


def test_many_pages(account: Account, prune: Any, emulator: Emulator) -> None:
    emulator.store.pager.largest = 2
    for number in range(7):
        account.image(10 + number, {})
        account.publish(f"/some/{number}", "thing", ours=False)
        template(account, f"nodes-{number}", account.newest)
    assert len(prune().regions[REGION].removed) == 6


def test_several_regions(account: Account, prune: Any, emulator: Emulator) -> None:
    other = Account(emulator, OTHER)
    emulator.deny("ec2:DescribeImages", region=OTHER)
    pruning = prune(ONE, REGION, OTHER)
    assert list(pruning.failures) == [OTHER]
    assert (account.images, other.images) == ({account.newest}, set(other.amis))
    emulator.allow()
    prune(ONE, REGION, OTHER)
    assert other.images == {other.newest}


def test_a_failed_ami_and_a_pending_one(account: Account, prune: Any, emulator: Emulator) -> None:
    failed = account.image(0.01, tags(), fails=True)
    pending = account.image(0.001, tags())
    emulator.store.images[pending].ready_at = time.time() + 1000
    prune(PruneRules(keep=3))
    assert account.images == {*account.amis, pending}
    assert failed not in account.images
