"""The blocks of one image into one snapshot: what is missing is sent, what an earlier run has sent is only checked."""

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from brqos.ami.plan import SnapshotPlan
from brqos.ami.upload.blocks import blocks_of, changed, is_zero
from brqos.ami.upload.channel import Channel
from brqos.ami.upload.expected_blocks import ExpectedBlocks, Tally
from brqos.ami.upload.journal import Journal
from brqos.ami.waiting import wait_until
from brqos.aws.ebs import StartedSnapshot
from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.retry import Retry

# So long a snapshot that was known may be unknown all the same, before it counts as gone.
_GONE_SECONDS = 10.0
_JUST_STARTED_SECONDS = 5.0
# EC2 may not know for a moment of a snapshot that was just declared complete.
_UNKNOWN_SECONDS = 15.0


class DeadSnapshotError(Exception):
    """The token led to an earlier snapshot that nothing can be written to any more; its cause is the AwsCallError."""


@dataclass(frozen=True, slots=True)
class Written:
    """A snapshot that was declared complete: how many blocks this run sent for it, and what it has to hold.

    `expected` is None where an earlier run had sent everything.
    """

    id: str
    sent: int
    expected: ExpectedBlocks | None = None


class Upload:
    """One image on its way into one snapshot."""

    def __init__(self, channel: Channel, plan: SnapshotPlan, started: StartedSnapshot, journal: Journal) -> None:
        self._channel = channel
        self._plan = plan
        self._started = started
        self._journal = journal
        self._resumed = bool(journal.done)
        self._digests: dict[int, bytes] = {}
        self._tally = Tally(plan.image.sha256)
        self._sent = 0
        self._counting = threading.Lock()
        # A snapshot of an earlier run may be complete by now, failed or gone: the first block to be sent tells.
        self._is_known_alive = False

    def run(self) -> Written:
        """Send what is missing and declare the snapshot complete.

        Raises DeadSnapshotError where nothing can be written to it any more, AwsCallError, ConfigurationError if the
        image has changed, StoppedError.
        """
        try:
            alive = self._send_missing()
        except AwsCallError as error:
            # Another run with the same token has sent the same blocks and was first to declare them complete.
            if error.kind is not ErrorKind.VALIDATION or not self._is_sealed():
                raise
            alive = False
        if alive:
            self._complete()
        expected = self._tally.result(omit_zeros=self._plan.omit_zeros) if alive else None
        return Written(self._started.id, self._sent, expected)

    def _send_missing(self) -> bool:
        """Send all blocks that are not journaled; False where an earlier run has sent and completed all."""
        with self._channel.pool.batch() as batch:
            for index, data in self._missing():
                if not self._is_known_alive:
                    if not self._probe(index, data):
                        return False
                    continue
                batch.submit(self._send, index, data)
        return True

    def _missing(self) -> Iterator[tuple[int, bytes]]:
        """The blocks to be sent; raises ConfigurationError where one is not what was sent of it before."""
        for index, data in enumerate(blocks_of(self._plan.image)):
            self._tally.add(data)
            # Something has to be written: an image of zeros alone keeps its first block.
            if self._plan.omit_zeros and index > 0 and is_zero(data):
                self._channel.on_bytes(len(data))
                continue
            before = self._journal.done.get(index)
            if before is None:
                yield index, data
                continue
            if hashlib.sha256(data).digest() != before:
                raise changed(self._plan.image, f"Block {index} is not the one that an earlier run has sent.")
            self._digests[index] = before
            self._channel.on_bytes(len(data))

    def _send(self, index: int, data: bytes, retry: Retry | None = None) -> None:
        digest = hashlib.sha256(data).digest()
        self._channel.put(self._started.id, index, data, digest, retry)
        self._digests[index] = digest
        self._journal.add(index, digest)
        with self._counting:
            self._sent += 1
        self._channel.on_bytes(len(data))

    def _probe(self, index: int, data: bytes) -> bool:
        """Send the first missing block; False if the snapshot turns out to be complete already."""
        started, retry = self._started, self._channel.retry
        if started.age >= _JUST_STARTED_SECONDS:
            # It was known before: then it is gone, and not merely unknown yet.
            retry = retry.limited(ErrorKind.NOT_FOUND, _GONE_SECONDS)
        try:
            self._send(index, data, retry)
        except AwsCallError as error:
            if error.kind is ErrorKind.VALIDATION:
                # One that was started this moment cannot be complete: then it is the block that was refused.
                if started.age < _JUST_STARTED_SECONDS and self._state() == "pending":
                    raise
                if self._is_sealed():
                    return False
                raise DeadSnapshotError from error
            if error.kind is ErrorKind.NOT_FOUND and started.age >= _JUST_STARTED_SECONDS:
                raise DeadSnapshotError from error
            raise
        self._is_known_alive = True
        return True

    def _complete(self) -> None:
        self._journal.flush()
        try:
            self._channel.complete(
                self._started.id,
                self._digests,
                lambda unanswered: (unanswered or not self._is_known_alive) and self._is_sealed(),
            )
        except AwsCallError as error:
            # Nothing was sent, so nothing has shown that the snapshot of the earlier run is still there.
            if not self._is_known_alive and error.kind is ErrorKind.NOT_FOUND:
                raise DeadSnapshotError from error
            if error.kind is ErrorKind.VALIDATION and not self._is_sealed():
                # Count or checksum are refused: what it holds is not what is believed, and cannot be made good.
                self._channel.delete(self._started.id)
                if self._resumed:
                    raise DeadSnapshotError from error
            raise

    def _is_sealed(self) -> bool:
        """Whether CompleteSnapshot was accepted, asked where the service takes nothing any more.

        A snapshot that is only started cannot be described at all, one that failed can.
        """
        return wait_until(self._state, _UNKNOWN_SECONDS, stop=self._channel.stop) in ("pending", "completed")

    def _state(self) -> str | None:
        return self._channel.state(self._started.id)
