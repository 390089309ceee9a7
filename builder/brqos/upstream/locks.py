"""Locks on mirrors and work trees: one holder at a time, and everybody else learns who it is."""

import contextlib
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from brqos.errors import LockedError
from brqos.monitor import Monitor


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
                f"{path.name} is in use", why=f"It is held by {who}.", todo="Wait for it, or use --wait."
            ) from None
        monitor.note(f"Waiting for {path.name}, which is held by {who} ...")
        lock.acquire()
    try:
        facts = {"pid": os.getpid(), "host": socket.gethostname(), "purpose": purpose}
        holder.write_text(json.dumps(facts), encoding="utf-8")
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


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
