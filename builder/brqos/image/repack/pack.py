"""A raw image as `.img.lz4`, in frames that are packed side by side.

The LZ4 frame format (lz4, doc/lz4_Frame_format.md) lets frames follow one another, and every reader takes them for one
file: `lz4 -d` as well as the uploader. Each frame has its content's size and checksums, and stands for a part of the
image, so as many threads as there are processors can make them.
"""

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import lz4.frame

from brqos.monitor import Monitor

FRAME_BYTES = 16 * 2**20
FASTEST_LEVEL = 1


@dataclass(frozen=True, slots=True)
class Packed:
    """A packed file: SHA-256 and size of the image in it (`sha256`, `bytes`), and of the file itself."""

    sha256: str
    bytes: int
    file_sha256: str
    file_bytes: int


def pack(raw: Path, target: Path, monitor: Monitor, *, level: int = FASTEST_LEVEL) -> Packed:
    """Pack an image into a new file of mode 0600, which is on the disk when this returns.

    `level` is lz4's: 1 is fast, 9 is upstream's and six times slower.
    """
    content, written = hashlib.sha256(), hashlib.sha256()
    size, packed_size = raw.stat().st_size, 0
    with (
        raw.open("rb") as source,
        open(target, "xb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file,
        monitor.task(f"Packing {target.name}", size, "B") as task,
        # The parts are hashed in their order while others are packed: hashing alone takes a third of the time.
        ThreadPoolExecutor(1, thread_name_prefix="sha256") as hasher,
    ):
        for part, frame in _frames(source, level, lambda part: hasher.submit(content.update, part)):
            written.update(frame)
            file.write(frame)
            packed_size += len(frame)
            task.advance(part)
        file.flush()
        os.fsync(file.fileno())
    return Packed(content.hexdigest(), size, written.hexdigest(), packed_size)


def unpacked(raw: Path, monitor: Monitor) -> Packed:
    """What would be told of the image if it were left as it is; its bytes are on the disk when this returns."""
    digest, size = hashlib.sha256(), raw.stat().st_size
    with raw.open("rb") as source, monitor.task(f"Hashing {raw.name}", size, "B") as task:
        while part := source.read(FRAME_BYTES):
            digest.update(part)
            task.advance(len(part))
        os.fsync(source.fileno())
    return Packed(digest.hexdigest(), size, digest.hexdigest(), size)


def _frames(source: BinaryIO, level: int, hashed: Callable[[bytes], Future[None]]) -> Iterator[tuple[int, bytes]]:
    """The bytes of each part of the image and its frame, in their order.

    No more parts are held than the threads need. Most of an image is blank: such parts are packed once.
    """
    workers = os.cpu_count() or 1
    blank = bytes(FRAME_BYTES)
    blank_frame: Future[bytes] | None = None
    waiting: deque[tuple[int, Future[None], Future[bytes]]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="lz4") as threads:
        while part := source.read(FRAME_BYTES):
            if part == blank:
                part, frame = blank, blank_frame or threads.submit(_frame, blank, level)
                blank_frame = frame
            else:
                frame = threads.submit(_frame, part, level)
            waiting.append((len(part), hashed(part), frame))
            if len(waiting) > workers:
                yield _done(waiting.popleft())
        while waiting:
            yield _done(waiting.popleft())


def _done(part: tuple[int, Future[None], Future[bytes]]) -> tuple[int, bytes]:
    size, hashing, frame = part
    hashing.result()
    return size, frame.result()


def _frame(part: bytes, level: int) -> bytes:
    frame: bytes = lz4.frame.compress(
        part,
        compression_level=level,
        block_size=lz4.frame.BLOCKSIZE_MAX4MB,
        content_checksum=True,
        store_size=True,
    )
    return frame
