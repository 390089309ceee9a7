"""An image as a stream of blocks: unpacked on the way, padded at its end, checked as a whole."""

import hashlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import BinaryIO, cast

import lz4.frame

from brqos.ami.layout import BLOCK
from brqos.errors import ConfigurationError
from brqos.image.model import Image

_LZ4_MAGIC = bytes.fromhex("04224d18")
_ZEROS = bytes(BLOCK)


def is_zero(block: bytes) -> bool:
    """Whether a block holds nothing but zeros."""
    return block == _ZEROS


def blocks_of(image: Image) -> Iterator[bytes]:
    """The image's uncompressed bytes in blocks of exactly 512 KiB, the last one padded with zeros.

    At the end the whole is held against the image's record: ConfigurationError if its size or its SHA-256 is another
    one by now, so whoever uses the blocks has to come to the end before anything counts.
    """
    content, size = hashlib.sha256(), 0
    try:
        with closing(_opened(image.file)) as stream:
            while data := _read_block(stream):
                content.update(data)
                size += len(data)
                if size > image.bytes:
                    break
                yield data if len(data) == BLOCK else data.ljust(BLOCK, b"\0")
    except (OSError, EOFError, RuntimeError) as error:
        # lz4's binding raises EOFError for a truncated frame, RuntimeError for a damaged one.
        raise changed(image, f"It cannot be read: {error}") from error
    if size != image.bytes or content.hexdigest() != image.sha256:
        raise changed(image, f"Its SHA-256 was {image.sha256} with {image.bytes} bytes.")


def changed(image: Image, why: str) -> ConfigurationError:
    """The error for an image that is another one than it was."""
    return ConfigurationError(
        f"the image {image.file} is not the one that was recorded",
        why=why,
        todo="Build again, or give the image as it was; nothing was made of the changed one.",
    )


def _opened(file: Path) -> BinaryIO:
    with file.open("rb") as stream:
        packed = stream.read(len(_LZ4_MAGIC)) == _LZ4_MAGIC
    # A buffer would only be one more copy of what is read in whole blocks.
    return cast("BinaryIO", lz4.frame.open(file, "rb") if packed else file.open("rb", buffering=0))


def _read_block(stream: BinaryIO) -> bytes:
    # A read may give less than was asked for at the border of two lz4 frames.
    data = stream.read(BLOCK)
    while data and len(data) < BLOCK and (more := stream.read(BLOCK - len(data))):
        data += more
    return data
