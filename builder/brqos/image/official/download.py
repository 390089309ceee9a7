"""A target into the cache: resumed where it broke off, verified as a whole, and only then under its name.

Each is in a folder of its own, named by its SHA-256, so that the cache can tell and remove it like any other entry.
"""

import contextlib
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tuf.api.exceptions import LengthOrHashMismatchError

from brqos.errors import ToolError, UpstreamError
from brqos.image.official import failures
from brqos.image.official.as_signed import TargetFile
from brqos.image.official.repository import Location
from brqos.image.official.transport import NotThereError, Patience, TransferError, transport_to
from brqos.locks import locked
from brqos.monitor import Monitor, Task

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Target:
    """A file of the repository as its signed metadata tells of it, and where it is."""

    name: str
    file: TargetFile
    sha256: str
    location: Location
    with_hash_in_name: bool

    @property
    def address(self) -> str:
        """Where it is: `<sha256>.<name>` with consistent snapshots."""
        return self.location.of(f"{self.sha256}.{self.name}" if self.with_hash_in_name else self.name)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A verified file in the cache, and whether it was there before."""

    path: Path
    from_cache: bool


def in_cache(target: Target, cache: Path, patience: Patience, monitor: Monitor) -> Fetched:
    """The target as a file below `cache`, which is the folder of all images; a second caller waits for the first.

    Raises UpstreamError if it cannot be had or is not what it has to be, ToolError where the disk has no room.
    """
    folder = cache / target.sha256
    with locked(folder, f"fetching {target.name}", wait=True, monitor=monitor):
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / target.name
        if _is_sound(target, path, monitor):
            monitor.note(f"{target.name} is taken from the cache.")
            return Fetched(path, from_cache=True)
        partial = folder / f"{target.name}.partial"
        _fetch(target, partial, patience, monitor)
        _verify(target, partial, monitor)
        partial.replace(path)
        return Fetched(path, from_cache=False)


def _is_sound(target: Target, path: Path, monitor: Monitor) -> bool:
    """Whether the file is there and still is what it has to be; one that is not is removed."""
    if not path.exists():
        return False
    if _mismatch(target, path, monitor) is None:
        return True
    monitor.warn(f"{path} was changed since it was fetched; it is fetched again.")
    path.unlink()
    return False


def _verify(target: Target, partial: Path, monitor: Monitor) -> None:
    why = _mismatch(target, partial, monitor)
    if why is not None:
        partial.unlink()
        raise failures.changed(target.name, target.address, why)


def _mismatch(target: Target, path: Path, monitor: Monitor) -> str | None:
    with path.open("rb") as file, monitor.task(f"Verifying {target.name}"):
        try:
            target.file.verify_length_and_hashes(file)
        except LengthOrHashMismatchError as error:
            return str(error)
    return None


def _fetch(target: Target, partial: Path, patience: Patience, monitor: Monitor) -> None:
    """Write all bytes of the target, going on after those that are there; raises UpstreamError and ToolError."""
    size = target.file.length
    if partial.exists() and partial.stat().st_size > size:
        partial.unlink()
    partial.touch()
    with partial.open("r+b") as file, monitor.task(f"Fetching {target.name}", total=size, unit="B") as task:
        have = file.seek(0, os.SEEK_END)
        _make_sure_of_room(partial, size - have)
        task.advance(have)
        failed = 0
        while have < size:
            try:
                _go_on(target, file, patience, task)
            except TransferError as error:
                failed = 1 if file.tell() > have else failed + 1
                if not error.again or failed >= patience.tries:
                    raise failures.unreachable(target.name, target.address, _with_hint(str(error), file)) from None
                task.describe(f"{error}; going on")
                patience.pause(failed)
            except NotThereError as error:
                raise failures.incomplete(target.name, str(target.location), str(error)) from None
            have = file.tell()


def _go_on(target: Target, file: BinaryIO, patience: Patience, task: Task) -> None:
    """Read from where the file ends; raises TransferError if the bytes end too early, UpstreamError if they do not."""
    have, size = file.tell(), target.file.length
    with transport_to(target.location, patience).open(target.address, have) as body:
        if body.start != have:
            file.seek(body.start)
            file.truncate()
            task.advance(body.start - have)
            have = body.start
        for piece in body.pieces:
            have += len(piece)
            if have > size:
                _forget(file)
                raise failures.too_long(target.name, target.address, f"more than {size:,} bytes came")
            file.write(piece)
            task.advance(len(piece))
    file.flush()
    if have < size:
        raise TransferError(f"the connection broke off after {have:,} of {size:,} bytes")


def _forget(file: BinaryIO) -> None:
    with contextlib.suppress(OSError):
        Path(file.name).unlink()


def _with_hint(why: str, file: BinaryIO) -> str:
    have = file.tell()
    return f"{why} ({have:,} bytes are kept; the next try goes on from there)" if have else why


def _make_sure_of_room(partial: Path, needed: int) -> None:
    free = shutil.disk_usage(partial.parent).free
    if free < needed:
        raise ToolError(
            f"there is no room for {partial.stem}",
            why=f"It needs {needed / 2**20:,.0f} MiB more; {partial.parent} has {free / 2**20:,.0f} MiB.",
            todo="Make room (`brqos clean` frees the cache), or put the cache elsewhere with BRQOS_CACHE_DIR.",
        )


def target_of(name: str, file: TargetFile, location: Location, *, with_hash_in_name: bool) -> Target:
    """The target, with its SHA-256; raises UpstreamError if the metadata tells none."""
    sha256 = file.hashes.get("sha256", "")
    # It becomes the name of a folder.
    if not _SHA256.fullmatch(sha256):
        raise UpstreamError(
            f"the repository's metadata tells no SHA-256 of {name}",
            why=f"It tells {', '.join(sorted(file.hashes))}; a SHA-256 has 64 hexadecimal digits.",
            todo="Ask whoever keeps the repository.",
        )
    return Target(name, file, sha256, location, with_hash_in_name)
