"""What a file system can be asked and told, whichever one it is."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from brqos.errors import ConfigurationError

BLOCK = 4096
# What upstream's policy gives every file that is not an entry point (core kit, packages/selinux-policy/fs.cil).
OS_LABEL = "system_u:object_r:os_t:s0"
FILE_MODE = 0o644
FOLDER_MODE = 0o755


class Kind(StrEnum):
    """What a name stands for."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One entry of the tree: `path` is absolute, `mode` has the twelve permission bits, `size` is in bytes.

    `label` is the value of security.selinux as it is stored (None without one), `attributes` are the names of all
    other extended attributes, `target` is where a link points.
    """

    path: str
    kind: Kind
    mode: int
    uid: int
    gid: int
    size: int
    label: str | None
    target: str | None = None
    attributes: tuple[str, ...] = ()
    links: int = 1


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file to be added or replaced; `path` is absolute, within the file system.

    A new file gets `mode`, root:root and the label `os_t`; one that is replaced keeps all that it has but its content.
    """

    path: str
    content: bytes = field(repr=False)
    why: str
    mode: int = FILE_MODE


class FileSystem(Protocol):
    """A file system in a partition of the working copy.

    Paths are absolute and real: only their last part may be a link, and that is not followed.
    """

    @property
    def name(self) -> str:
        """`ext4` or `EROFS`."""

    @property
    def size(self) -> int:
        """Bytes from the partition's start that belong to the file system; a change may make them more."""

    def read(self, path: str) -> bytes | None:
        """The content of a regular file, or None where there is none of that name."""

    def entries(self, folder: str) -> tuple[str, ...]:
        """The names in a folder, sorted; nothing where there is no such folder."""

    def stat(self, path: str) -> FileEntry | None:
        """What stands under a path, or None."""

    def walk(self) -> Iterator[FileEntry]:
        """The whole tree, sorted by path within each folder, the root folder first."""

    def check(self) -> None:
        """Have the file system's own checker look at it; raises ConfigurationError with what it found."""

    def write(self, changes: Sequence[FileChange]) -> None:
        """Carry out changes and read them back; raises ConfigurationError where they do not fit or did not last."""


class CorruptError(ConfigurationError):
    """The file system contradicts itself."""

    def __init__(self, why: str) -> None:
        super().__init__(
            "the file system in the image is broken",
            why=f"{why[0].upper()}{why[1:]}",
            todo="Fetch the image again.",
        )


class FullError(ConfigurationError):
    """There is no room in the partition."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(
            f"the files do not fit into the {name} file system",
            why=why,
            todo="This image has no room left in its partition: build it from source (--engine source).",
        )


def check_paths(changes: Iterable[FileChange]) -> None:
    """Refuse paths that no file of ours has; raises ValueError, since they are never a user's."""
    seen: set[str] = set()
    for change in changes:
        parts = change.path.split("/")
        if parts[0] or not all(parts[1:]) or {".", ".."} & set(parts) or not change.path.isprintable():
            raise ValueError(f"not an absolute path: {change.path!r}")
        if change.path in seen:
            raise ValueError(f"two changes of {change.path}")
        seen.add(change.path)


def missing_folders(files: FileSystem, changes: Iterable[FileChange]) -> list[str]:
    """The folders that must be made first, parents before what is in them.

    Raises ConfigurationError where a file or link stands in the way.
    """
    missing: dict[str, None] = {}
    for change in changes:
        parts = change.path.split("/")[1:-1]
        for depth in range(1, len(parts) + 1):
            folder = "/" + "/".join(parts[:depth])
            entry = None if folder in missing else files.stat(folder)
            if entry is None:
                missing[folder] = None
            elif entry.kind is not Kind.FOLDER:
                raise _in_the_way(folder, "a folder", entry)
        found = files.stat(change.path)
        if found is not None and found.kind is not Kind.FILE:
            raise _in_the_way(change.path, "a file", found)
    return list(missing)


def expected(change: FileChange, before: FileEntry | None) -> FileEntry:
    """How the entry must look when the change is done."""
    size = len(change.content)
    if before is None:
        return FileEntry(change.path, Kind.FILE, change.mode, 0, 0, size, OS_LABEL)
    return FileEntry(
        change.path, Kind.FILE, before.mode, before.uid, before.gid, size, before.label, None, before.attributes
    )


def expected_folder(path: str) -> FileEntry:
    """How a folder that had to be made must look, but for its size."""
    return FileEntry(path, Kind.FOLDER, FOLDER_MODE, 0, 0, 0, OS_LABEL)


def read_back(
    files: FileSystem, changes: Iterable[FileChange], before: dict[str, FileEntry | None], folders: Iterable[str]
) -> None:
    """Hold what is there now against what was wanted; raises ConfigurationError at the first difference."""
    wanted: list[tuple[FileEntry, bytes | None]] = [(expected_folder(folder), None) for folder in folders]
    wanted += [(expected(change, before[change.path]), change.content) for change in changes]
    for want, content in wanted:
        found = files.stat(want.path)
        if found is None or _told(found) != _told(want):
            raise _not_lasting(want.path, f"{_told(want)} was written, {_told(found)} is there.")
        if content is not None and files.read(want.path) != content:
            raise _not_lasting(want.path, "Its content is another one.")


def _told(entry: FileEntry | None) -> str:
    if entry is None:
        return "nothing"
    size = f" of {entry.size} bytes" if entry.kind is Kind.FILE else ""
    more = f" with {', '.join(entry.attributes)}" if entry.attributes else ""
    return f"{entry.kind}{size}, {entry.mode:04o} {entry.uid}:{entry.gid} {entry.label}{more}"


def _not_lasting(path: str, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"{path} could not be written into the image as it should be",
        why=why,
        todo="Nothing was kept. Check the versions of the tools with `brqos doctor --engine repack`.",
    )


def _in_the_way(path: str, wanted: str, entry: FileEntry) -> ConfigurationError:
    what = f"a link to {entry.target}" if entry.kind is Kind.LINK else f"a {entry.kind}"
    return ConfigurationError(
        f"the image has no room for {wanted} at {path}",
        why=f"There is {what} already.",
        todo="Give an OS image of Bottlerocket's own; one that was changed otherwise is not known here.",
    )
