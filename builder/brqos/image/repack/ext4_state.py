"""What an ext4 file system is made of, before and after it was changed, so that nothing else can have changed.

All that a file is lies in its inode, and in blocks that belong to it: data, the tree of its extents, attributes. So a
file is as it was where neither its inode nor a block of its own is another one. The inodes are compared byte for byte
here, as they lie in the tables; whose the changed blocks are is told by e2fsprogs (debugfs, `icheck`). What belongs to
nobody is the file system's own (bitmaps, tables, superblocks), which e2fsck checks, or free.
"""

import re
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from brqos.image.repack.filesystem.ext4_text import quoted
from brqos.image.repack.filesystem.model import BLOCK, CorruptError
from brqos.image.repack.gpt import Partition
from brqos.image.repack.working import read_partition
from brqos.process import run

# Linux, Documentation/filesystems/ext4: super.rst, group_descr.rst, inodes.rst.
_SUPERBLOCK_AT = 1024
_64BIT, _META_BG = 0x80, 0x10
_LINKS_AT = 0x1A
# The inode that owns the blocks kept for more group descriptors: resize2fs takes from it.
_RESIZE_INODE = 7
_AT_ONCE = 200
_ECHO = re.compile(rb"^debugfs: (?:stat|ls|icheck|ncheck) .*\n", re.MULTILINE)
_NUMBER = re.compile(rb"^Inode: (\d+) ", re.MULTILINE)
_LISTED = re.compile(rb"^/(\d+)/[0-7]+/\d+/\d+/([^/]+)/\d*/$", re.MULTILINE)
_OWNER = re.compile(rb"^\d+\t(\d+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Ext4State:
    """`numbers` are the inodes of the paths that were asked for, `folders` the names in folders, each with its inode.

    `tables` has the inodes of each group of blocks, as bytes.
    """

    numbers: Mapping[str, int]
    folders: Mapping[str, Mapping[str, int]]
    tables: tuple[bytes, ...] = field(repr=False)
    inode_size: int
    inodes_per_group: int


def take(image: Path, partition: Partition, paths: Sequence[str], folders: Sequence[str]) -> Ext4State:
    """Read what is there now; paths and folders that are not there are left out."""
    asked = [*paths, *folders]
    answers = _ask(image, partition, [f"stat {quoted(path)}" for path in asked])
    found = {path: match for path, answer in zip(asked, answers, strict=True) if (match := _NUMBER.search(answer))}
    numbers = {path: int(match[1]) for path, match in found.items()}
    there = [folder for folder in folders if folder in numbers]
    lists = _ask(image, partition, [f"ls -p {quoted(folder)}" for folder in there])
    names = {
        folder: {match[2].decode(errors="surrogateescape"): int(match[1]) for match in _LISTED.finditer(answer)}
        for folder, answer in zip(there, lists, strict=True)
    }
    return Ext4State(numbers, names, *_tables(image, partition))


def unplanned(before: Ext4State, image: Path, partition: Partition, after: Ext4State, changed: Sequence[int]) -> str:
    """What changed besides the paths of both states, in words; empty where nothing did.

    `changed` are the numbers of all blocks of 4096 bytes that are not as they were.
    """
    planned = {*after.numbers.values(), _RESIZE_INODE}
    if strange := {*_changed_inodes(before, after)} - planned:
        return f"Inodes that belong to no planned file: {_named(image, partition, strange)}."
    if strange := {*_removed_inodes(before, after)} - {*before.numbers.values()}:
        return f"Inodes are gone that belonged to no planned file: {', '.join(map(str, sorted(strange)[:10]))}."
    if strange := _owners(image, partition, changed) - planned:
        return f"Blocks of inodes that belong to no planned file: {_named(image, partition, strange)}."
    return ""


def _changed_inodes(before: Ext4State, after: Ext4State) -> Iterator[int]:
    """The inodes that are in use and are not as they were."""
    for number, raw in _differing(before, after):
        if _links(raw[1]):
            yield number


def _removed_inodes(before: Ext4State, after: Ext4State) -> Iterator[int]:
    for number, raw in _differing(before, after):
        if _links(raw[0]) and not _links(raw[1]):
            yield number


def _differing(before: Ext4State, after: Ext4State) -> Iterator[tuple[int, tuple[bytes, bytes]]]:
    """Inode -> what it was and what it is, for those that differ; what was not there was blank."""
    size = before.inode_size
    if (size, before.inodes_per_group) != (after.inode_size, after.inodes_per_group):
        raise CorruptError("the size of its inodes changed")
    groups = max(len(before.tables), len(after.tables))
    blank = bytes(size * before.inodes_per_group)
    for group in range(groups):
        old = before.tables[group] if group < len(before.tables) else blank
        new = after.tables[group] if group < len(after.tables) else blank
        if old == new:
            continue
        for index in range(before.inodes_per_group):
            one, other = old[index * size : (index + 1) * size], new[index * size : (index + 1) * size]
            if one != other:
                yield group * before.inodes_per_group + index + 1, (one, other)


def _links(inode: bytes) -> int:
    return int.from_bytes(inode[_LINKS_AT : _LINKS_AT + 2], "little")


def _tables(image: Path, partition: Partition) -> tuple[tuple[bytes, ...], int, int]:
    """The tables of inodes, the bytes of an inode, and how many inodes a table has."""
    raw = read_partition(image, partition, _SUPERBLOCK_AT + 1024)[_SUPERBLOCK_AT:]
    (blocks_low,) = struct.unpack_from("<I", raw, 0x04)
    first, shift = struct.unpack_from("<I", raw, 0x14)[0], struct.unpack_from("<I", raw, 0x18)[0]
    per_group, inodes = struct.unpack_from("<I", raw, 0x20)[0], struct.unpack_from("<I", raw, 0x28)[0]
    (inode_size,), (incompatible,) = struct.unpack_from("<H", raw, 0x58), struct.unpack_from("<I", raw, 0x60)
    if 1024 << shift != BLOCK or first or incompatible & _META_BG or not per_group or not inode_size:
        raise CorruptError("it is laid out otherwise than upstream's: blocks of 4096 bytes, no meta_bg")
    descriptor = struct.unpack_from("<H", raw, 0xFE)[0] if incompatible & _64BIT else 32
    tables = []
    with image.open("rb") as disk:
        for group in range(-(-blocks_low // per_group)):
            # The descriptors lie behind the superblock, in the second block.
            disk.seek(partition.start + BLOCK + group * descriptor)
            entry = disk.read(descriptor)
            at = struct.unpack_from("<I", entry, 0x08)[0]
            disk.seek(partition.start + at * BLOCK)
            tables.append(disk.read(inodes * inode_size))
    return tuple(tables), inode_size, inodes


def _owners(image: Path, partition: Partition, blocks: Sequence[int]) -> set[int]:
    """The inodes that blocks belong to."""
    groups = [blocks[at : at + _AT_ONCE] for at in range(0, len(blocks), _AT_ONCE)]
    answers = _ask(image, partition, [f"icheck {' '.join(map(str, group))}" for group in groups])
    return {int(match[1]) for answer in answers for match in _OWNER.finditer(answer)}


def _ask(image: Path, partition: Partition, commands: Sequence[str]) -> list[bytes]:
    """debugfs's answers; what it says of paths that are not there goes to another place."""
    if not commands:
        return []
    text = "".join(f"{command}\n" for command in commands).encode(errors="surrogateescape")
    device = f"{image.name}?offset={partition.start}"
    done = run(["debugfs", "-f", "-", device], stdin=text, cwd=image.parent, env={"LC_ALL": "C"}, check=False)
    answers = _ECHO.split(done.stdout)[1:]
    if len(answers) != len(commands):
        raise CorruptError(f"debugfs answers {len(answers)} of {len(commands)} questions: {done.stderr.strip()[:300]}")
    return answers


def _named(image: Path, partition: Partition, inodes: Iterable[int]) -> str:
    """Inodes with their paths, for a person."""
    numbers = " ".join(map(str, sorted(inodes)[:10]))
    (answer,) = _ask(image, partition, [f"ncheck {numbers}"])
    names = [line.split("\t", 1) for line in answer.decode(errors="replace").splitlines()[1:] if "\t" in line]
    return ", ".join(f"{number} ({name})" for number, name in names) or numbers
