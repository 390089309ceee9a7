"""Locks: one holder at a time, and everybody else learns who it is."""

import contextlib
import hashlib
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from brqos.errors import LockedError
from brqos.monitor import Monitor
from brqos.resources import cache_directory


@contextlib.contextmanager
def locked(path: Path, purpose: str, *, wait: bool, monitor: Monitor) -> Iterator[None]:
    """Hold the lock `path`.lock; where somebody else has it, wait for it, or raise LockedError that names them."""
    from filelock import FileLock, Timeout

    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(f"{path}.lock")
    holder = Path(f"{path}.holder")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        who = _described(holder)
        if not wait:
            raise LockedError(
                f"somebody else is at it: {purpose}",
                why=f"The lock is held by {who}.",
                todo="Wait for it, or use --wait.",
            ) from None
        monitor.note(f"Waiting before {purpose}: the lock is held by {who} ...")
        lock.acquire()
    try:
        facts = {"pid": os.getpid(), "host": socket.gethostname(), "purpose": purpose}
        holder.write_text(json.dumps(facts), encoding="utf-8")
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def lock_of(path: Path) -> Path:
    """The name of the lock on a file or folder: its own in the cache, else one that leaves nothing beside it."""
    if path.is_relative_to(cache_directory()):
        return path
    return named_lock(str(path.resolve()))


def named_lock(name: str) -> Path:
    """The lock on anything that has a name."""
    return cache_directory() / "locks" / hashlib.sha256(name.encode()).hexdigest()[:16]


def is_locked(path: Path) -> bool:
    """Whether somebody holds the lock `path`.lock at this moment."""
    from filelock import FileLock, Timeout

    try:
        with FileLock(f"{path}.lock", timeout=0):
            return False
    except Timeout:
        return True


def _described(holder: Path) -> str:
    try:
        facts = json.loads(holder.read_text(encoding="utf-8"))
        return f"process {facts['pid']} on {facts['host']} ({facts['purpose']})"
    except (OSError, ValueError, KeyError):
        # Between taking the lock and writing its name the holder is not known yet.
        return "another brqos"
