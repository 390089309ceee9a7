"""Uploading and registering, end to end against the emulator, with all that may go wrong on the way."""

import hashlib
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from brqos.ami.making.register import register
from brqos.ami.model import RegionAmi
from brqos.ami.plan import AmiPlan, plan_amis
from brqos.ami.release import RegionsFailedError, Released, release
from brqos.ami.request import AmiRequest
from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.config.ami import AmiSpec
from brqos.errors import AwsError, ConfigurationError
from brqos.image.model import Image, ImageRole
from brqos.rehearsal.emulator import Emulator, Fault

from ..conftest import REGION, Recorder, Settings

pytestmark = pytest.mark.loopback

Requests = Callable[..., AmiRequest]


@pytest.fixture
def plan(request_for: Requests) -> AmiPlan:
    return plan_amis(request_for())[0]


Publisher = Callable[[AmiPlan], RegionAmi]


@pytest.fixture
def publish(settings: Settings) -> Publisher:
    return lambda plan: register(plan, settings(plan.region)[plan.region]).ami


Publish = Callable[..., Released]


@pytest.fixture
def publish_all(settings: Settings, monitor: Recorder) -> Publish:
    def run(plans: tuple[AmiPlan, ...], on_ami: Any = lambda *_: None) -> Released:
        return release(plans, settings(*(plan.region for plan in plans)), monitor, on_ami)

    return run


def content(emulator: Emulator, snapshot_id: str, size: int) -> bytes:
    snapshot = emulator.store.snapshots[snapshot_id]
    return b"".join(emulator.store.read(snapshot, index) for index in sorted(snapshot.blocks))[:size]


def test_the_whole_way(
    publish: Publisher, request_for: Requests, make_image: Callable[..., Image], emulator: Emulator, monitor: Recorder
) -> None:
    os_bytes = bytes(range(256)) * 9000
    images = (make_image(ImageRole.OS, os_bytes), make_image(ImageRole.DATA, bytes(1 << 20), packed=False))
    (plan,) = plan_amis(request_for(*images, secure_boot=True, uefi_data="QUJD"))
    ami = publish(plan)
    assert (ami.name, ami.created, set(ami.snapshots)) == (plan.name, True, {ImageRole.OS, ImageRole.DATA})
    assert content(emulator, ami.snapshots[ImageRole.OS], len(os_bytes)) == os_bytes
    assert content(emulator, ami.snapshots[ImageRole.DATA], 1 << 20) == bytes(1 << 20)
    assert len(emulator.store.snapshots[ami.snapshots[ImageRole.DATA]].blocks) == 2, "zeros are sent"
    for planned in plan.snapshots:
        assert emulator.store.snapshots[ami.snapshots[planned.role]].tags == planned.tags
    image = emulator.store.images[ami.id]
    assert image.attributes["uefiData"] == "QUJD"
    assert image.tags == plan.tags
    title = f"Uploading to {REGION}"
    assert monitor.done[title] == monitor.total[title] == len(os_bytes) + (1 << 20)
    assert monitor.warnings == []


def test_nothing_is_made_twice(publish: Publisher, plan: AmiPlan, emulator: Emulator) -> None:
    first = publish(plan)
    before = emulator.calls.copy()
    again = publish(plan)
    assert again == first.model_copy(update={"created": False})
    assert {name for name in emulator.calls if emulator.calls[name] > before[name]} == {"DescribeImages"}


def test_a_pending_image_is_waited_for(publish: Publisher, plan: AmiPlan, emulator: Emulator) -> None:
    first = publish(plan)
    emulator.store.images[first.id].ready_at = time.time() + 0.5
    assert publish(plan).id == first.id
    assert time.time() >= emulator.store.images[first.id].ready_at


def test_snapshots_of_the_same_image_are_used_again(
    publish: Publisher, plan: AmiPlan, request_for: Requests, emulator: Emulator, monitor: Recorder
) -> None:
    first = publish(plan)
    images = tuple(item.image for item in plan.snapshots)
    (other,) = plan_amis(request_for(*images, variant="aws-k8s-1.30-memoryqos"))
    second = publish(other)
    assert second.id != first.id
    assert second.snapshots == first.snapshots
    assert emulator.calls["StartSnapshot"] == 2
    assert sum("there already" in note for note in monitor.notes) == 2


def test_a_name_that_stands_for_something_else(
    publish: Publisher, plan: AmiPlan, make_image: Any, request_for: Any
) -> None:
    first = publish(plan)
    (other,) = plan_amis(request_for(make_image(ImageRole.OS), make_image(ImageRole.DATA)))
    with pytest.raises(AwsError) as caught:
        publish(other)
    assert f"is taken in {REGION} by {first.id}, which has another content" in caught.value.what
    assert "brqos:image-sha256-os" in caught.value.why


