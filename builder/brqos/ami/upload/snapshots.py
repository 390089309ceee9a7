"""The snapshots of one AMI in one region: reused where they are there, uploaded at the same time where not."""

import threading
import time
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from brqos.ami import tags as tagging
from brqos.ami.plan import AmiPlan, SnapshotPlan
from brqos.ami.setting import RegionSetting
from brqos.ami.upload.block_upload import Written
from brqos.ami.upload.bounded import BoundedPool
from brqos.ami.upload.channel import TIMEOUT_MINUTES, Channel
from brqos.ami.upload.expected_blocks import ExpectedBlocks
from brqos.ami.upload.pace import MOST_AT_ONCE
from brqos.ami.upload.snapshot import SnapshotWriter
from brqos.ami.waiting import wait_until
from brqos.aws.ec2 import DescribedSnapshot, Ec2
from brqos.aws.retry import StoppedError
from brqos.errors import AwsError
from brqos.image.model import ImageRole
from brqos.monitor import Task

_BLOCKS_AHEAD = 32
"""Blocks read and not yet taken by a thread: 16 MiB, enough for a reader that now and then is slow."""

_SNAPSHOT_SECONDS = 30 * 60.0
_LOOK_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Snapshots:
    """The completed snapshots by what they hold.

    `sent` has the blocks that this run put, in `seconds` of uploading, `expected` what they came from.
    """

    ids: Mapping[ImageRole, str]
    expected: Mapping[ImageRole, ExpectedBlocks] = field(default_factory=dict)
    sent: Mapping[ImageRole, int] = field(default_factory=dict)
    seconds: float = 0.0


def make_snapshots(plan: AmiPlan, setting: RegionSetting) -> Snapshots:
    """The plan's snapshots, all completed.

    Raises AwsError, ConfigurationError if an image has changed, StoppedError. On an interrupt (and on a failure) the
    monitor is told which snapshots stay and what becomes of them.
    """
    found = {item.role: _reusable(item, setting) for item in plan.snapshots}
    ids = {role: snapshot for role, snapshot in found.items() if snapshot is not None}
    missing = [item for item in plan.snapshots if item.role not in ids]
    if not missing:
        return Snapshots(ids)
    began = time.monotonic()
    written = _upload(missing, setting)
    seconds = time.monotonic() - began
    _await_completion({role: item.id for role, item in written.items()}, setting)
    ids |= {role: item.id for role, item in written.items()}
    sent = {role: item.sent for role, item in written.items()}
    expected = {role: item.expected for role, item in written.items() if item.expected}
    return Snapshots({item.role: ids[item.role] for item in plan.snapshots}, expected, sent, seconds)


def _reusable(plan: SnapshotPlan, setting: RegionSetting) -> str | None:
    snapshots = [
        snapshot.id
        for snapshot in setting.ec2.snapshots_tagged(plan.identity, volume_gib=plan.volume_gib)
        if _is_encrypted_as_planned(snapshot, plan, setting)
    ]
    if not snapshots:
        return None
    # Any of them would do; the same one each time makes the result repeatable.
    chosen = min(snapshots)
    setting.monitor.note(f"{setting.region}: the {plan.role.value} image is there already, as {chosen}")
    return chosen


def _is_encrypted_as_planned(snapshot: DescribedSnapshot, plan: SnapshotPlan, setting: RegionSetting) -> bool:
    if plan.kms_key is not None:
        return snapshot.encrypted and snapshot.kms_key == plan.kms_key
    # Nobody asked for encryption: then only the account's own default may have done it.
    return not snapshot.encrypted or (snapshot.tags.get(tagging.KMS_KEY) is None and setting.encrypts_by_default())


