"""ext4, changed in place by e2fsprogs' debugfs: no mount, no root.

Upstream makes it with `mkfs.ext4 -O ^has_journal -b 4096` and shrinks it to its least size (twoliter 0.5.0,
embedded/rpm2img), so it has to grow by a few blocks where files are added. debugfs ends with status 0 whatever happens
(“Could not allocate block” leaves a file that is cut off), so its words are read and everything is read back.

The result depends on nothing but the input: debugfs is told the time of the file system's last write, and gives
new inodes the generation 0. All of e2fsprogs but resize2fs takes `file?offset=bytes` for a file system within a disk.
"""

import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from brqos.image.repack.filesystem.ext4_growth import Superblock, environment, make_room, read_superblock
from brqos.image.repack.filesystem.ext4_text import parse_listing, parse_stat, quoted
from brqos.image.repack.filesystem.model import (
    FOLDER_MODE,
    OS_LABEL,
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
from brqos.process import Completed, run

# debugfs says its name, and in words of its own whatever went wrong.
_BANNER = re.compile(r"debugfs \d")
_WORDS = {"LC_ALL": "C"}
_SAYS_NOT_THERE = "File not found by ext2_lookup"
_IS_FULL = re.compile(r"Could not allocate|No free space|no space left|No space", re.IGNORECASE)


class Ext4:
    """The ext4 file system at the beginning of a partition of a disk image."""

    name = "ext4"

    def __init__(self, image: Path, partition: Partition) -> None:
        self._image = image
        self._partition = partition
        # By its bare name: a question mark in the path of its folder would begin e2fsprogs' options.
        self._device = f"{image.name}?offset={partition.start}"
        # Refuses what is no such file system before any tool sees it.
        read_superblock(image, partition)

    @property
    def size(self) -> int:
        """Bytes of the file system."""
        return read_superblock(self._image, self._partition).size

    def read(self, path: str) -> bytes | None:
        """The content of a regular file, or None."""
        entry = self.stat(path)
        if entry is None or entry.kind is not Kind.FILE:
            return None
        if entry.size > self._partition.size:
            raise CorruptError(f"{path} has {entry.size} bytes, more than its partition")
        done = self._ask(f"cat {quoted(path)}")
        if len(done.stdout) != entry.size:
            raise CorruptError(f"{path} has {entry.size} bytes, and {len(done.stdout)} can be read. {done.stderr}")
        return done.stdout

    def entries(self, folder: str) -> tuple[str, ...]:
        """The names in a folder, sorted."""
        entry = self.stat(folder)
        if entry is None or entry.kind is not Kind.FOLDER:
            return ()
        return tuple(parse_listing(self._ask(f"ls -p {quoted(folder)}").stdout))

    def stat(self, path: str) -> FileEntry | None:
        """What stands under a path, or None."""
        done = self._ask(f"stat {quoted(path)}")
        if _SAYS_NOT_THERE in done.stderr:
            return None
        if words := _complaints(done.stderr):
            raise CorruptError(f"{path}: {words}")
        return self._with_target(parse_stat(path, done.stdout))

    def walk(self) -> Iterator[FileEntry]:
        """The whole tree; one call of debugfs for each level of folders, one for all entries."""
        folders, paths = ["/"], ["/"]
        while folders:
            below: dict[str, Kind] = {}
            answers = self._ask_all([f"ls -p {quoted(folder)}" for folder in folders])
            for folder, answer in zip(folders, answers, strict=True):
                below |= {f"{folder.rstrip('/')}/{name}": kind for name, kind in parse_listing(answer).items()}
            paths += below
            folders = [path for path, kind in below.items() if kind is Kind.FOLDER]
        paths.sort(key=lambda path: path.split("/"))
        answers = self._ask_all([f"stat {quoted(path)}" for path in paths])
        for path, answer in zip(paths, answers, strict=True):
            yield self._with_target(parse_stat(path, answer))

    def check(self) -> None:
        """`e2fsck -fn`; raises ConfigurationError for anything that it would repair."""
        done = run(["e2fsck", "-fn", self._device], cwd=self._image.parent, env=_WORDS, check=False)
        if done.status != 0:
            lines = [line for line in (done.text + done.stderr).splitlines() if line and not line.startswith("e2fsck ")]
            raise CorruptError("e2fsck says: " + "; ".join(lines[:8]))

    def write(self, changes: Sequence[FileChange], *, remove: Sequence[str] = ()) -> None:
        """Add, replace and remove files; the file system grows within its partition where it must."""
        check_paths(changes)
        self.check()
        folders = missing_folders(self, changes)
        before = {change.path: self.stat(change.path) for change in changes}
        # A file, its extents or labels, where they do not fit into the inode, and a block more for each folder.
        touched = {change.path.rsplit("/", 1)[0] for change in changes} | set(folders)
        superblock = read_superblock(self._image, self._partition)
        needed = sum(len(change.content) // superblock.block_size + 2 for change in changes)
        needed += len(folders) + len(touched)
        inodes = len(folders) + sum(entry is None for entry in before.values())
        make_room(self._image, self._partition, needed, inodes)
        with tempfile.TemporaryDirectory(prefix="files-", dir=self._image.parent) as folder:
            commands = [f"rm {quoted(path)}" for path in remove]
            for path in folders:
                commands += [f"mkdir {quoted(path)}", *_owned(path, 0o040000 | FOLDER_MODE, None)]
            for number, change in enumerate(changes):
                (Path(folder) / f"{number}").write_bytes(change.content)
                entry = before[change.path]
                if entry is not None:
                    self._check_replaceable(entry)
                    commands.append(f"rm {quoted(change.path)}")
                commands.append(f"write {quoted(f'{Path(folder).name}/{number}')} {quoted(change.path)}")
                commands += _owned(change.path, 0o100000 | (entry.mode if entry else change.mode), entry)
            self._carry_out(commands, superblock)
        read_back(self, changes, before, folders)
        if left := [path for path in remove if self.stat(path) is not None]:
            raise CorruptError(f"{left[0]} could not be removed")
        self.check()

    def _with_target(self, entry: FileEntry) -> FileEntry:
        # A link to more than 59 bytes keeps them in a block, which `stat` does not show.
        if entry.kind is not Kind.LINK or entry.target is not None:
            return entry
        return replace(entry, target=self._ask(f"cat {quoted(entry.path)}").stdout.decode(errors="surrogateescape"))

    def _check_replaceable(self, entry: FileEntry) -> None:
        if entry.attributes:
            raise CorruptError(f"{entry.path} has attributes that would be lost: {', '.join(entry.attributes)}")
        if entry.links > 1:
            raise CorruptError(f"{entry.path} has {entry.links} names, and only one of them is known")

    def _carry_out(self, commands: Sequence[str], superblock: Superblock) -> None:
        text = "".join(f"{command}\n" for command in commands).encode(errors="surrogateescape")
        argv = ["debugfs", "-w", "-f", "-", self._device]
        done = run(argv, stdin=text, cwd=self._image.parent, env=environment(superblock))
        if words := _complaints(done.stderr):
            if _IS_FULL.search(words):
                raise FullError(self.name, f"debugfs says: {words}")
            raise CorruptError(f"debugfs could not change it: {words}")

    def _ask(self, command: str) -> Completed:
        return run(["debugfs", "-R", command, self._device], cwd=self._image.parent, env=_WORDS)

    def _ask_all(self, commands: Sequence[str]) -> list[bytes]:
        """The answers to many commands in one go; each command stands before its answer."""
        text = "".join(f"{command}\n" for command in commands).encode(errors="surrogateescape")
        done = run(["debugfs", "-f", "-", self._device], stdin=text, cwd=self._image.parent, env=_WORDS)
        if words := _complaints(done.stderr):
            raise CorruptError(words)
        answers = re.split(rb"^debugfs: (?:stat|ls) .*\n", done.stdout, flags=re.MULTILINE)[1:]
        if len(answers) != len(commands):
            raise CorruptError("a name in it has a line break")
        return answers


def _owned(path: str, mode: int, before: FileEntry | None) -> list[str]:
    """Mode, owner and label of an entry that was just made: as before, or root's with the label `os_t`."""
    name = quoted(path)
    label = before.label if before else OS_LABEL
    return [
        f"sif {name} mode 0{mode:o}",
        f"sif {name} uid {before.uid if before else 0}",
        f"sif {name} gid {before.gid if before else 0}",
        *([f"ea_set {name} security.selinux {quoted(label)}"] if label else []),
    ]


def _complaints(stderr: str) -> str:
    return "; ".join(line.strip() for line in stderr.splitlines() if line.strip() and not _BANNER.match(line))
