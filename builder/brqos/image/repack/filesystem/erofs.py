"""EROFS, changed in place: what is new is put behind its end, and nothing that is there moves.

EROFS has no way to write, but nothing in it forbids to: an inode is found by its place, a number of 64 bits, so that a
folder's inode can be pointed at a new list of names, and an inode that is new may lie anywhere behind the old end.
Every other byte stays: compression, labels, and the file capabilities of ping and arping (core kit, packages/iputils),
which a rebuild by mkfs.erofs would lose, as nobody but root can set them in the tree that it is built from.

What is added is not compressed (a few blocks); the superblock gets the new numbers and its checksum.
"""

import stat
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from brqos.image.repack.filesystem.erofs_append import Appended, append
from brqos.image.repack.filesystem.erofs_format import ErofsReader, Inode
from brqos.image.repack.filesystem.model import (
    CorruptError,
    FileChange,
    FileEntry,
    FullError,
    Kind,
    check_paths,
    missing_folders,
    read_back,
)
from brqos.image.repack.gpt import Partition
from brqos.image.repack.working import extract
from brqos.process import run

_KINDS = {stat.S_IFREG: Kind.FILE, stat.S_IFDIR: Kind.FOLDER, stat.S_IFLNK: Kind.LINK}
_LABEL = "security.selinux"
_DOTS = (b".", b"..")
# How many times its partition the files may take: lz4 makes a Bottlerocket's three times smaller, blanks 250 times.
_MOST_UNPACKED = 32
# fsck.erofs calls itself for each folder in another one; Linux takes no path of more than 4096 bytes.
_DEEPEST = 256


class Erofs:
    """The EROFS file system at the beginning of a partition of a disk image."""

    name = "EROFS"

    def __init__(self, image: Path, partition: Partition) -> None:
        self._image = image
        self._partition = partition
        self._unpacked: tempfile.TemporaryDirectory[str] | None = None
        # Refuses what is no such file system before any tool sees it.
        with self._image.open("rb") as disk:
            self._reader(disk)

    @property
    def size(self) -> int:
        """Bytes of the file system."""
        with self._image.open("rb") as disk:
            return self._reader(disk).superblock.size

    def read(self, path: str) -> bytes | None:
        """The content of a regular file, or None; the first one that is compressed has fsck.erofs unpack them all."""
        with self._image.open("rb") as disk:
            reader = self._reader(disk)
            inode = reader.find(path)
            if inode is None or not stat.S_ISREG(inode.mode):
                return None
            if inode.is_flat:
                return reader.data(inode)
        content = (self._tree() / path.lstrip("/")).read_bytes()
        if len(content) != inode.size:
            raise CorruptError(f"{path} has {inode.size} bytes, and {len(content)} can be read")
        return content

    def entries(self, folder: str) -> tuple[str, ...]:
        """The names in a folder, sorted."""
        with self._image.open("rb") as disk:
            reader = self._reader(disk)
            inode = reader.find(folder)
            if inode is None or not stat.S_ISDIR(inode.mode):
                return ()
            return tuple(sorted(name for name, _ in _children(reader, inode)))

    def stat(self, path: str) -> FileEntry | None:
        """What stands under a path, or None."""
        with self._image.open("rb") as disk:
            reader = self._reader(disk)
            inode = reader.find(path)
            return None if inode is None else _entry(reader, path, inode)

    def walk(self) -> Iterator[FileEntry]:
        """The whole tree."""
        with self._image.open("rb") as disk:
            reader = self._reader(disk)
            for path, inode in _inodes(reader):
                yield _entry(reader, path, inode)

    def check_tree(self) -> None:
        """Refuse what fsck.erofs may not be let loose on; raises ConfigurationError.

        It unpacks names with `../` as they are (seen with erofs-utils 1.5), and follows folders that are within
        themselves as long as there is room; files may say that they are of any size.
        """
        with self._image.open("rb") as disk:
            reader = self._reader(disk)
            total = sum(inode.size for _, inode in _inodes(reader) if stat.S_ISREG(inode.mode))
        if total > _MOST_UNPACKED * self._partition.size:
            raise CorruptError(f"its files have {total} bytes unpacked, and its partition {self._partition.size}")

    def check(self) -> None:
        """`fsck.erofs`; raises ConfigurationError for anything that it finds."""
        self.check_tree()
        with tempfile.TemporaryDirectory(prefix="check-", dir=self._image.parent) as folder:
            self._run_fsck(self._alone(Path(folder)), [])

    def write(self, changes: Sequence[FileChange]) -> None:
        """Add and replace files; the file system grows within its partition by what they need."""
        check_paths(changes)
        self.check()
        folders = missing_folders(self, changes)
        before = {change.path: self.stat(change.path) for change in changes}
        with self._image.open("rb") as disk:
            added = append(self._reader(disk), changes, folders)
        if added.size > self._partition.size:
            raise FullError(
                self.name, f"It would have {added.size} bytes, and the partition has {self._partition.size}."
            )
        self._put(added)
        self._unpacked = None
        read_back(self, changes, before, folders)
        self.check()

    def _put(self, added: Appended) -> None:
        with self._image.open("r+b") as disk:
            for at, content in added.pieces:
                disk.seek(self._partition.start + at)
                disk.write(content)

    def _reader(self, disk: BinaryIO) -> ErofsReader:
        return ErofsReader(disk, self._partition.start, self._partition.size)

    def _alone(self, folder: Path) -> Path:
        """The file system in a file of its own: EROFS's tools take no offset."""
        target = folder / "erofs"
        extract(self._image, replace(self._partition, size=self.size), target)
        return target

    def _tree(self) -> Path:
        if self._unpacked is None:
            self.check_tree()
            self._unpacked = tempfile.TemporaryDirectory(prefix="tree-", dir=self._image.parent)
            folder = Path(self._unpacked.name)
            alone = self._alone(folder)
            self._run_fsck(alone, [f"--extract={folder / 'tree'}", "--no-preserve"])
            alone.unlink()
        return Path(self._unpacked.name) / "tree"

    def _run_fsck(self, alone: Path, options: Sequence[str]) -> None:
        done = run(["fsck.erofs", *options, alone], env={"LC_ALL": "C"}, check=False)
        if done.status != 0:
            lines = [line for line in (done.text + done.stderr).splitlines() if line.strip()]
            raise CorruptError("fsck.erofs says: " + "; ".join(lines[:8]))