def test_a_failed_image_in_the_way(publish: Publisher, plan: AmiPlan, emulator: Emulator) -> None:
    emulator.faults.fail_images()
    with pytest.raises(AwsError, match="ended as “failed”") as caught:
        publish(plan)
    assert "It was deregistered" in caught.value.todo
    assert emulator.store.images == {}
    assert publish(plan).created
    assert emulator.calls["StartSnapshot"] == 2, "the snapshots are good, and used again"


def test_a_changed_image_is_refused_before_completion(publish: Publisher, plan: AmiPlan, emulator: Emulator) -> None:
    file = plan.snapshots[1].image.file
    file.write_bytes(b"x" + file.read_bytes()[1:])
    with pytest.raises(ConfigurationError, match="is not the one that was recorded"):
        publish(plan)
    assert emulator.calls["RegisterImage"] == 0
    data = [item for item in emulator.store.snapshots.values() if item.tags["brqos:image-role"] == "data"]
    assert data == [], "what was begun of it is deleted"


@pytest.mark.parametrize(
    ("operation", "fault", "times"),
    [
        ("PutSnapshotBlock", Fault("ResourceNotFoundException", 404, reason="SNAPSHOT_NOT_FOUND"), 5),
        ("PutSnapshotBlock", Fault("RequestThrottledException", 400), 8),
        ("PutSnapshotBlock", Fault("InternalServerException", 500), 8),
        ("PutSnapshotBlock", Fault(drop=True), 5),
        ("PutSnapshotBlock", Fault(drop=True, after_effect=True), 5),
        ("StartSnapshot", Fault("ConcurrentLimitExceededException", 400), 3),
        ("StartSnapshot", Fault(drop=True, after_effect=True), 2),
        ("CompleteSnapshot", Fault("InternalServerException", 500), 3),
        ("CompleteSnapshot", Fault(drop=True, after_effect=True), 1),
        ("CompleteSnapshot", Fault("InternalServerException", 500, after_effect=True), 1),
        ("DescribeSnapshots", Fault("Unavailable", 503), 2),
        ("RegisterImage", Fault("InternalError", 500), 1),
        ("RegisterImage", Fault("InternalError", 500, after_effect=True), 1),
        ("RegisterImage", Fault(drop=True, after_effect=True), 1),
        ("RegisterImage", Fault("RequestLimitExceeded", 503), 1),
    ],
)
def test_what_passes_is_outlived(
    publish: Publisher, plan: AmiPlan, emulator: Emulator, operation: str, fault: Fault, times: int
) -> None:
    emulator.faults.inject(operation, fault, times=times)
    ami = publish(plan)
    assert len(emulator.store.images) == 1
    assert len(emulator.store.snapshots) == 2
    for planned in plan.snapshots:
        written = content(emulator, ami.snapshots[planned.role], planned.image.bytes)
        assert hashlib.sha256(written).hexdigest() == planned.image.sha256
    assert ami.created


def test_what_was_just_made_may_be_unknown_for_a_while(publish: Publisher, plan: AmiPlan, emulator: Emulator) -> None:
    emulator.faults.inject("DescribeImages", Fault("InvalidAMIID.NotFound", 400), skip=1, times=3)
    emulator.faults.inject("DescribeSnapshots", Fault("InvalidSnapshot.NotFound", 400), skip=2, times=2)
    assert publish(plan).created
    assert emulator.calls["RegisterImage"] == 1


@pytest.mark.parametrize("operation", ["StartSnapshot", "PutSnapshotBlock", "CompleteSnapshot", "RegisterImage"])
def test_access_denied_is_final(publish: Publisher, plan: AmiPlan, emulator: Emulator, operation: str) -> None:
    emulator.faults.inject(operation, Fault("AccessDeniedException", 403), times=1000)
    with pytest.raises(AwsCallError) as caught:
        publish(plan)
    assert caught.value.kind is ErrorKind.ACCESS_DENIED
    # Each image begins with one put of its own: nothing is sent once one was refused.
    assert emulator.calls[operation] <= 2


