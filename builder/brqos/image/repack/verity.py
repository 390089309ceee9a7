"""dm-verity: the tree of hashes over the root file system, whose root hash the kernel is started with.

Linux, Documentation/admin-guide/device-mapper/verity.rst, and cryptsetup's on-disk format (lib/verity/verity.c,
version 1): a superblock in the first block, then the levels of the tree, the topmost first. Each block's digest is
SHA-256 of the salt and the block; a level's digests fill blocks of their own, padded with zeros. Blocks of zeros have
no special digest here (`ignore_zero_blocks` is the kernel's matter).
"""

import hashlib
import os
import struct
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import BinaryIO

from brqos.errors import ConfigurationError

BLOCK = 4096
DIGEST = 32
SALT = 32
_PER_BLOCK = BLOCK // DIGEST
_MAGIC = b"verity\0\0"
_SUPERBLOCK = struct.Struct("<8sII16s32sIIQH6s256s168s")
_VERSION, _HASH_TYPE = 1, 1
# Digests of this many blocks are made by one thread at a time: 8 MiB, so that starting them costs nothing.
_BLOCKS_AT_ONCE = 2048


@dataclass(frozen=True, slots=True)
class VerityParameters:
    """What the kernel command line says: blocks of data, the salt, and the root hash."""

    data_blocks: int
    salt: bytes
    root_hash: bytes

    @property
    def data_bytes(self) -> int:
        """The bytes of the file system that are covered."""
        return self.data_blocks * BLOCK


@dataclass(frozen=True, slots=True)
class HashTree:
    """A whole hash device: superblock and levels as they are written, and the root hash that follows from them."""

    content: bytes
    root_hash: bytes


class VerityError(ConfigurationError):
    """Data and tree do not belong together."""


def build_tree(data: BinaryIO, offset: int, parameters: VerityParameters, *, device_uuid: bytes) -> HashTree:
    """The tree over `data_blocks` blocks from `offset` on; the root hash of the parameters is not looked at.

    `device_uuid` are the 16 bytes of the superblock's UUID, which nothing depends on.
    """
    level = _hash_file(data.fileno(), offset, parameters.data_blocks, parameters.salt)
    levels: list[bytes] = []
    while len(level) > DIGEST:
        levels.append(_padded(level))
        level = _hash_bytes(levels[-1], parameters.salt)
    return HashTree(superblock(parameters, device_uuid) + b"".join(reversed(levels)), level)


def superblock(parameters: VerityParameters, device_uuid: bytes) -> bytes:
    """The first block of the hash device."""
    packed = _SUPERBLOCK.pack(
        _MAGIC,
        _VERSION,
        _HASH_TYPE,
        device_uuid,
        b"sha256",
        BLOCK,
        BLOCK,
        parameters.data_blocks,
        len(parameters.salt),
        b"",
        parameters.salt,
        b"",
    )
    return packed.ljust(BLOCK, b"\0")


def read_superblock(block: bytes) -> tuple[VerityParameters, bytes]:
    """The parameters (with an empty root hash, which no superblock has) and the UUID; raises VerityError."""
    if len(block) < _SUPERBLOCK.size:
        raise _not_a_tree("it is too short")
    magic, version, hash_type, device_uuid, algorithm, data_size, hash_size, blocks, salt_size, _, salt, _ = (
        _SUPERBLOCK.unpack_from(block)
    )
    if magic != _MAGIC:
        raise _not_a_tree("it does not begin with “verity”")
    if (version, hash_type, algorithm.rstrip(b"\0"), data_size, hash_size) != (1, 1, b"sha256", BLOCK, BLOCK):
        raise _not_a_tree("it is not of format 1 with SHA-256 and blocks of 4096 bytes")
    if salt_size > len(salt):
        raise _not_a_tree("its salt is malformed")
    return VerityParameters(blocks, salt[:salt_size], b""), device_uuid


