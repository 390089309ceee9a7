"""The working copy of an image: a raw, sparse file of our own, which the input never is.

It lies in a private folder beside the output, so that the result can be moved to its place without being copied, and
the folder is gone whatever happens.
"""

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import lz4.frame

from brqos.errors import ConfigurationError
from brqos.image.repack.gpt import Partition
from brqos.monitor import Monitor

_CHUNK = 4 * 2**20
_LZ4 = ".lz4"


@dataclass(frozen=True, slots=True)
class WorkingCopy:
    """A raw image that may be changed, and the SHA-256 and size of the uncompressed input that it began as."""

    path: Path
    sha256: str
    bytes: int

    @property
    def folder(self) -> Path:
        """The private folder that it is in; other files of the work may lie there too."""
        return self.path.parent


@contextlib.contextmanager
def private_folder(beside: Path) -> Iterator[Path]:
    """A folder of mode 0700 in the folder of the output, removed at the end with all that is in it."""
    beside.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=".brqos-repack-", dir=beside))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def copy_image(image: Path, folder: Path, monitor: Monitor) -> WorkingCopy:
    """Unpack (or copy) an image into a folder, holes for zeros; raises ConfigurationError for what is no image."""
    check_is_file(image)
    target = folder / "os.img"
    digest = hashlib.sha256()
    size = 0
    # Hashing one chunk while the next one is unpacked: both let other threads run.
    with (
        ThreadPoolExecutor(1, thread_name_prefix="sha256") as hasher,
        open(target, "xb", opener=_private) as written,
        monitor.task(f"Unpacking {image.name}", image.stat().st_size, "B") as task,
        _opened(image) as (chunks, raw),
    ):
        before, pending = 0, None
        for chunk in chunks:
            if pending is not None:
                pending.result()
            pending = hasher.submit(digest.update, chunk)
            size += _write_sparse(written, chunk)
            position = raw.tell()
            task.advance(position - before)
            before = position
        if pending is not None:
            pending.result()
        written.truncate(size)
    return WorkingCopy(target, digest.hexdigest(), size)


def read_partition(image: Path, partition: Partition, size: int | None = None) -> bytes:
    """The bytes of a partition, or the first `size` of them."""
    with image.open("rb") as disk:
        disk.seek(partition.start)
        return disk.read(partition.size if size is None else size)


def extract(image: Path, partition: Partition, target: Path) -> None:
    """Copy a partition into a file of its own, mode 0600."""
    with image.open("rb") as disk, open(target, "xb", opener=_private) as written:
        _copy_range(disk, partition.start, written, 0, partition.size)
        written.truncate(partition.size)


def put_back(image: Path, partition: Partition, content: Path | bytes) -> None:
    """Write a partition anew, from a file or from bytes, and zeros up to its end.

    Raises ConfigurationError for content that does not fit.
    """
    size = len(content) if isinstance(content, bytes) else content.stat().st_size
    if size > partition.size:
        raise ConfigurationError(
            f"what belongs into the partition {partition.label} does not fit",
            why=f"It has {size} bytes, and the partition {partition.size}.",
            todo="Leave something out; the layout of the image cannot be changed.",
        )
    with image.open("r+b") as disk:
        if isinstance(content, bytes):
            disk.seek(partition.start)
            disk.write(content)
        else:
            with content.open("rb") as source:
                _copy_range(source, 0, disk, partition.start, size)
        _zero(disk, partition.start + size, partition.size - size)


def check_is_file(image: Path) -> None:
    """Refuse what is no file that can be read; raises ConfigurationError."""
    if not image.is_file():
        what = f"{image} is a folder, not an image" if image.is_dir() else f"there is no image {image}"
        raise ConfigurationError(what, todo="Correct --image.")
    if not os.access(image, os.R_OK):
        raise ConfigurationError(f"the image {image} cannot be read", todo="Make it readable for you.")


@contextlib.contextmanager
def _opened(image: Path) -> Iterator[tuple[Iterator[bytes], BinaryIO]]:
    with image.open("rb") as raw:
        if image.suffix == _LZ4:
            with lz4.frame.open(raw, "rb") as unpacked:
                yield _chunks(unpacked, image), raw
        else:
            yield _chunks(raw, image), raw


def _chunks(source: BinaryIO, image: Path) -> Iterator[bytes]:
    try:
        while chunk := source.read(_CHUNK):
            yield chunk
    except (RuntimeError, EOFError) as error:
        raise ConfigurationError(
            f"{image} cannot be unpacked", why=str(error), todo="The file is cut off or damaged: fetch it again."
        ) from None


def _write_sparse(target: BinaryIO, chunk: bytes) -> int:
    if chunk.count(0) == len(chunk):
        target.seek(len(chunk), os.SEEK_CUR)
    else:
        target.write(chunk)
    return len(chunk)


def _copy_range(source: BinaryIO, start: int, target: BinaryIO, at: int, size: int) -> None:
    """Copy bytes from one file to another."""
    target.flush()
    while size > 0:
        part = os.pread(source.fileno(), min(size, _CHUNK), start)
        if not part:
            raise EOFError(f"{size} bytes are missing")
        os.pwrite(target.fileno(), part, at)
        start, at, size = start + len(part), at + len(part), size - len(part)


def _zero(disk: BinaryIO, start: int, size: int) -> None:
    disk.seek(start)
    while size > 0:
        size -= disk.write(bytes(min(size, _CHUNK)))


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
