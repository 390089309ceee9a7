"""One snapshot, written block by block through EBS direct."""

import hashlib
import json
import threading
from collections.abc import Callable

from brqos.ami.blocks import blocks_of
from brqos.ami.bounded import BoundedPool
from brqos.ami.plan import SnapshotPlan
from brqos.aws.ebs import Ebs, StartedSnapshot
from brqos.aws.ec2 import DescribedSnapshot, Ec2
from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.retry import Retry
from brqos.errors import ConfigurationError

TIMEOUT_MINUTES = 60
"""A snapshot that nothing is written to for so long is cancelled by AWS."""

_GENERATIONS = 4
# So much after its start a snapshot that is not found is gone, and not merely unknown yet.
_FRESH_SECONDS = 120.0
_JUST_STARTED_SECONDS = 5.0


class _DeadSnapshotError(Exception):
    """The token led to an earlier snapshot that nothing can be written to any more."""


class SnapshotWriter:
    """Writes snapshots in one region.

    For each image `workers` puts are under way at once, and at most twice as many blocks of 512 KiB are in memory.
    `on_bytes` hears of every block that was written, from any thread.
    """

    def __init__(
        self,
        ebs: Ebs,
        ec2: Ec2,
        account: str,
        *,
        workers: int = 16,
        retry: Retry | None = None,
        stop: threading.Event | None = None,
        on_bytes: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._ebs = ebs
        self._ec2 = ec2
        self._account = account
        self._workers = workers
        self._retry = retry or Retry()
        self._stop = stop or threading.Event()
        self._on_bytes = on_bytes
        self._open_lock = threading.Lock()
        self._open: set[str] = set()

    @property
    def open_snapshots(self) -> tuple[str, ...]:
        """The snapshots that were started and not completed."""
        with self._open_lock:
            return tuple(sorted(self._open))

    def write(self, plan: SnapshotPlan) -> str:
        """Write an image into a snapshot and declare it complete; returns its id.

        Asked for the same again, it takes an interrupted snapshot up by way of StartSnapshot's client token, and sends
        its blocks again, which is safe. Raises AwsCallError, ConfigurationError if the image has changed, StoppedError.
        """
        last: AwsCallError | None = None
        for generation in range(_GENERATIONS):
            try:
                return self._write_generation(plan, generation)
            except _DeadSnapshotError as dead:
                assert isinstance(dead.__cause__, AwsCallError)
                last = dead.__cause__
        assert last is not None
        raise last

    def _write_generation(self, plan: SnapshotPlan, generation: int) -> str:
        started = self._start(plan, generation)
        with self._open_lock:
            self._open.add(started.id)
        try:
            digests = self._put_all(started, plan)
        except ConfigurationError:
            self._drop(started.id)
            raise
        except _DeadSnapshotError:
            self._closed(started.id)
            raise
        if digests is not None:
            self._complete(started.id, digests)
        self._closed(started.id)
        return started.id

    def _closed(self, snapshot_id: str) -> None:
        with self._open_lock:
            self._open.discard(snapshot_id)

    def _start(self, plan: SnapshotPlan, generation: int) -> StartedSnapshot:
        token = client_token(plan, self._ebs.region, self._account, generation)
        try:
            return self._retry.call(
                lambda: self._ebs.start(
                    volume_gib=plan.volume_gib,
                    description=plan.description,
                    tags=plan.tags,
                    token=token,
                    timeout_minutes=TIMEOUT_MINUTES,
                ),
                self._stop,
            )
        except AwsCallError as error:
            if error.kind is ErrorKind.CONFLICT:
                raise _DeadSnapshotError from error
            raise

    def _put_all(self, started: StartedSnapshot, plan: SnapshotPlan) -> list[bytes] | None:
        """Send all blocks; their digests in order, or None where an earlier run has sent and completed them."""
        blocks = blocks_of(plan.image)
        first = next(blocks)
        if not self._probe(started, first):
            return None
        digests = [b""] * plan.blocks
        digests[0] = hashlib.sha256(first).digest()
        self._on_bytes(len(first))

        def put(index: int, data: bytes) -> None:
            digests[index] = hashlib.sha256(data).digest()
            self._retry.call(lambda: self._ebs.put(started.id, index, data, digests[index]), self._stop)
            self._on_bytes(len(data))

        try:
            with BoundedPool(self._workers, self._stop, f"put-{plan.role.value}") as pool:
                for index, data in enumerate(blocks, start=1):
                    pool.submit(put, index, data)
        except AwsCallError as error:
            # Another run with the same token has sent the same blocks and was first to declare them complete.
            described = self._described(started.id) if error.kind is ErrorKind.VALIDATION else None
            if described is None or described.state not in ("pending", "completed"):
                raise
            return None
        return digests

    def _probe(self, started: StartedSnapshot, data: bytes) -> bool:
        """Send the first block; False if the snapshot turns out to be complete already.

        The token may have led to a snapshot of an earlier run: complete (its answer was lost), failed or deleted.
        """
        retry = self._retry if started.age < _FRESH_SECONDS else self._retry.without(ErrorKind.NOT_FOUND)
        digest = hashlib.sha256(data).digest()
        try:
            retry.call(lambda: self._ebs.put(started.id, 0, data, digest), self._stop)
        except AwsCallError as error:
            if error.kind is ErrorKind.VALIDATION:
                described = self._described(started.id)
                if described is not None and described.state in ("pending", "completed"):
                    # One that was started this moment cannot be complete: then it is the block that was refused.
                    if described.state == "pending" and started.age < _JUST_STARTED_SECONDS:
                        raise
                    return False
                raise _DeadSnapshotError from error
            if error.kind is ErrorKind.NOT_FOUND and started.age >= _JUST_STARTED_SECONDS:
                raise _DeadSnapshotError from error
            raise
        return True

    def _complete(self, snapshot_id: str, digests: list[bytes]) -> None:
        unanswered = False

        def complete() -> None:
            nonlocal unanswered
            try:
                self._ebs.complete(snapshot_id, blocks=len(digests), digest=hashlib.sha256(b"".join(digests)).digest())
            except AwsCallError as error:
                if error.kind in (ErrorKind.CONNECTION, ErrorKind.SERVER):
                    unanswered = True
                elif error.kind is ErrorKind.VALIDATION and unanswered and self._described(snapshot_id) is not None:
                    # The call whose answer was lost has done it: what is complete cannot be completed again.
                    return
                raise

        self._retry.call(complete, self._stop)

    def _described(self, snapshot_id: str) -> DescribedSnapshot | None:
        try:
            return self._ec2.snapshot(snapshot_id)
        except AwsCallError as error:
            if error.kind is ErrorKind.NOT_FOUND:
                return None
            raise

    def _drop(self, snapshot_id: str) -> None:
        try:
            self._ec2.delete_snapshot(snapshot_id)
        except AwsCallError:
            # It stays among the open ones, which are told to the user.
            return
        self._closed(snapshot_id)


def client_token(plan: SnapshotPlan, region: str, account: str, generation: int) -> str:
    """StartSnapshot's ClientToken: 64 hexadecimal digits that are the same whenever the same snapshot is asked for.

    It covers every parameter of the call, since the service refuses a token that comes with others; `generation` sets a
    new try apart from one whose snapshot is dead.
    """
    parameters = [plan.image.sha256, region, account, plan.volume_gib, plan.description, plan.tags, generation]
    return hashlib.sha256(json.dumps(parameters, sort_keys=True).encode()).hexdigest()
