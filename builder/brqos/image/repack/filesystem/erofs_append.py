"""Files and folders put behind the end of an EROFS image, as pieces of bytes to be written. Pure."""

import stat
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from brqos.image.repack.filesystem.erofs_format import (
    CHECKSUM,
    PLAIN,
    SUPERBLOCK_AT,
    TYPE_FILE,
    TYPE_FOLDER,
    Dirent,
    ErofsReader,
    Inode,
    crc32c,
)
from brqos.image.repack.filesystem.model import BLOCK, FOLDER_MODE, OS_LABEL, CorruptError, FileChange

_DIRENT = struct.Struct("<QHBB")
_EXTENDED = struct.Struct("<HHHHQIIIIQII16s")
_SLOT = 32
# An inode of 64 bytes and its label, so that none crosses the end of a block.
_INODE_ROOM = 128
# Where fields lie that are changed: the superblock's, and those of an inode's two forms (erofs_fs.h).
_CHECKSUM_AT, _INODES_AT, _BLOCKS_AT = 4, 16, 36
_SIZE_AT, _DATA_AT, _COMPACT_LINKS_AT, _EXTENDED_LINKS_AT = 8, 16, 6, 44


@dataclass(frozen=True, slots=True)
class Appended:
    """What is to be written: (byte of the image, content), and the bytes that the image then has."""

    pieces: tuple[tuple[int, bytes], ...]
    size: int


@dataclass(slots=True)
class _Folder:
    """A folder that gets new names."""

    number: int
    links: int
    names: dict[bytes, Dirent]
    old: Inode | None


def append(reader: ErofsReader, changes: Sequence[FileChange], folders: Sequence[str]) -> Appended:
    """Add `folders` (parents first) and carry out `changes`; all parents are there or among the folders."""
    return _Appending(reader, changes, folders).result()


