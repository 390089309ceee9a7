"""What of an upload is done: a file per upload on this machine, which a run that was killed is resumed from.

EBS direct cannot tell what a pending snapshot holds (nor that there is one), so this is the only memory of it. A line
is written after the service has taken a block, never before: what the file says is true, and what it does not say is
merely sent again, which is safe. The first line tells what is uploaded to where; it is JSON, the others are an index
and a SHA-256. The file goes when the snapshot is declared complete.
"""

import contextlib
import json
import os
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from brqos.config.base import Model
from brqos.errors import ConfigurationError
from brqos.files import remove_partials, write_atomically
from brqos.monitor import Monitor
from brqos.resources import state_directory

SUFFIX = ".journal"
_SECONDS_BETWEEN_WRITES = 0.2
_DIGEST = 64


class Begun(Model):
    """An upload that was begun: which image, to where, and into which snapshot.

    `key` names the upload (the hash of all that StartSnapshot was asked for but the generation); a generation is one
    try, whose snapshot may be dead by now; `snapshot` is empty where it was given up. `started` counts from 1970.
    """

    version: Literal[1] = 1
    key: str = Field(pattern=r"^[0-9a-f]{64}$")
    generation: int = Field(ge=0)
    snapshot: str
    region: str
    account: str
    image: Path
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    blocks: int = Field(ge=1)
    started: float


class Journal:
    """The journal of one upload; safe to use from any thread, by one process at a time (the caller holds a lock).

    `done` has the digest of every block that the service has taken. Where the file cannot be written the upload goes
    on without: it only could not be resumed then, which the monitor is told once.
    """

    def __init__(self, file: Path, monitor: Monitor) -> None:
        self._file = file
        self._monitor = monitor
        self._lock = threading.Lock()
        self._waiting: list[str] = []
        self._wrote_at = 0.0
        self._descriptor: int | None = None
        self.begun, self.done = _read(file)

    def begin(self, begun: Begun) -> None:
        """The upload goes into this snapshot: what is journaled of it stays, what belongs to another one goes."""
        with self._lock, self._tolerant():
            if self.begun is None or self.begun.snapshot != begun.snapshot:
                self.done = {}
                write_atomically(self._file, _line(begun), mode=0o600)
                with contextlib.suppress(OSError):
                    self._file.parent.chmod(0o700)
            else:
                # The tail of the file may be half a line; what was understood is written anew.
                text = _line(self.begun) + "".join(_entry(index, digest) for index, digest in self.done.items())
                write_atomically(self._file, text, mode=0o600)
            self.begun = begun
            self._close()
            self._descriptor = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)

    def add(self, index: int, digest: bytes) -> None:
        """The service has taken a block; on the disk within a fifth of a second, or with `flush`."""
        with self._lock:
            self.done[index] = digest
            self._waiting.append(_entry(index, digest))
            if time.monotonic() - self._wrote_at >= _SECONDS_BETWEEN_WRITES:
                self._write()

    def restart(self) -> None:
        """Give up what was begun: the next upload goes into a new snapshot, whose token no other one has had."""
        with self._lock, self._tolerant():
            self._waiting.clear()
            self._close()
            if self.begun is not None:
                self.begun = self.begun.model_copy(update={"generation": self.begun.generation + 1, "snapshot": ""})
                self.done = {}
                write_atomically(self._file, _line(self.begun), mode=0o600)

    def flush(self) -> None:
        """Have all of it on the disk."""
        with self._lock:
            self._write()

    def close(self) -> None:
        """Keep it, for the next run."""
        with self._lock:
            self._write()
            self._close()

    def drop(self) -> None:
        """The upload is done, or given up: nothing of it is left."""
        with self._lock:
            self._waiting.clear()
            self._close()
            with contextlib.suppress(OSError):
                self._file.unlink(missing_ok=True)
            remove_partials(self._file)
            self.begun, self.done = None, {}

    def _write(self) -> None:
        if self._descriptor is None or not self._waiting:
            self._waiting.clear()
            return
        with self._tolerant():
            os.write(self._descriptor, "".join(self._waiting).encode())
            os.fsync(self._descriptor)
        self._waiting.clear()
        self._wrote_at = time.monotonic()

    def _close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    @contextlib.contextmanager
    def _tolerant(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ConfigurationError) as error:
            self._close()
            self._monitor.warn(
                f"no journal of the upload can be kept ({error}): if this run is interrupted, the next one begins anew."
                " BRQOS_STATE_DIR names another folder for it."
            )


def journal_folder() -> Path:
    """Where the journals lie on this machine."""
    return state_directory() / "uploads"


def journals(folder: Path) -> Iterator[tuple[Path, Begun]]:
    """All uploads that were begun on this machine and are not done; files that are no journals are passed over."""
    for file in sorted(folder.glob(f"*{SUFFIX}")):
        begun, _ = _read(file)
        if begun is not None:
            yield file, begun


def blocks_done(file: Path) -> int:
    """How many blocks of an unfinished upload the service has taken."""
    return len(_read(file)[1])


def file_of(folder: Path, key: str) -> Path:
    """The journal's file of the upload with this key."""
    return folder / f"{key[:32]}{SUFFIX}"


def _read(file: Path) -> tuple[Begun | None, dict[int, bytes]]:
    """What a journal says; nothing where there is none or its first line cannot be understood."""
    try:
        first, *rest = file.read_text(encoding="ascii", errors="replace").split("\n")
        begun = Begun.model_validate(json.loads(first))
    except (OSError, ValueError, ValidationError):
        return None, {}
    done: dict[int, bytes] = {}
    # Without its line break the last line may be only half of what was to be written.
    for line in rest[:-1]:
        entry = _parsed(line, begun.blocks)
        if entry is None:
            break
        done[entry[0]] = entry[1]
    return begun, done


def _parsed(line: str, blocks: int) -> tuple[int, bytes] | None:
    index, _, digest = line.partition(" ")
    if not (index.isdecimal() and int(index) < blocks and len(digest) == _DIGEST):
        return None
    try:
        return int(index), bytes.fromhex(digest)
    except ValueError:
        return None


def _line(begun: Begun) -> str:
    words: Mapping[str, object] = begun.model_dump(mode="json")
    return json.dumps(words, ensure_ascii=True) + "\n"


def _entry(index: int, digest: bytes) -> str:
    return f"{index} {digest.hex()}\n"
