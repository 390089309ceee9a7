"""The cache of mirrors, work trees and official images: what is in it, how large, and making room."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from brqos.locks import is_locked, locked
from brqos.monitor import Silent


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """A folder of the cache. `bytes` is what its files take on the disk; `used` when it was last changed."""

    kind: str
    path: Path
    bytes: int
    used: datetime
    in_use: bool


def entries(cache: Path) -> list[CacheEntry]:
    """All mirrors, work trees and official images, those of rehearsals and what interrupted runs left included."""
    return [
        CacheEntry(kind, path, disk_usage(path), datetime.fromtimestamp(path.stat().st_mtime, UTC), is_locked(path))
        for kind in ("mirrors", "trees", "rehearsal/trees", "official/images")
        for path in sorted((cache / kind).glob("*"))
        if path.is_dir()
    ]


def remove(entry: CacheEntry) -> None:
    """Remove an entry; raises LockedError if somebody uses it by now."""
    with locked(entry.path, f"removing {entry.path.name}", wait=False, monitor=Silent()):
        # Under another name first: an interrupted removal leaves nothing that looks whole.
        doomed = entry.path.with_name(f".{entry.path.name}.removing")
        entry.path.rename(doomed)
        shutil.rmtree(doomed)


def disk_usage(path: Path) -> int:
    """Bytes that the files below a folder take on the disk; hard links within it count once."""
    seen: set[tuple[int, int]] = set()
    total = 0
    for file in _files(path):
        try:
            facts = file.lstat()
        except OSError:
            continue
        if (facts.st_dev, facts.st_ino) not in seen:
            seen.add((facts.st_dev, facts.st_ino))
            total += facts.st_blocks * 512
    return total


def _files(path: Path) -> Iterator[Path]:
    for child in path.iterdir():
        if child.is_dir() and not child.is_symlink():
            yield from _files(child)
        else:
            yield child
