"""Where the bytes of snapshots lie: one sparse file each. It has no name, so that nothing is left of it in any case."""

import errno
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

BLOCK = 524288
"""Bytes of a block of EBS direct."""
GIB = 1 << 30


@dataclass(slots=True)
class _Data:
    """The bytes of one or (copies) several snapshots; there is a file once something was written."""

    file: IO[bytes] | None = None
    names: int = 1
    users: int = 0
    writing: threading.Lock = field(default_factory=threading.Lock)


class BlockFiles:
    """The bytes of one emulator's snapshots, by the snapshots' names.

    `parent` is the folder whose file system takes them (by default that for temporary files; /dev/shm is faster). With
    `discard` nothing is written at all, and nothing can be read back. Raises OSError where `parent` is not usable.
    """

    def __init__(self, parent: Path | None = None, *, discard: bool = False) -> None:
        self._parent = parent
        self._discard = discard
        self._lock = threading.Lock()
        self._data: dict[str, _Data] = {}
        self._sealed: set[str] = set()
        if not discard:
            self._new_file().close()

    def create(self, name: str) -> None:
        """Take a name in; nothing is written under it yet."""
        with self._lock:
            self._data[name] = _Data()

    def write(self, name: str, index: int, data: bytes | memoryview) -> None:
        """Keep a block's bytes; raises KeyError once the name was sealed or removed, and OSError."""
        if self._discard:
            return
        if name in self._sealed:
            raise KeyError(name)
        with self._used(name) as kept:
            if kept.file is None:
                self._open(kept)
            assert kept.file is not None
            # The kernel takes one writer of a file at a time and lets the others spin: they wait here, for nothing.
            with kept.writing:
                written = os.pwrite(kept.file.fileno(), data, index * BLOCK)
            if written != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def seal(self, name: str) -> None:
        """Nothing will be written any more under that name."""
        with self._lock:
            self._sealed.add(name)

    def read(self, name: str, index: int) -> bytes:
        """A block's bytes, zeros where nothing was written; raises FileNotFoundError where they were discarded."""
        if self._discard:
            raise FileNotFoundError(name)
        with self._used(name) as kept:
            found = os.pread(kept.file.fileno(), BLOCK, index * BLOCK) if kept.file else b""
        return found.ljust(BLOCK, b"\0")

    def share(self, source: str, name: str) -> None:
        """Give the bytes of a sealed name a second one."""
        with self._lock:
            self._data[name] = self._data[source]
            self._data[name].names += 1
            self._sealed.add(name)

    def remove(self, name: str) -> None:
        """Remove a name; the bytes go with their last one."""
        with self._lock:
            kept = self._data.pop(name, None)
            self._sealed.discard(name)
            if kept is not None:
                kept.names -= 1
                self._close_unused(kept)

    def occupied(self) -> int:
        """The bytes that all of it takes on the disk."""
        with self._lock:
            files = [kept.file for kept in {id(kept): kept for kept in self._data.values()}.values() if kept.file]
            return sum(os.fstat(file.fileno()).st_blocks * 512 for file in files)

    def close(self) -> None:
        """Remove everything."""
        for name in list(self._data):
            self.remove(name)

    @contextmanager
    def _used(self, name: str) -> Iterator[_Data]:
        """The data of a name, which stay open meanwhile; raises KeyError."""
        with self._lock:
            kept = self._data[name]
            kept.users += 1
        try:
            yield kept
        finally:
            with self._lock:
                kept.users -= 1
                self._close_unused(kept)

    def _open(self, kept: _Data) -> None:
        with self._lock:
            if kept.file is None:
                kept.file = self._new_file()

    def _close_unused(self, kept: _Data) -> None:
        # A descriptor that is closed under a writer may be another file's by the time the bytes arrive.
        if kept.names == 0 and kept.users == 0 and kept.file is not None:
            kept.file.close()

    def _new_file(self) -> IO[bytes]:
        return tempfile.TemporaryFile(dir=self._parent, buffering=0)