def _upload(plans: Sequence[SnapshotPlan], setting: RegionSetting) -> dict[ImageRole, Written]:
    total = sum(plan.image.bytes for plan in plans)
    # One image's failure ends the other's upload, but not what happens in other regions.
    stop = _Either(setting.stop)
    title = f"Uploading to {setting.region}"
    with (
        setting.monitor.task(title, total=total, unit="B") as task,
        BoundedPool(MOST_AT_ONCE, _BLOCKS_AHEAD, stop, "put") as pool,
    ):
        channel = Channel(
            setting.session.ebs(setting.region, connections=MOST_AT_ONCE),
            setting.ec2,
            setting.account,
            pool,
            stop,
            retry=setting.retry,
            on_bytes=_Meter(task, total).add,
        )
        writer = SnapshotWriter(channel, setting.journals, setting.monitor)
        readers = ThreadPoolExecutor(len(plans), thread_name_prefix="image")
        try:
            futures = {plan.role: readers.submit(writer.write, plan) for plan in plans}
            _await_first_failure(futures.values(), setting)
            failures = [future.exception() for future in futures.values() if future.done() and future.exception()]
            if failures:
                # One image alone makes no AMI: the other one's upload ends too, before anybody is told of the failure.
                stop.set()
                wait(futures.values())
                failures += [future.exception() for future in futures.values()]
                real = (error for error in failures if error and not isinstance(error, StoppedError))
                raise next(real, StoppedError())
            return {role: future.result() for role, future in futures.items()}
        except BaseException:
            interrupted = setting.stop.is_set()
            stop.set()
            if not interrupted:
                # What ends well at the last moment is not open; after an interrupt nobody waits for that.
                readers.shutdown(cancel_futures=True)
            _tell_open(writer.open_snapshots, setting)
            raise
        finally:
            readers.shutdown(cancel_futures=True)


def _await_first_failure(futures: Collection[Future[Written]], setting: RegionSetting) -> None:
    """Return when all have ended, or one of them has failed; raises StoppedError once everything is to stop."""
    while True:
        done, waiting = wait(futures, timeout=_LOOK_SECONDS, return_when=FIRST_EXCEPTION)
        if not waiting or any(future.exception() for future in done):
            return
        if setting.stop.is_set():
            raise StoppedError


def _tell_open(snapshots: Sequence[str], setting: RegionSetting) -> None:
    for snapshot in snapshots:
        setting.monitor.warn(
            f"{setting.region}: {snapshot} is unfinished; what it has is kept. The same command goes on with it within"
            f" {TIMEOUT_MINUTES // 60} hours, and with --restart drops it and begins anew. To drop it only:"
            f" aws ec2 delete-snapshot --region {setting.region} --snapshot-id {snapshot}"
        )


class _Either(threading.Event):
    """An event that is set by itself or by another one."""

    def __init__(self, other: threading.Event) -> None:
        super().__init__()
        self._other = other

    def is_set(self) -> bool:
        return super().is_set() or self._other.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        # Whoever sets the other one does not wake us: a look five times a second is soon enough.
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self.is_set():
            left = 0.2 if deadline is None else min(0.2, deadline - time.monotonic())
            if left <= 0:
                break
            super().wait(left)
        return self.is_set()


class _Meter:
    """Adds up what the threads have done; the last block's padding is not part of the image."""

    def __init__(self, task: Task, total: int) -> None:
        self._task = task
        self._left = total
        self._lock = threading.Lock()

    def add(self, amount: int) -> None:
        with self._lock:
            counted = min(amount, self._left)
            self._left -= counted
            self._task.advance(counted)


def _await_completion(snapshots: Mapping[ImageRole, str], setting: RegionSetting) -> None:
    region, title = setting.region, f"Waiting for the snapshots in {setting.region}"
    with setting.monitor.task(title, total=len(snapshots), unit="snapshots") as task:
        for snapshot_id in snapshots.values():
            task.describe(snapshot_id)
            ended = _awaited(snapshot_id, setting)
            if ended is None:
                raise AwsError(
                    f"the snapshot {snapshot_id} in {region} was not completed within half an hour",
                    todo="Run the same command again: it takes the snapshot as soon as AWS has completed it.",
                )
            if ended.state != "completed":
                raise AwsError(
                    f"AWS could not complete the snapshot {snapshot_id} in {region}",
                    why=ended.message or f"Its state is “{ended.state}”.",
                    todo="Run the same command again; to delete this one:"
                    f" aws ec2 delete-snapshot --region {region} --snapshot-id {snapshot_id}",
                )
            task.advance(1)


def _awaited(snapshot_id: str, setting: RegionSetting) -> DescribedSnapshot | None:
    try:
        return wait_until(lambda: _ended(setting.ec2, snapshot_id), _SNAPSHOT_SECONDS, stop=setting.stop)
    except StoppedError:
        setting.monitor.warn(f"{setting.region}: {snapshot_id} is uploaded and stays; the same command takes it")
        raise


def _ended(ec2: Ec2, snapshot_id: str) -> DescribedSnapshot | None:
    snapshot = ec2.snapshot(snapshot_id)
    return None if snapshot is None or snapshot.state == "pending" else snapshot
