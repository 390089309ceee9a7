"""The way to EBS direct in one region: paced, tried again where that may help, and ended by one signal."""

import hashlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from brqos.ami.plan import SnapshotPlan
from brqos.ami.upload.bounded import BoundedPool
from brqos.ami.upload.pace import Pace
from brqos.aws.ebs import Ebs, StartedSnapshot
from brqos.aws.ec2 import Ec2
from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.retry import Retry

TIMEOUT_MINUTES = 24 * 60
"""A snapshot that nothing is written to for so long is cancelled by AWS (StartSnapshot takes 10 to 4320 minutes)."""


@dataclass(frozen=True, slots=True)
class Channel:
    """What all uploads to a region share; safe to use from any thread. All methods raise AwsCallError, StoppedError.

    `on_bytes` hears of every block that is done with, from any thread.
    """

    ebs: Ebs
    ec2: Ec2
    account: str
    pool: BoundedPool
    stop: threading.Event
    pace: Pace = field(default_factory=Pace)
    retry: Retry = field(default_factory=Retry)
    on_bytes: Callable[[int], None] = lambda _: None

    @property
    def region(self) -> str:
        """The region."""
        return self.ebs.region

    def start(self, plan: SnapshotPlan, token: str) -> StartedSnapshot:
        """Begin a snapshot, or hear of the one that the token began."""
        return self.retry.call(
            lambda: self.ebs.start(
                volume_gib=plan.volume_gib,
                description=plan.description,
                tags=plan.tags,
                token=token,
                timeout_minutes=TIMEOUT_MINUTES,
                kms_key=plan.kms_key,
            ),
            self.stop,
        )

    def put(self, snapshot: str, index: int, data: bytes, digest: bytes, retry: Retry | None = None) -> None:
        """Write one block; `digest` is its raw SHA-256."""

        def paced() -> None:
            try:
                with self.pace.turn(self.stop):
                    self.ebs.put(snapshot, index, data, digest)
            except AwsCallError as error:
                if error.kind is ErrorKind.THROTTLED:
                    self.pace.throttled()
                raise

        (retry or self.retry).call(paced, self.stop)

    def complete(self, snapshot: str, digests: Mapping[int, bytes], is_sealed: Callable[[bool], bool]) -> None:
        """Declare a snapshot complete, whose blocks have these raw SHA-256 by their indexes.

        Where the service refuses because there is nothing to complete any more, `is_sealed` decides whether that is
        well; it is told whether a call of ours went unanswered before.
        """
        digest = hashlib.sha256(b"".join(digests[index] for index in sorted(digests))).digest()
        unanswered = False

        def once() -> None:
            nonlocal unanswered
            try:
                self.ebs.complete(snapshot, blocks=len(digests), digest=digest)
            except AwsCallError as error:
                if error.kind in (ErrorKind.CONNECTION, ErrorKind.SERVER):
                    unanswered = True
                elif error.kind is ErrorKind.VALIDATION and is_sealed(unanswered):
                    # What is complete cannot be completed again.
                    return
                raise

        self.retry.call(once, self.stop)

    def state(self, snapshot: str) -> str | None:
        """The state of a snapshot that was declared complete; None for one that was only started, or is gone."""
        try:
            described = self.ec2.snapshot(snapshot)
        except AwsCallError as error:
            if error.kind is ErrorKind.NOT_FOUND:
                return None
            raise
        return described.state if described else None

    def delete(self, snapshot: str) -> bool:
        """Delete a snapshot that nobody can use; whether that was done."""
        try:
            self.ec2.delete_snapshot(snapshot)
        except AwsCallError as error:
            return error.kind is ErrorKind.NOT_FOUND
        return True