def _entry(reader: ErofsReader, path: str, inode: Inode) -> FileEntry:
    attributes = reader.attributes(inode)
    label = attributes.pop(_LABEL, None)
    kind = _KINDS.get(stat.S_IFMT(inode.mode), Kind.OTHER)
    return FileEntry(
        path=path,
        kind=kind,
        mode=stat.S_IMODE(inode.mode),
        uid=inode.uid,
        gid=inode.gid,
        size=inode.size,
        label=None if label is None else label.decode(errors="surrogateescape"),
        target=reader.data(inode).decode(errors="surrogateescape") if kind is Kind.LINK and inode.is_flat else None,
        attributes=tuple(sorted(attributes)),
        links=inode.links,
    )


def _children(reader: ErofsReader, folder: Inode) -> list[tuple[str, int]]:
    entries = reader.folder(folder)
    return [(entry.name.decode(errors="surrogateescape"), entry.number) for entry in entries if entry.name not in _DOTS]


def _inodes(reader: ErofsReader) -> Iterator[tuple[str, Inode]]:
    """The whole tree, folders before what is in them; raises CorruptError for what is no tree."""
    seen: set[int] = set()
    # The last one is the next: names are put there backwards.
    waiting = [("/", reader.superblock.root)]
    while waiting:
        path, number = waiting.pop()
        inode = reader.inode(number)
        yield path, inode
        if not stat.S_ISDIR(inode.mode):
            continue
        if number in seen:
            raise CorruptError(f"the folder {path} is within itself, or has two names")
        if path.count("/") > _DEEPEST:
            raise CorruptError(f"it has folders more than {_DEEPEST} deep")
        seen.add(number)
        above = path.rstrip("/")
        waiting += [(f"{above}/{name}", below) for name, below in sorted(_children(reader, inode), reverse=True)]