class _Appending:
    def __init__(self, reader: ErofsReader, changes: Sequence[FileChange], folders: Sequence[str]) -> None:
        self._reader = reader
        self._folders: dict[str, _Folder] = {}
        self._pieces: list[tuple[int, bytes]] = []
        self._inodes: list[bytes] = []
        existing = {change.path: reader.find(change.path) for change in changes}
        count = len(folders) + sum(inode is None for inode in existing.values())
        self._inodes_at = reader.superblock.size
        # Data begins behind the blocks that hold all new inodes.
        self._next_block = reader.superblock.blocks + -(-count * _INODE_ROOM // BLOCK)
        for path in folders:
            self._make_folder(path)
        for change in changes:
            inode = existing[change.path]
            if inode is None:
                self._make_file(change)
            else:
                self._replace(inode, change)
        self._finish_folders()

    def result(self) -> Appended:
        superblock = self._reader.superblock
        inodes = b"".join(inode.ljust(_INODE_ROOM, b"\0") for inode in self._inodes)
        self._pieces.append((self._inodes_at, _padded(inodes)))
        # The checksum covers the rest of the first block, and there may be inodes in it.
        block = bytearray(superblock.raw)
        for at, content in self._pieces:
            if at < BLOCK:
                within = content[: BLOCK - at]
                block[at - SUPERBLOCK_AT : at - SUPERBLOCK_AT + len(within)] = within
        struct.pack_into("<Q", block, _INODES_AT, superblock.inodes + len(self._inodes))
        struct.pack_into("<I", block, _BLOCKS_AT, self._next_block)
        if superblock.compatible & CHECKSUM:
            struct.pack_into("<I", block, _CHECKSUM_AT, 0)
            struct.pack_into("<I", block, _CHECKSUM_AT, crc32c(bytes(block)))
        self._pieces.append((SUPERBLOCK_AT, bytes(block)))
        return Appended(tuple(self._pieces), self._next_block * BLOCK)

    def _make_folder(self, path: str) -> None:
        parent, name = self._parent(path)
        number = self._reserve()
        own = _Folder(number, 2, {}, None)
        for dots, target in ((b".", number), (b"..", parent.number)):
            own.names[dots] = Dirent(dots, target, TYPE_FOLDER)
        parent.names[name] = Dirent(name, number, TYPE_FOLDER)
        parent.links += 1
        self._folders[path] = own

    def _make_file(self, change: FileChange) -> None:
        parent, name = self._parent(change.path)
        number = self._reserve()
        parent.names[name] = Dirent(name, number, TYPE_FILE)
        block = self._put(change.content)
        self._inodes[self._index(number)] = self._inode(
            number, stat.S_IFREG | change.mode, 1, len(change.content), block
        )

    def _replace(self, inode: Inode, change: FileChange) -> None:
        if inode.links > 1:
            raise CorruptError(f"{change.path} has {inode.links} names, and only one of them is known")
        self._point(inode, len(change.content), self._put(change.content), inode.links)

    def _finish_folders(self) -> None:
        for folder in self._folders.values():
            data = _folder_data(folder.names.values())
            block = self._put(data)
            if folder.old is not None:
                self._point(folder.old, len(data), block, folder.links)
            else:
                mode = stat.S_IFDIR | FOLDER_MODE
                self._inodes[self._index(folder.number)] = self._inode(
                    folder.number, mode, folder.links, len(data), block
                )

    def _parent(self, path: str) -> tuple[_Folder, bytes]:
        folder, _, name = path.rpartition("/")
        known = self._folders.get(folder or "/")
        if known is None:
            inode = self._reader.find(folder)
            if inode is None:
                raise ValueError(f"there is no folder {folder}")
            names = {entry.name: entry for entry in self._reader.folder(inode)}
            known = self._folders[folder or "/"] = _Folder(inode.number, inode.links, names, inode)
        return known, name.encode()

    def _reserve(self) -> int:
        """The number of an inode that is filled in later."""
        at = self._inodes_at + len(self._inodes) * _INODE_ROOM
        self._inodes.append(b"")
        return (at - self._reader.superblock.meta_block * BLOCK) // _SLOT

    def _index(self, number: int) -> int:
        at = number * _SLOT + self._reader.superblock.meta_block * BLOCK
        return (at - self._inodes_at) // _INODE_ROOM

    def _put(self, content: bytes) -> int:
        """The block where content lies from now on; 0 for none."""
        if not content:
            return 0
        block = self._next_block
        self._pieces.append((block * BLOCK, _padded(content)))
        self._next_block += -(-len(content) // BLOCK)
        return block

    def _point(self, inode: Inode, size: int, block: int, links: int) -> None:
        """Give an inode that is there already other data; mode, owner and attributes stay."""
        raw = bytearray(self._reader.bytes_at(inode.at, inode.header))
        struct.pack_into("<H", raw, 0, int(inode.extended) | PLAIN << 1)
        struct.pack_into("<Q" if inode.extended else "<I", raw, _SIZE_AT, size)
        struct.pack_into("<I", raw, _DATA_AT, block)
        if inode.extended:
            struct.pack_into("<I", raw, _EXTENDED_LINKS_AT, links)
        else:
            struct.pack_into("<H", raw, _COMPACT_LINKS_AT, links)
        self._pieces.append((inode.at, bytes(raw)))

    def _inode(self, number: int, mode: int, links: int, size: int, block: int) -> bytes:
        superblock = self._reader.superblock
        attributes = _label_area(OS_LABEL.encode())
        count = (len(attributes) - 12) // 4 + 1
        fixed = _EXTENDED.pack(
            1 | PLAIN << 1, count, mode, 0, size, block, superblock.inodes + self._index(number) + 1, 0, 0,
            superblock.build_time, superblock.build_time_nanoseconds, links, b"",
        )  # fmt: skip
        return fixed + attributes


def _label_area(label: bytes) -> bytes:
    """The extended attributes of an inode that has only a label: a header without shared ones, and one entry."""
    name = b"selinux"
    entry = struct.pack("<BBH", len(name), 6, len(label)) + name + label
    return bytes(12) + entry.ljust(-(-len(entry) // 4) * 4, b"\0")


def _folder_data(entries: Iterable[Dirent]) -> bytes:
    """A folder's data: sorted by name, as many entries in each block as fit."""
    blocks: list[bytes] = []
    for group in _groups(sorted(entries, key=lambda entry: entry.name)):
        offset = len(group) * _DIRENT.size
        heads, names = b"", b""
        for entry in group:
            heads += _DIRENT.pack(entry.number, offset + len(names), entry.type, 0)
            names += entry.name
        blocks.append(heads + names)
    return b"".join(_padded(block) for block in blocks[:-1]) + blocks[-1]


def _groups(entries: Sequence[Dirent]) -> Iterator[list[Dirent]]:
    group: list[Dirent] = []
    size = 0
    for entry in entries:
        needed = _DIRENT.size + len(entry.name)
        if group and size + needed > BLOCK:
            yield group
            group, size = [], 0
        group.append(entry)
        size += needed
    yield group


def _padded(content: bytes) -> bytes:
    return content.ljust(-(-len(content) // BLOCK) * BLOCK, b"\0")
