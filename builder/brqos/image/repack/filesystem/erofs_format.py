"""EROFS as it lies on the disk: names, modes, labels and uncompressed data, read without any tool.

Linux, fs/erofs/erofs_fs.h and Documentation/filesystems/erofs.rst (6.12). All metadata (superblock, inodes, extended
attributes, folders) is uncompressed; how compressed data lies is fsck.erofs's matter. Numbers are little endian.
"""

import itertools
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from brqos.errors import ConfigurationError
from brqos.image.repack.filesystem.model import BLOCK, CorruptError

MAGIC = 0xE0F5E1E2
SUPERBLOCK_AT = 1024
_SUPERBLOCK = struct.Struct("<IIIBBHQQIIII16s16sIHHHBBIQB23s")
_COMPACT = struct.Struct("<HHHHIIIIHHI")
_EXTENDED = struct.Struct("<HHHHQIIIIQII16s")
_DIRENT = struct.Struct("<QHBB")
_SLOT = 32
CHECKSUM, _MTIME, _XATTR_FILTER = 0x1, 0x2, 0x4
# 0padding, compression configurations or big clusters, chunks, devices or a second head, tail packing, fragments,
# prefixes of attributes. Newer ones (48-bit addresses, metabox) put inodes elsewhere or give them other fields.
_KNOWN = 0x7F
_PREFIXES = {1: "user.", 2: "system.posix_acl_access", 3: "system.posix_acl_default", 4: "trusted.", 6: "security."}
PLAIN, _FULL, INLINE, _COMPACTED, _CHUNKS = range(5)
# erofs_fs.h, EROFS_FT_*: the kind in a folder's entry.
TYPE_FILE, TYPE_FOLDER = 1, 2


@dataclass(frozen=True, slots=True)
class Superblock:
    """What matters here; `raw` is the rest of its block, `build_time` is in seconds."""

    raw: bytes
    root: int
    inodes: int
    build_time: int
    build_time_nanoseconds: int
    blocks: int
    meta_block: int
    xattr_block: int
    compatible: int

    @property
    def size(self) -> int:
        """Bytes of the image."""
        return self.blocks * BLOCK


@dataclass(frozen=True, slots=True)
class Inode:
    """`at` is its byte in the image, `header` the bytes of its fixed part, `attributes_size` those of what follows.

    `mode` is the whole st_mode; `data` is the field i_u (a block number for plain data).
    """

    number: int
    at: int
    header: int
    attributes_size: int
    extended: bool
    layout: int
    mode: int
    links: int
    uid: int
    gid: int
    size: int
    data: int

    @property
    def is_flat(self) -> bool:
        """Whether its data lies there uncompressed, in one piece (but for its tail)."""
        return self.layout in {PLAIN, INLINE}


@dataclass(frozen=True, slots=True)
class Dirent:
    """An entry of a folder; `number` is the inode's, `type` one of EROFS_FT_*."""

    name: bytes
    number: int
    type: int


