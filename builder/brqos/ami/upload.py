"""The snapshots of one AMI in one region: reused where they are there, uploaded at the same time where not."""

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

from brqos.ami.plan import AmiPlan, SnapshotPlan
from brqos.ami.snapshot import TIMEOUT_MINUTES, SnapshotWriter
from brqos.ami.waiting import wait_until
from brqos.aws.ec2 import DescribedSnapshot, Ec2
from brqos.aws.retry import Retry, StoppedError
from brqos.aws.session import AwsSession
from brqos.errors import AwsError
from brqos.image.model import ImageRole
from brqos.monitor import Monitor, Task

WORKERS = 32
"""Puts under way at once in a region, all images together."""

_SNAPSHOT_SECONDS = 30 * 60.0


def make_snapshots(
    plan: AmiPlan, session: AwsSession, ec2: Ec2, account: str, monitor: Monitor, retry: Retry | None = None
) -> dict[ImageRole, str]:
    """The ids of the plan's snapshots, all completed.

    Raises AwsError, ConfigurationError if an image has changed. On an interrupt (and on a failure) the monitor is told
    which snapshots stay and what becomes of them.
    """
    found = {item.role: _reusable(item, ec2, monitor) for item in plan.snapshots}
    snapshots = {role: snapshot for role, snapshot in found.items() if snapshot is not None}
    missing = [item for item in plan.snapshots if item.role not in snapshots]
    if missing:
        written = _upload(missing, plan.region, session, ec2, account, monitor, retry)
        _await_completion(written, ec2, monitor)
        snapshots |= written
    return {item.role: snapshots[item.role] for item in plan.snapshots}


def _reusable(plan: SnapshotPlan, ec2: Ec2, monitor: Monitor) -> str | None:
    snapshots = ec2.snapshots_tagged(plan.identity, volume_gib=plan.volume_gib)
    if not snapshots:
        return None
    # Any of them would do; the same one each time makes the result repeatable.
    chosen = min(snapshot.id for snapshot in snapshots)
    monitor.note(f"{ec2.region}: the {plan.role.value} image is there already, as {chosen}")
    return chosen


def _upload(
    plans: Sequence[SnapshotPlan],
    region: str,
    session: AwsSession,
    ec2: Ec2,
    account: str,
    monitor: Monitor,
    retry: Retry | None,
) -> dict[ImageRole, str]:
    stop = threading.Event()
    workers = WORKERS // len(plans)
    total = sum(plan.image.bytes for plan in plans)
    with monitor.task(f"Uploading to {region}", total=total, unit="B") as task:
        writer = SnapshotWriter(
            session.ebs(region, connections=WORKERS + len(plans)),
            ec2,
            account,
            workers=workers,
            retry=retry,
            stop=stop,
            on_bytes=_Meter(task, total).add,
        )
        pool = ThreadPoolExecutor(len(plans), thread_name_prefix="image")
        try:
            futures = {plan.role: pool.submit(writer.write, plan) for plan in plans}
            wait(futures.values(), return_when=FIRST_EXCEPTION)
            failures = [future.exception() for future in futures.values() if future.done() and future.exception()]
            if failures:
                # One image alone makes no AMI: the other one's upload ends too, before anybody is told of the failure.
                stop.set()
                wait(futures.values())
                failures += [future.exception() for future in futures.values()]
                raise next(error for error in failures if error and not isinstance(error, StoppedError))
            return {role: future.result() for role, future in futures.items()}
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            _tell_open(writer.open_snapshots, region, monitor)
            raise
        finally:
            pool.shutdown()


def _tell_open(snapshots: Sequence[str], region: str, monitor: Monitor) -> None:
    for snapshot in snapshots:
        monitor.warn(
            f"{region}: {snapshot} is unfinished. The same command takes it up again within {TIMEOUT_MINUTES} minutes; "
            f"to drop it: aws ec2 delete-snapshot --region {region} --snapshot-id {snapshot}"
        )


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


def _await_completion(snapshots: Mapping[ImageRole, str], ec2: Ec2, monitor: Monitor) -> None:
    with monitor.task(f"Waiting for the snapshots in {ec2.region}", total=len(snapshots), unit="snapshots") as task:
        for snapshot_id in snapshots.values():
            task.describe(snapshot_id)
            ended = wait_until(lambda snapshot_id=snapshot_id: _ended(ec2, snapshot_id), _SNAPSHOT_SECONDS)  # type: ignore[misc]
            if ended is None:
                raise AwsError(
                    f"the snapshot {snapshot_id} in {ec2.region} was not completed within half an hour",
                    todo="Run the same command again: it takes the snapshot as soon as AWS has completed it.",
                )
            if ended.state != "completed":
                raise AwsError(
                    f"AWS could not complete the snapshot {snapshot_id} in {ec2.region}",
                    why=ended.message or f"Its state is “{ended.state}”.",
                    todo="Run the same command again; to delete this one:"
                    f" aws ec2 delete-snapshot --region {ec2.region} --snapshot-id {snapshot_id}",
                )
            task.advance(1)


def _ended(ec2: Ec2, snapshot_id: str) -> DescribedSnapshot | None:
    snapshot = ec2.snapshot(snapshot_id)
    return None if snapshot is None or snapshot.state == "pending" else snapshot
