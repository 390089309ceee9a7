"""The SHA-256 of an image: of its uncompressed bytes, which is its identity, and of the file as it lies there."""

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import lz4.frame

from brqos.errors import ConfigurationError
from brqos.image.model import Image, ImageRole
from brqos.monitor import Monitor, Task

_LZ4_MAGIC = bytes.fromhex("04224d18")
_OTHER_FORMATS = {
    b"\x1f\x8b": "gzip",
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bzip2",
    b"QFI\xfb": "qcow2",
    b"KDMV": "VMDK",
    b"PK\x03\x04": "zip",
}
_READ = 1 << 20
# Zeros compress 255 times: what one read unpacks to has to be bounded as well.
_WRITE = 4 << 20


def hash_image(role: ImageRole, file: Path, monitor: Monitor) -> Image:
    """Read an image once, `.img` or `.img.lz4`, and tell both its hashes and sizes; needs a few MiB of memory.

    What the file is, is told by its first bytes; an `.lz4` may hold several frames after each other (as `cat` and
    `lz4 -m` make them). Raises ConfigurationError for a file that is not there, empty, truncated, or of another format.
    """
    try:
        size = file.stat().st_size
        with file.open("rb") as stream, monitor.task(f"Hashing {file.name}", total=size or None, unit="B") as task:
            source = _Counted(stream, task)
            content, content_bytes = hashlib.sha256(), 0
            for block in _unpacked(source, file):
                content.update(block)
                content_bytes += len(block)
    except OSError as error:
        raise ConfigurationError(
            f"the image {file} cannot be read", why=error.strerror or str(error), todo="Check the path."
        ) from error
    if not content_bytes:
        raise _wrong(file, "it is empty")
    return Image(
        role=role,
        file=file,
        sha256=content.hexdigest(),
        bytes=content_bytes,
        file_sha256=source.sha256,
        file_bytes=source.total,
    )


def file_digest(file: Path, monitor: Monitor) -> str:
    """The SHA-256 of a file as it lies there, packed or not; raises ConfigurationError if it cannot be read."""
    try:
        with file.open("rb") as stream, monitor.task(f"Hashing {file.name}", file.stat().st_size, "B") as task:
            source = _Counted(stream, task)
            while source.read():
                pass
    except OSError as error:
        raise ConfigurationError(
            f"the image {file} cannot be read", why=error.strerror or str(error), todo="Check the path."
        ) from error
    return source.sha256


class _Counted:
    """A file being read, whose every byte is hashed and counted."""

    def __init__(self, stream: BinaryIO, task: Task) -> None:
        self._stream = stream
        self._task = task
        self._hash = hashlib.sha256()
        self.total = 0

    def read(self) -> bytes:
        data = self._stream.read(_READ)
        self._hash.update(data)
        self.total += len(data)
        self._task.advance(len(data))
        return data

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


def _unpacked(source: _Counted, file: Path) -> Iterator[bytes]:
    """The uncompressed bytes, block by block; raises ConfigurationError for what is not a whole image."""
    first = source.read()
    if first.startswith(_LZ4_MAGIC):
        yield from _frames(first, source, file)
        return
    for magic, name in _OTHER_FORMATS.items():
        if first.startswith(magic):
            raise _wrong(file, f"its first bytes are those of {name}")
    if first and file.suffix == ".lz4":
        raise _wrong(file, "its name ends in .lz4, its first bytes are not those of an lz4 frame")
    while first:
        yield first
        first = source.read()


def _frames(data: bytes, source: _Counted, file: Path) -> Iterator[bytes]:
    while data:
        frame = lz4.frame.LZ4FrameDecompressor()
        try:
            while not frame.eof:
                if block := frame.decompress(data, max_length=_WRITE):
                    yield block
                data = b""
                if frame.needs_input and not frame.eof:
                    data = source.read()
                    if not data:
                        raise _wrong(file, "it ends in the middle of an lz4 frame: it is truncated")
        except RuntimeError as error:
            # lz4's binding has no class of its own for a damaged frame.
            raise _wrong(file, f"the lz4 data is damaged ({error})") from error
        data = (frame.unused_data or b"") or source.read()
        if data and not _begins_frame(data := _at_least(data, len(_LZ4_MAGIC), source)):
            raise _wrong(file, "something that is not lz4 follows the last frame")


def _begins_frame(data: bytes) -> bool:
    return data.startswith(_LZ4_MAGIC)


def _at_least(data: bytes, count: int, source: _Counted) -> bytes:
    buffer = io.BytesIO(data)
    buffer.seek(0, io.SEEK_END)
    while buffer.tell() < count and (more := source.read()):
        buffer.write(more)
    return buffer.getvalue()


def _wrong(file: Path, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"{file} is not an image that can be used",
        why=f"{why[0].upper()}{why[1:]}.",
        todo="Give a raw disk image (.img) or one packed with lz4 (.img.lz4), as upstream's build leaves them.",
    )