class ErofsReader:
    """An EROFS image within a file, from byte `start` on; `limit` bytes are there for it at most."""

    def __init__(self, file: BinaryIO, start: int, limit: int) -> None:
        self._file = file
        self._start = start
        self.superblock = _superblock(self.bytes_at(SUPERBLOCK_AT, BLOCK - SUPERBLOCK_AT), limit)

    def bytes_at(self, at: int, size: int) -> bytes:
        """So many bytes of the image; raises ConfigurationError where it ends before."""
        self._file.seek(self._start + at)
        found = self._file.read(size)
        if len(found) != size:
            raise CorruptError("it is cut off")
        return found

    def inode(self, number: int) -> Inode:
        """The inode of that number (nid)."""
        at = self.superblock.meta_block * BLOCK + number * _SLOT
        self._check_within(at, _COMPACT.size)
        (form,) = struct.unpack("<H", self.bytes_at(at, 2))
        if form & ~0xF or form >> 1 > _CHUNKS:
            raise CorruptError(f"inode {number} is of an unknown form ({form:#x})")
        if form & 1:
            _, count, mode, _, size, data, _, uid, gid, _, _, links, _ = _EXTENDED.unpack(self.bytes_at(at, 64))
        else:
            _, count, mode, links, size, _, data, _, uid, gid, _ = _COMPACT.unpack(self.bytes_at(at, 32))
        return Inode(
            number=number,
            at=at,
            header=64 if form & 1 else 32,
            attributes_size=12 + 4 * (count - 1) if count else 0,
            extended=bool(form & 1),
            layout=form >> 1,
            mode=mode,
            links=links,
            uid=uid,
            gid=gid,
            size=size,
            data=data,
        )

    def data(self, inode: Inode) -> bytes:
        """The data of an inode that is flat."""
        if not inode.is_flat:
            raise ValueError("compressed")
        if inode.size == 0:
            return b""
        self._check_within(0, inode.size)
        whole = -(-inode.size // BLOCK) - (inode.layout == INLINE)
        self._check_within(inode.data * BLOCK if whole else 0, min(whole * BLOCK, inode.size))
        head = self.bytes_at(inode.data * BLOCK, min(whole * BLOCK, inode.size)) if whole else b""
        return head + self.bytes_at(inode.at + inode.header + inode.attributes_size, inode.size - len(head))

    def attributes(self, inode: Inode) -> dict[str, bytes]:
        """All extended attributes: name -> value."""
        if inode.attributes_size == 0:
            return {}
        raw = self.bytes_at(inode.at + inode.header, inode.attributes_size)
        shared = raw[4]
        if 12 + 4 * shared > len(raw):
            raise CorruptError("an extended attribute in it is malformed")
        found: dict[str, bytes] = {}
        for index in range(shared):
            (identity,) = struct.unpack_from("<I", raw, 12 + 4 * index)
            at = self.superblock.xattr_block * BLOCK + 4 * identity
            name, value, _ = _attribute(self._up_to(at, 4 + 255 + 65535))
            found[name] = value
        position = 12 + 4 * shared
        while position + 4 <= len(raw) and raw[position : position + 4] != bytes(4):
            name, value, used = _attribute(raw[position:])
            found[name] = value
            position += used
        return found

    def folder(self, inode: Inode) -> tuple[Dirent, ...]:
        """All entries of a folder, `.` and `..` among them, in their order, which is that of their names.

        Raises ConfigurationError for names that no file has: tools that unpack them would write in other places.
        """
        if not inode.is_flat:
            raise CorruptError("a folder in it is compressed")
        data = self.data(inode)
        entries = tuple(entry for at in range(0, len(data), BLOCK) for entry in _dirents(data[at : at + BLOCK]))
        if any(not entry.name or b"/" in entry.name for entry in entries):
            raise CorruptError("a name in it has a slash, or is none")
        if any(before.name >= after.name for before, after in itertools.pairwise(entries)):
            raise CorruptError("a folder in it is not sorted, or has a name twice")
        return entries

    def find(self, path: str) -> Inode | None:
        """The inode under an absolute path; links are not followed."""
        inode = self.inode(self.superblock.root)
        for part in path.encode(errors="surrogateescape").split(b"/"):
            if not part:
                continue
            if inode.mode & 0o170000 != 0o040000:
                return None
            found = next((entry for entry in self.folder(inode) if entry.name == part), None)
            if found is None:
                return None
            inode = self.inode(found.number)
        return inode

    def _up_to(self, at: int, size: int) -> bytes:
        self._check_within(at, 4)
        return self.bytes_at(at, min(size, self.superblock.size - at))

    def _check_within(self, at: int, size: int) -> None:
        if at + size > self.superblock.size:
            raise CorruptError("something in it points behind its end")


def is_erofs(raw: bytes) -> bool:
    """Whether the first bytes of a partition are EROFS's."""
    return len(raw) >= SUPERBLOCK_AT + 4 and struct.unpack_from("<I", raw, SUPERBLOCK_AT) == (MAGIC,)


def crc32c(data: bytes) -> int:
    """CRC-32C as the kernel's crc32c(~0, ...): without the inversion at the end."""
    value = 0xFFFFFFFF
    for byte in data:
        value = _TABLE[(value ^ byte) & 0xFF] ^ (value >> 8)
    return value


def _crc_table() -> Iterator[int]:
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        yield value


_TABLE = tuple(_crc_table())


def _superblock(raw: bytes, limit: int) -> Superblock:
    (
        magic, checksum, compatible, shift, slots, root, inodes, time, nanoseconds, blocks, meta, xattrs, _, _,
        incompatible, _, devices, _, folder_shift, *_,
    ) = _SUPERBLOCK.unpack_from(raw)  # fmt: skip
    if magic != MAGIC:
        raise CorruptError("it has no superblock of EROFS")
    if incompatible & ~_KNOWN or devices or slots or folder_shift or 1 << shift != BLOCK:
        raise ConfigurationError(
            "the EROFS file system of the image has features that are not known here",
            why=f"Features {incompatible:#x}, {devices} devices, blocks of 2^{shift} bytes.",
            todo="Use a newer brqos, or build the image from source (--engine source).",
        )
    if compatible & CHECKSUM and crc32c(raw[:4] + bytes(4) + raw[8:]) != checksum:
        raise CorruptError("the checksum of its superblock is wrong")
    if blocks * BLOCK > limit:
        raise CorruptError(f"it has {blocks * BLOCK} bytes, and its partition {limit}: it is cut off")
    return Superblock(raw, root, inodes, time, nanoseconds, blocks, meta, xattrs, compatible)


def _attribute(raw: bytes) -> tuple[str, bytes, int]:
    """Name, value, and how many bytes it takes."""
    name_size, index, value_size = struct.unpack_from("<BBH", raw)
    end = 4 + name_size + value_size
    if end > len(raw):
        raise CorruptError("an extended attribute in it is malformed")
    name = raw[4 : 4 + name_size].decode(errors="surrogateescape")
    return _PREFIXES.get(index, f"({index})") + name, raw[4 + name_size : end], -(-end // 4) * 4


def _dirents(block: bytes) -> Iterator[Dirent]:
    if len(block) < _DIRENT.size:
        raise CorruptError("a folder in it is malformed")
    (first,) = struct.unpack_from("<H", block, 8)
    if first % _DIRENT.size or not 0 < first <= len(block):
        raise CorruptError("a folder in it is malformed")
    heads = [_DIRENT.unpack_from(block, at) for at in range(0, first, _DIRENT.size)]
    ends = [offset for _, offset, _, _ in heads[1:]] + [len(block)]
    for (number, offset, kind, _), end in zip(heads, ends, strict=True):
        if not first <= offset < end <= len(block):
            raise CorruptError("a folder in it is malformed")
        yield Dirent(block[offset:end].partition(b"\0")[0], number, kind)
