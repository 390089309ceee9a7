"""What an EROFS image says of certain files, before and after it was changed, so that nothing else can have changed.

What is new lies behind the old end (filesystem/erofs.py). In what was there before, nothing may be another one but
numbers in the superblock, and the heads of the inodes of the files and folders that were planned. So these bytes are
kept; put back into a block that changed, they have to give the block that the old hash tree has the digest of. That
takes in compressed data and whatever else is not understood here.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from brqos.image.repack.filesystem.erofs_format import SUPERBLOCK_AT, ErofsReader
from brqos.image.repack.filesystem.model import BLOCK
from brqos.image.repack.gpt import Partition
from brqos.image.repack.verity import DIGEST

_SUPERBLOCK = 128
# Fields of the superblock that follow from what was added: checksum, number of inodes, number of blocks (erofs_fs.h).
_FOLLOWING = ((4, 8), (16, 24), (36, 40))


@dataclass(frozen=True, slots=True)
class ErofsState:
    """`numbers` are the inodes of the paths that were asked for, `folders` the names in folders, each with its inode.

    `heads` are the fixed parts of these inodes, by the byte of the image where they lie.
    """

    numbers: Mapping[str, int]
    folders: Mapping[str, Mapping[str, int]]
    superblock: bytes = field(repr=False)
    heads: Mapping[int, bytes] = field(repr=False)


def take(image: Path, partition: Partition, paths: Sequence[str], folders: Sequence[str]) -> ErofsState:
    """Read what is there now; paths and folders that are not there are left out."""
    with image.open("rb") as disk:
        reader = ErofsReader(disk, partition.start, partition.size)
        inodes = {path: inode for path in (*paths, *folders) if (inode := reader.find(path)) is not None}
        return ErofsState(
            numbers={path: inode.number for path, inode in inodes.items()},
            folders={
                folder: {
                    entry.name.decode(errors="surrogateescape"): entry.number for entry in reader.folder(inodes[folder])
                }
                for folder in folders
                if folder in inodes
            },
            superblock=reader.bytes_at(SUPERBLOCK_AT, _SUPERBLOCK),
            heads={inode.at: reader.bytes_at(inode.at, inode.header) for inode in inodes.values()},
        )


def unplanned(
    before: ErofsState,
    image: Path,
    partition: Partition,
    after: ErofsState,
    changed: Sequence[int],
    leaves: bytes,
    salt: bytes,
) -> str:
    """What changed besides the paths of the state, in words; empty where nothing did.

    `changed` are blocks that were covered by the old hash tree, whose lowest level `leaves` is.
    """
    if _blanked(before.superblock) != _blanked(after.superblock):
        return "Other numbers of its superblock changed."
    kept = {SUPERBLOCK_AT: before.superblock, **before.heads}
    with image.open("rb") as disk:
        for number in changed:
            disk.seek(partition.start + number * BLOCK)
            block = _put_back(disk.read(BLOCK), number * BLOCK, kept)
            if hashlib.sha256(salt + block).digest() != leaves[number * DIGEST : (number + 1) * DIGEST]:
                return f"In block {number} more changed than the heads of the planned files and folders."
    return ""


def _put_back(block: bytes, at: int, kept: Mapping[int, bytes]) -> bytes:
    """The block at that byte of the image with what is kept of it."""
    result = bytearray(block)
    for place, content in kept.items():
        begin, end = max(place, at), min(place + len(content), at + BLOCK)
        if begin < end:
            result[begin - at : end - at] = content[begin - place : end - place]
    return bytes(result)


def _blanked(superblock: bytes) -> bytes:
    result = bytearray(superblock)
    for begin, end in _FOLLOWING:
        result[begin:end] = bytes(end - begin)
    return bytes(result)
