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
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import lz4.frame

from brqos.errors import ConfigurationError
from brqos.image.repack.gpt import Partition
from brqos.monitor import Monitor

_CHUNK = 4 * 2**20
_READ = 2**20
_BLANK = bytes(_CHUNK)
_LZ4 = ".lz4"


@dataclass(frozen=True, slots=True)
class WorkingCopy:
    """A raw image that may be changed, and the SHA-256 and size of the uncompressed input that it began as."""

    path: Path
    sha256: str
    bytes: int


@contextlib.contextmanager
def folder_beside(beside: Path) -> Iterator[Path]:
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
    # One chunk is hashed and written while the next one is unpacked: all of it lets other threads run.
    with (
        ThreadPoolExecutor(2, thread_name_prefix="unpack") as threads,
        open(target, "xb", opener=_private) as written,
        image.open("rb") as raw,
        monitor.task(f"Unpacking {image.name}", image.stat().st_size, "B") as task,
    ):
        before = 0
        pending: list[Future[None]] = []
        for chunk in _unpacked(raw, image):
            for future in pending:
                future.result()
            pending = [threads.submit(digest.update, chunk), threads.submit(_write_sparse, written, chunk)]
            size += len(chunk)
            position = raw.tell()
            task.advance(position - before)
            before = position
        for future in pending:
            future.result()
        written.truncate(size)
    return WorkingCopy(target, digest.hexdigest(), size)


def read_partition(image: Path, partition: Partition, size: int | None = None) -> bytes:
    """The bytes of a partition, or the first `size` of them."""
    with image.open("rb") as disk:
        disk.seek(partition.start)
        return disk.read(partition.size if size is None else size)


def extract(image: Path, partition: Partition, target: Path) -> None:
    """Copy a partition into a file of its own, mode 0600; holes stay holes."""
    with image.open("rb") as disk, open(target, "xb", opener=_private) as written:
        written.truncate(partition.size)
        for start, end in _data(disk.fileno(), partition.start, partition.end):
            _copy_range(disk, start, written, start - partition.start, end - start)


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


def _unpacked(raw: BinaryIO, image: Path) -> Iterator[bytes]:
    """The uncompressed bytes of a file, chunk by chunk; raises ConfigurationError for what is damaged."""
    if image.suffix != _LZ4:
        while chunk := raw.read(_CHUNK):
            yield chunk
        return
    try:
        yield from _frames(raw)
    except (RuntimeError, EOFError) as error:
        raise ConfigurationError(
            f"{image} cannot be unpacked", why=str(error), todo="The file is cut off or damaged: fetch it again."
        ) from None


def _frames(raw: BinaryIO) -> Iterator[bytes]:
    """Frames may follow one another. lz4.frame.open would copy everything once more, and take twice the time."""
    data = raw.read(_READ)
    while data:
        frame = lz4.frame.LZ4FrameDecompressor()
        while not frame.eof:
            if chunk := frame.decompress(data, max_length=_CHUNK):
                yield chunk
            data = b""
            if frame.needs_input and not frame.eof and not (data := raw.read(_READ)):
                raise EOFError("it ends in the middle of a frame")
        data = frame.unused_data or raw.read(_READ)


def _write_sparse(target: BinaryIO, chunk: bytes) -> None:
    if chunk == _BLANK[: len(chunk)]:
        target.seek(len(chunk), os.SEEK_CUR)
    else:
        target.write(chunk)


def _data(descriptor: int, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The parts of a range that are no holes."""
    while start < end:
        try:
            begin = os.lseek(descriptor, start, os.SEEK_DATA)
        except OSError:
            # ENXIO: a hole up to the end of the file.
            return
        start = min(os.lseek(descriptor, begin, os.SEEK_HOLE), end)
        if begin < start:
            yield begin, start


def _copy_range(source: BinaryIO, start: int, target: BinaryIO, at: int, size: int) -> None:
    """Copy bytes from one file to another."""
    target.flush()
    while size > 0:
        part = os.pread(source.fileno(), min(size, _READ), start)
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
