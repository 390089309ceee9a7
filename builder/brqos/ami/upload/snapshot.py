"""One snapshot of one image: begun, or taken up again where an earlier run left it, and declared complete."""

import hashlib
import json
import secrets
import threading
import time
from pathlib import Path

from brqos.ami.plan import SnapshotPlan
from brqos.ami.upload.block_upload import DeadSnapshotError, Upload, Written
from brqos.ami.upload.channel import Channel
from brqos.ami.upload.journal import Begun, Journal, file_of
from brqos.aws.ebs import StartedSnapshot
from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.errors import ConfigurationError
from brqos.monitor import Monitor

_GENERATIONS = 4
_FIRST_RANDOM = 1000


class SnapshotWriter:
    """Writes snapshots through one channel; `journals` is the folder of the unfinished ones."""

    def __init__(self, channel: Channel, journals: Path, monitor: Monitor) -> None:
        self._channel = channel
        self._journals = journals
        self._monitor = monitor
        self._open_lock = threading.Lock()
        self._open: set[str] = set()

    @property
    def open_snapshots(self) -> tuple[str, ...]:
        """The snapshots that were started and not completed."""
        with self._open_lock:
            return tuple(sorted(self._open))

    def write(self, plan: SnapshotPlan) -> Written:
        """Write an image into a snapshot and declare it complete.

        Asked for the same again it goes on with the first block that the journal does not have, or, where there is no
        journal, with the snapshot that StartSnapshot's client token leads to, whose blocks are sent again, which is
        safe. Raises AwsCallError, ConfigurationError if the image has changed, StoppedError.
        """
        key = upload_key(plan, self._channel.region, self._channel.account)
        journal = Journal(file_of(self._journals, key), self._monitor)
        if journal.begun and journal.begun.key != key:
            # The file's name has only a part of it.
            journal.drop()
        first = journal.begun.generation if journal.begun else 0
        last: AwsCallError | None = None
        # Where all of those are dead (runs that died without a journal, deleted snapshots), a number nobody has had.
        fresh = secrets.randbelow(1 << 30) + _FIRST_RANDOM
        for generation in (*range(first, first + _GENERATIONS), fresh):
            try:
                return self._write_generation(plan, key, generation, journal)
            except DeadSnapshotError as dead:
                assert isinstance(dead.__cause__, AwsCallError)
                last = dead.__cause__
        assert last is not None
        raise last

    def _write_generation(self, plan: SnapshotPlan, key: str, generation: int, journal: Journal) -> Written:
        started = self._start(plan, client_token(key, generation))
        with self._open_lock:
            self._open.add(started.id)
        journal.begin(self._begun(plan, key, generation, started))
        try:
            written = Upload(self._channel, plan, started, journal).run()
        except ConfigurationError:
            # Blocks of two images may be in it by now: nothing of it can be used.
            if self._channel.delete(started.id):
                self._closed(started.id)
            journal.drop()
            raise
        except DeadSnapshotError:
            # What failed is of no use to anybody. What is merely unknown may be another run's, at its very end.
            if self._channel.state(started.id) == "error":
                self._channel.delete(started.id)
            self._closed(started.id)
            raise
        finally:
            journal.close()
        journal.drop()
        self._closed(started.id)
        return written

    def _start(self, plan: SnapshotPlan, token: str) -> StartedSnapshot:
        try:
            return self._channel.start(plan, token)
        except AwsCallError as error:
            if error.kind is ErrorKind.CONFLICT:
                raise DeadSnapshotError from error
            raise

    def _begun(self, plan: SnapshotPlan, key: str, generation: int, started: StartedSnapshot) -> Begun:
        return Begun(
            key=key,
            generation=generation,
            snapshot=started.id,
            region=self._channel.region,
            account=self._channel.account,
            image=plan.image.file.absolute(),
            sha256=plan.image.sha256,
            blocks=plan.blocks,
            started=time.time() - started.age,
        )

    def _closed(self, snapshot_id: str) -> None:
        with self._open_lock:
            self._open.discard(snapshot_id)


def upload_key(plan: SnapshotPlan, region: str, account: str) -> str:
    """What an upload is known by: the SHA-256, in hexadecimal, of all that it depends on."""
    parameters = [
        plan.image.sha256, region, account, plan.volume_gib, plan.description, plan.tags, plan.kms_key, plan.omit_zeros
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(parameters, sort_keys=True).encode()).hexdigest()


def client_token(key: str, generation: int) -> str:
    """StartSnapshot's ClientToken: 64 hexadecimal digits that are the same whenever the same snapshot is asked for.

    The key covers every parameter of the call, since the service refuses a token that comes with others; `generation`
    sets a new try apart from one whose snapshot is dead.
    """
    return hashlib.sha256(f"{key}/{generation}".encode()).hexdigest()