def verify(data: BinaryIO, offset: int, tree: bytes, parameters: VerityParameters, *, what: str = "the image") -> None:
    """Hold data and tree against the root hash; raises VerityError with the first block that differs.

    `tree` is what the hash partition holds, from its superblock on; it may be longer than the tree is.
    """
    told, device_uuid = read_superblock(tree[:BLOCK])
    if (told.data_blocks, told.salt) != (parameters.data_blocks, parameters.salt):
        raise VerityError(
            f"the hash tree of {what} is not the one that its boot configuration names",
            why=f"{_told(told)} in the superblock, {_told(parameters)} in grub.cfg.",
            todo="Fetch the image again.",
        )
    made = build_tree(data, offset, parameters, device_uuid=device_uuid)
    if made.root_hash != parameters.root_hash:
        raise VerityError(
            f"the root file system of {what} is not what its root hash stands for",
            why=_first_difference(made.content, tree, parameters),
            todo="The image is damaged or was changed by hand: fetch it again.",
        )
    if tree[: len(made.content)] != made.content:
        raise VerityError(
            f"the hash tree of {what} is damaged",
            why=_first_difference(made.content, tree, parameters),
            todo="Fetch the image again.",
        )


def _told(parameters: VerityParameters) -> str:
    return f"{parameters.data_blocks} blocks with the salt {parameters.salt.hex()[:16]}…"


def _first_difference(made: bytes, found: bytes, parameters: VerityParameters) -> str:
    """In words, the lowest block whose digest is another one: the leaves come last."""
    leaves = -(-parameters.data_blocks // _PER_BLOCK) * BLOCK
    start = len(made) - leaves
    for index in range(parameters.data_blocks):
        at = start + index * DIGEST
        if made[at : at + DIGEST] != found[at : at + DIGEST]:
            return (
                f"Block {index} of {parameters.data_blocks} (byte {index * BLOCK} of the partition) has another digest."
            )
    if made == found[: len(made)]:
        return "Data and tree go together, but their root hash is another one."
    return "The upper levels of the tree differ."


def _hash_file(descriptor: int, offset: int, blocks: int, salt: bytes) -> bytes:
    """The digests of blocks of a file, one after the other; hashlib lets other threads run meanwhile."""

    def digests(first: int) -> bytes:
        count = min(_BLOCKS_AT_ONCE, blocks - first)
        content = _read(descriptor, count * BLOCK, offset + first * BLOCK)
        if len(content) != count * BLOCK:
            raise VerityError(
                "the root file system is shorter than its hash tree says",
                why=f"{blocks} blocks are covered, and the data ends within.",
                todo="The image is cut off: fetch it again.",
            )
        return _hash_bytes(content, salt)

    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1, thread_name_prefix="verity") as threads:
        return b"".join(threads.map(digests, range(0, blocks, _BLOCKS_AT_ONCE)))


def _read(descriptor: int, size: int, offset: int) -> bytes:
    """That many bytes, or fewer at the end of the file."""
    parts: list[bytes] = []
    while size > 0 and (part := os.pread(descriptor, size, offset)):
        parts.append(part)
        size -= len(part)
        offset += len(part)
    return b"".join(parts)


def _hash_bytes(content: bytes, salt: bytes) -> bytes:
    copy: Callable[[], hashlib._Hash] = hashlib.sha256(salt).copy
    view = memoryview(content)
    digests = bytearray()
    for at in range(0, len(content), BLOCK):
        one = copy()
        one.update(view[at : at + BLOCK])
        digests += one.digest()
    return bytes(digests)


def _padded(level: bytes) -> bytes:
    return level.ljust(-(-len(level) // BLOCK) * BLOCK, b"\0")


def _not_a_tree(why: str) -> VerityError:
    return VerityError(
        "the hash partition of the image holds no dm-verity tree that is known here",
        why=f"{why[0].upper()}{why[1:]}.",
        todo="Give an OS image of Bottlerocket's.",
    )
