"""What the emulated account holds: snapshots and images per region, with states that change as time goes by."""

import os
import secrets
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BLOCK = 524288
"""Bytes of a block of EBS direct."""
GIB = 1 << 30
_ZEROS = bytes(BLOCK)


@dataclass(slots=True)
class Snapshot:
    """A snapshot; `blocks` holds the SHA-256 of each block that was written, its bytes lie in a sparse file.

    `sealed_at` is when CompleteSnapshot was accepted, `ready_at` when the work behind it is done.
    """

    id: str
    region: str
    owner: str
    volume_gib: int
    description: str
    tags: dict[str, str]
    timeout_seconds: float
    started_at: float
    written_at: float
    parent: str | None = None
    kms_key: str | None = None
    encrypted: bool = False
    blocks: dict[int, bytes] = field(default_factory=dict)
    sealed_at: float | None = None
    ready_at: float = 0.0
    fails: bool = False

    def state(self, now: float) -> str:
        """`pending`, `completed` or `error` (failed, or left alone for longer than its timeout)."""
        if self.sealed_at is None:
            return "error" if now - self.written_at > self.timeout_seconds else "pending"
        if now < self.ready_at:
            return "pending"
        return "error" if self.fails else "completed"


@dataclass(slots=True)
class Image:
    """An AMI: what RegisterImage was given, echoed by DescribeImages."""

    id: str
    region: str
    owner: str
    created_at: float
    ready_at: float
    attributes: dict[str, Any]
    mappings: list[dict[str, Any]]
    tags: dict[str, str]
    fails: bool = False

    def state(self, now: float) -> str:
        """`pending`, then `available` or `failed`."""
        if now < self.ready_at:
            return "pending"
        return "failed" if self.fails else "available"

    def snapshots(self) -> Iterator[str]:
        """The ids of the snapshots that it holds."""
        for mapping in self.mappings:
            if snapshot := mapping.get("ebs", {}).get("snapshotId"):
                yield snapshot


@dataclass(frozen=True, slots=True)
class TokenUse:
    """What a ClientToken was first used for, and the answer."""

    parameters: str
    answer: dict[str, object]


class Store:
    """Everything that the emulator remembers; hold `lock` while reading or changing it."""

    def __init__(self, *, rehearsal: bool, delay: float, clock: Callable[[], float] = time.time) -> None:
        self.lock = threading.RLock()
        self.delay = delay
        self.clock = clock
        self.snapshots: dict[str, Snapshot] = {}
        self.images: dict[str, Image] = {}
        self.tokens: dict[tuple[str, str, str], TokenUse] = {}
        self._rehearsal = rehearsal
        self._folder = tempfile.TemporaryDirectory(prefix="brqos-emulator-")

    def new_id(self, prefix: str) -> str:
        """`ami-…` or `snap-…`: 17 hexadecimal digits as EC2 gives them, or a form that no real id has."""
        if self._rehearsal:
            return f"{prefix}-rehearsal{secrets.token_hex(4)}"
        return f"{prefix}-0{secrets.token_hex(8)}"

    def add(self, snapshot: Snapshot) -> None:
        """Take a snapshot in; its bytes lie in a file of the volume's size, sparse until something is written."""
        with self._data(snapshot.id).open("wb") as file:
            file.truncate(snapshot.volume_gib * GIB)
        self.snapshots[snapshot.id] = snapshot

    def write(self, snapshot: Snapshot, index: int, data: bytes) -> None:
        """Keep a block's bytes; zeros that nothing was written under take no room on the disk."""
        if index not in snapshot.blocks and data == _ZEROS:
            return
        descriptor = os.open(self._data(snapshot.id), os.O_WRONLY)
        try:
            os.pwrite(descriptor, data, index * BLOCK)
        finally:
            os.close(descriptor)

    def read(self, snapshot: Snapshot, index: int) -> bytes:
        """A block's bytes."""
        with self._data(snapshot.id).open("rb") as file:
            file.seek(index * BLOCK)
            return file.read(BLOCK)

    def forget(self, snapshot: Snapshot) -> None:
        """Remove a snapshot and its bytes."""
        self.snapshots.pop(snapshot.id, None)
        self._data(snapshot.id).unlink(missing_ok=True)

    def close(self) -> None:
        """Remove all that lies on the disk."""
        self._folder.cleanup()

    def _data(self, snapshot_id: str) -> Path:
        return Path(self._folder.name, snapshot_id)
