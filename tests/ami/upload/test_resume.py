"""An upload that was stopped goes on where it was: which blocks are sent again, and which images are refused."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import lz4.frame
import pytest

from brqos.ami.making.register import Made, register
from brqos.ami.model import RegionAmi
from brqos.ami.plan import AmiPlan, plan_amis
from brqos.ami.request import AmiRequest
from brqos.ami.upload import block_upload
from brqos.ami.upload.journal import journals
from brqos.ami.upload.unfinished import check_unchanged, drop_unfinished, under_way
from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.config.ami import AmiSpec
from brqos.errors import ConfigurationError
from brqos.image.hashing import hash_image
from brqos.image.model import Image, ImageRole
from brqos.monitor import Silent
from brqos.rehearsal.emulator import Emulator, Fault

from ..conftest import REGION, Recorder, Settings

pytestmark = pytest.mark.loopback
BLOCK = 524288
DENIED = Fault("AccessDeniedException", 403)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block_upload, "_GONE_SECONDS", 0.2)
    monkeypatch.setattr(block_upload, "_UNKNOWN_SECONDS", 0.5)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journals"


@pytest.fixture
def image(make_image: Callable[..., Image]) -> Image:
    """Forty blocks that differ, then a half one."""
    return make_image(ImageRole.OS, b"".join(bytes([number]) * BLOCK for number in range(1, 41)) + b"end")


@pytest.fixture
def plan(request_for: Callable[..., AmiRequest], image: Image) -> AmiPlan:
    return plan_amis(request_for(image))[0]


def publish(plan: AmiPlan, settings: Settings) -> Made:
    return register(plan, settings(plan.region)[plan.region])


def stopped(plan: AmiPlan, settings: Settings, emulator: Emulator, *, after: int = 20) -> None:
    emulator.faults.inject("PutSnapshotBlock", DENIED, skip=after, times=10_000)
    with pytest.raises(AwsCallError):
        publish(plan, settings)
    emulator.faults.clear()


def test_only_what_is_missing_is_sent(plan: AmiPlan, settings: Settings, emulator: Emulator, folder: Path) -> None:
    stopped(plan, settings, emulator)
    (snapshot,) = emulator.store.snapshots.values()
    there, calls = dict(snapshot.blocks), emulator.calls["PutSnapshotBlock"]
    assert len(there) == 20
    assert under_way(folder) == {snapshot.id}
    made = publish(plan, settings)
    assert made.snapshots is not None
    assert made.snapshots.sent == {ImageRole.OS: 21}
    assert emulator.calls["PutSnapshotBlock"] - calls == 21
    assert made.ami.snapshots == {ImageRole.OS: snapshot.id}
    assert len(emulator.store.snapshots[snapshot.id].blocks) == 41
    assert emulator.calls["StartSnapshot"] == 2, "the second one only hears of the first one's snapshot"
    assert list(folder.iterdir()) == []


def test_without_a_journal_the_same_snapshot_is_taken_all_the_same(
    plan: AmiPlan, settings: Settings, emulator: Emulator, folder: Path
) -> None:
    stopped(plan, settings, emulator)
    for file in folder.iterdir():
        file.unlink()
    made = publish(plan, settings)
    assert made.snapshots is not None
    assert made.snapshots.sent == {ImageRole.OS: 41}
    assert len(emulator.store.snapshots) == 1


def test_a_snapshot_that_died_meanwhile_gets_a_successor(
    plan: AmiPlan, settings: Settings, emulator: Emulator, folder: Path
) -> None:
    stopped(plan, settings, emulator)
    (snapshot,) = emulator.store.snapshots.values()
    snapshot.written_at -= 100_000
    made = publish(plan, settings)
    assert made.ami.snapshots[ImageRole.OS] != snapshot.id
    assert snapshot.id not in emulator.store.snapshots, "what failed is cleared away"
    assert made.snapshots is not None
    assert made.snapshots.sent == {ImageRole.OS: 41}
    assert list(folder.iterdir()) == []


def test_all_was_sent_but_nothing_declared(plan: AmiPlan, settings: Settings, emulator: Emulator) -> None:
    emulator.faults.inject("CompleteSnapshot", DENIED, times=100)
    with pytest.raises(AwsCallError):
        publish(plan, settings)
    emulator.faults.clear()
    made = publish(plan, settings)
    assert made.snapshots is not None
    assert made.snapshots.sent == {ImageRole.OS: 0}
    assert len(emulator.store.snapshots) == 1


def test_all_was_declared_and_never_heard_of(plan: AmiPlan, settings: Settings, emulator: Emulator) -> None:
    emulator.faults.inject("CompleteSnapshot", Fault("AccessDeniedException", 403, after_effect=True))
    with pytest.raises(AwsCallError):
        publish(plan, settings)
    made = publish(plan, settings)
    assert made.ami.created
    assert len(emulator.store.snapshots) == 1


def test_a_dead_snapshot_of_which_all_was_sent(plan: AmiPlan, settings: Settings, emulator: Emulator) -> None:
    emulator.faults.inject("CompleteSnapshot", DENIED, times=100)
    with pytest.raises(AwsCallError):
        publish(plan, settings)
    emulator.faults.clear()
    (snapshot,) = emulator.store.snapshots.values()
    snapshot.written_at -= 100_000
    made = publish(plan, settings)
    assert made.snapshots is not None
    assert made.snapshots.sent == {ImageRole.OS: 41}
    assert set(emulator.store.snapshots) == set(made.ami.snapshots.values())


def test_expired_credentials_say_how_to_go_on(
    plan: AmiPlan, settings: Settings, emulator: Emulator, monitor: Recorder
) -> None:
    emulator.faults.inject("PutSnapshotBlock", Fault("ExpiredTokenException", 403), skip=10, times=1000)
    with pytest.raises(AwsCallError) as caught:
        publish(plan, settings)
    assert caught.value.kind is ErrorKind.EXPIRED
    assert "run the same command again" in caught.value.todo
    assert any("The same command goes on with it" in warning for warning in monitor.warnings)
    emulator.faults.clear()
    made = publish(plan, settings)
    assert made.snapshots is not None
    assert made.snapshots.sent[ImageRole.OS] <= 31


def changed_image(image: Image) -> Image:
    image.file.write_bytes(lz4.frame.compress(os.urandom(5 * BLOCK)))
    return hash_image(image.role, image.file, Silent())


def test_an_image_that_changed_is_refused_until_it_is_meant(
    plan: AmiPlan,
    image: Image,
    settings: Settings,
    emulator: Emulator,
    folder: Path,
    request_for: Callable[..., AmiRequest],
) -> None:
    check_unchanged([plan], settings(REGION), folder)
    stopped(plan, settings, emulator)
    check_unchanged([plan], settings(REGION), folder)
    (old,) = emulator.store.snapshots
    (other,) = plan_amis(request_for(changed_image(image)))
    with pytest.raises(ConfigurationError, match="has changed since its upload to eu-west-1 was begun") as caught:
        check_unchanged([other], settings(REGION), folder)
    assert old in caught.value.why
    assert "--restart" in caught.value.todo
    drop_unfinished([other], settings(REGION), folder)
    assert emulator.store.snapshots == {}
    check_unchanged([other], settings(REGION), folder)
    assert publish(other, settings).ami.created


def test_a_restart_drops_and_begins_anew(
    plan: AmiPlan, settings: Settings, emulator: Emulator, folder: Path, monitor: Recorder
) -> None:
    stopped(plan, settings, emulator)
    (old,) = emulator.store.snapshots
    drop_unfinished([plan], settings(REGION), folder)
    assert f"dropped the unfinished {old}" in monitor.notes[-1]
    assert under_way(folder) == frozenset()
    # A second time there is nothing to drop.
    drop_unfinished([plan], settings(REGION), folder)
    made = publish(plan, settings)
    assert set(emulator.store.snapshots) == set(made.ami.snapshots.values()) != {old}
    assert made.snapshots is not None
    assert made.snapshots.sent == {ImageRole.OS: 41}
    assert list(folder.iterdir()) == []


def test_another_regions_upload_is_left_alone(
    image: Image, settings: Settings, emulator: Emulator, folder: Path, request_for: Callable[..., AmiRequest]
) -> None:
    (here,) = plan_amis(request_for(image))
    (there,) = plan_amis(request_for(image, regions=("us-east-1",)))
    stopped(here, settings, emulator)
    drop_unfinished([there], settings("us-east-1"), folder)
    assert len(emulator.store.snapshots) == 1
    assert len(list(journals(folder))) == 1


@pytest.mark.parametrize("omit", [(), ("os",)])
def test_zero_blocks(
    omit: tuple[str, ...],
    make_image: Callable[..., Image],
    request_for: Callable[..., AmiRequest],
    settings: Settings,
    emulator: Emulator,
) -> None:
    content = b"\1" * BLOCK + bytes(3 * BLOCK) + b"\2" * BLOCK + bytes(BLOCK)
    spec = AmiSpec.model_validate({"regions": (REGION,), "omit_zero_blocks": omit})
    (plan,) = plan_amis(request_for(make_image(ImageRole.OS, content), spec=spec))
    ami: RegionAmi = publish(plan, settings).ami
    blocks = emulator.store.snapshots[ami.snapshots[ImageRole.OS]].blocks
    assert sorted(blocks) == ([0, 4] if omit else list(range(6)))


def test_an_image_of_zeros_alone_still_has_a_block(
    make_image: Callable[..., Image], request_for: Callable[..., AmiRequest], settings: Settings, emulator: Emulator
) -> None:
    spec = AmiSpec(regions=(REGION,), omit_zero_blocks=("os",))
    (plan,) = plan_amis(request_for(make_image(ImageRole.OS, bytes(5 * BLOCK)), spec=spec))
    ami = publish(plan, settings).ami
    assert sorted(emulator.store.snapshots[ami.snapshots[ImageRole.OS]].blocks) == [0]


def test_snapshots_without_zeros_do_not_stand_for_those_with(
    make_image: Callable[..., Image], request_for: Callable[..., AmiRequest], settings: Settings, emulator: Emulator
) -> None:
    image = make_image(ImageRole.OS, b"\1" * BLOCK + bytes(3 * BLOCK))
    for omit, name in (("os", "first"), (None, "second")):
        spec = AmiSpec(regions=(REGION,), name=name, omit_zero_blocks=("os",) if omit else ())
        (plan,) = plan_amis(request_for(image, spec=spec))
        publish(plan, settings)
    assert sorted(len(snapshot.blocks) for snapshot in emulator.store.snapshots.values()) == [1, 4]


@pytest.mark.parametrize(
    "fault", [Fault(drop=True, after_effect=True), Fault("AccessDeniedException", 403, after_effect=True)]
)
def test_a_completed_snapshot_that_ec2_does_not_know_yet_is_waited_for(
    plan: AmiPlan, settings: Settings, emulator: Emulator, fault: Fault
) -> None:
    emulator.faults.unknown_after_making = 0.5
    emulator.faults.inject("CompleteSnapshot", fault)
    if not fault.drop:
        with pytest.raises(AwsCallError):
            publish(plan, settings)
    assert publish(plan, settings).ami.created
    assert len(emulator.store.snapshots) == 1


def test_a_snapshot_that_was_deleted_is_soon_replaced(
    plan: AmiPlan, settings: Settings, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.setattr(block_upload, "_GONE_SECONDS", 0.1)
    monkeypatch.setattr(block_upload, "_JUST_STARTED_SECONDS", -10.0)
    # More often than there are tokens that can be foreseen, and with no journal that remembers.
    for _ in range(6):
        made = publish(plan, settings)
        emulator.store.images.clear()
        for snapshot in list(emulator.store.snapshots.values()):
            emulator.store.forget(snapshot)
        assert made.snapshots is not None
        assert made.snapshots.sent == {ImageRole.OS: 41}
        assert list(folder.iterdir()) == []


def test_a_journal_that_claims_too_much_is_given_up(
    plan: AmiPlan, settings: Settings, emulator: Emulator, folder: Path
) -> None:
    stopped(plan, settings, emulator, after=10)
    (old,) = emulator.store.snapshots.values()
    for index in list(old.blocks)[5:]:
        del old.blocks[index]
    made = publish(plan, settings)
    assert made.ami.snapshots[ImageRole.OS] != old.id
    assert set(emulator.store.snapshots) == set(made.ami.snapshots.values())
    assert len(emulator.store.snapshots[made.ami.snapshots[ImageRole.OS]].blocks) == 41


def test_a_journal_of_something_else_under_the_same_name_is_thrown_away(
    plan: AmiPlan, settings: Settings, emulator: Emulator, folder: Path
) -> None:
    stopped(plan, settings, emulator)
    (file,) = folder.iterdir()
    first, rest = file.read_text().split("\n", 1)
    words = {**json.loads(first), "key": "0" * 64, "snapshot": "snap-0123456789abcdef0"}
    file.write_text(f"{json.dumps(words)}\n{rest}")
    made = publish(plan, settings)
    assert made.snapshots is not None
    assert made.snapshots.sent == {ImageRole.OS: 41}


def test_a_snapshot_that_a_default_encrypted_is_not_taken_for_a_plain_one(
    plan: AmiPlan, image: Image, settings: Settings, emulator: Emulator, request_for: Callable[..., AmiRequest]
) -> None:
    emulator.store.settings(REGION).encryption_by_default = True
    first = publish(plan, settings).ami
    (other,) = plan_amis(request_for(image, spec=AmiSpec(regions=(REGION,), name="other")))
    assert publish(other, settings).ami.snapshots == first.snapshots, "the default is still the same"
    emulator.store.settings(REGION).encryption_by_default = False
    (plain,) = plan_amis(request_for(image, spec=AmiSpec(regions=(REGION,), name="plain")))
    made = publish(plain, settings).ami
    assert made.snapshots != first.snapshots
    assert not emulator.store.snapshots[made.snapshots[ImageRole.OS]].encrypted