def test_an_unfinished_snapshot_is_told_and_taken_up(
    publish: Publisher, plan: AmiPlan, emulator: Emulator, monitor: Recorder
) -> None:
    emulator.faults.inject("PutSnapshotBlock", Fault("AccessDeniedException", 403), skip=4, times=100)
    with pytest.raises(AwsCallError):
        publish(plan)
    begun = set(emulator.store.snapshots)
    told = [warning for warning in monitor.warnings if "is unfinished" in warning]
    assert told
    assert all("aws ec2 delete-snapshot --region eu-west-1 --snapshot-id snap-" in warning for warning in told)
    emulator.faults.clear()
    publish(plan)
    assert set(emulator.store.snapshots) == begun


def test_a_dead_snapshot_gets_a_successor(
    publish: Publisher, plan: AmiPlan, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("brqos.ami.upload.block_upload._GONE_SECONDS", 0.2)
    emulator.faults.inject("PutSnapshotBlock", Fault("AccessDeniedException", 403), times=100)
    with pytest.raises(AwsCallError):
        publish(plan)
    emulator.faults.clear()
    for number, snapshot in enumerate(list(emulator.store.snapshots.values())):
        for use in emulator.store.tokens.values():
            use.answer["StartTime"] = time.time() - 3000
        if number == 0:
            emulator.store.forget(snapshot)
        else:
            snapshot.written_at -= 100_000
    publish(plan)
    assert len({token for _, _, token in emulator.store.tokens}) == 4


def test_a_snapshot_that_fails(publish: Publisher, plan: AmiPlan, emulator: Emulator) -> None:
    emulator.faults.fail_snapshots()
    with pytest.raises(AwsError, match="AWS could not complete the snapshot"):
        publish(plan)
    assert publish(plan).created, "the next run starts another one"
    assert sum(item.state(time.time()) == "completed" for item in emulator.store.snapshots.values()) == 2


def test_regions_stand_for_themselves(request_for: Requests, publish_all: Publish, emulator: Emulator) -> None:
    plans = plan_amis(request_for(spec=AmiSpec(regions=("eu-west-1", "us-east-1", "eu-north-1"), direct_upload=True)))
    emulator.faults.inject("RegisterImage", Fault("UnauthorizedOperation", 403), skip=1)
    heard: list[str] = []
    released = publish_all(plans, lambda region, _: heard.append(region))
    assert len(released.failures) == 1, released.failures
    (failed,) = released.failures
    assert set(released.amis) == {"eu-west-1", "us-east-1", "eu-north-1"} - {failed}
    assert set(heard) == set(released.amis)
    with pytest.raises(RegionsFailedError, match=f"no AMI in {failed}") as caught:
        released.check()
    assert f"{failed}: AWS refused RegisterImage" in caught.value.why
    done = publish_all(plans)
    done.check()
    assert {region for region, ami in done.amis.items() if ami.created} == {failed}
    assert emulator.calls["StartSnapshot"] == 6


def test_one_region_fails_with_its_own_error(plan: AmiPlan, publish_all: Publish, emulator: Emulator) -> None:
    emulator.faults.inject("RegisterImage", Fault("UnauthorizedOperation", 403))
    with pytest.raises(AwsCallError):
        publish_all((plan,)).check()


def test_a_changed_image_ends_all_regions(request_for: Requests, publish_all: Publish, emulator: Emulator) -> None:
    plans = plan_amis(request_for(regions=("eu-west-1", "us-east-1")))
    plans[0].snapshots[0].image.file.write_bytes(b"other")
    released = publish_all(plans)
    assert set(released.failures) == {"eu-west-1", "us-east-1"}
    assert "nothing was copied to us-east-1" in released.failures["us-east-1"].what
    assert released.amis == {}
    assert emulator.calls["GetCallerIdentity"] == 1


def test_an_interrupt_ends_it_cleanly(publish: Publisher, plan: AmiPlan, emulator: Emulator, monitor: Recorder) -> None:
    emulator.faults.inject("PutSnapshotBlock", Fault(hang=0.3), times=1000, skip=2)

    def interrupt() -> None:
        while emulator.calls["PutSnapshotBlock"] < 4:
            time.sleep(0.01)
        signal.pthread_kill(main, signal.SIGINT)

    main = threading.get_ident()
    interrupter = threading.Thread(target=interrupt)
    interrupter.start()
    with pytest.raises(KeyboardInterrupt):
        publish(plan)
    interrupter.join()
    puts = emulator.calls["PutSnapshotBlock"]
    time.sleep(0.3)
    assert emulator.calls["PutSnapshotBlock"] == puts, "nothing goes on in the background"
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith(("put", "image"))] == []
    assert any("is unfinished" in warning for warning in monitor.warnings)
    emulator.faults.clear()
    assert publish(plan).created
    assert len(emulator.store.snapshots) == 2
