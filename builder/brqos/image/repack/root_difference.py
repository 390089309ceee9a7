"""The root file system before and after: the planned files, and the proof that nothing else changed.

No second copy is kept and no file is read twice. Which blocks changed is told by the hash trees, which have the digest
of every block: the old one, which the input was verified by, and the new one, over the same salt. What the changed
blocks stand for is told by `ext4_state` and `erofs_state`; each says how.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from brqos.image.repack import blocks, erofs_state, ext4_state
from brqos.image.repack.erofs_state import ErofsState
from brqos.image.repack.examine import Examined
from brqos.image.repack.ext4_state import Ext4State
from brqos.image.repack.filesystem.ext4 import Ext4
from brqos.image.repack.filesystem.model import (
    FileChange,
    FileEntry,
    FileSystem,
    expected,
    expected_folder,
    missing_folders,
)
from brqos.image.repack.gpt import Partition
from brqos.image.repack.result import FileDifference, FileFacts, Happened, RefusedResultError
from brqos.image.repack.verity import HashTree, VerityParameters
from brqos.image.repack.working import read_partition

_WHAT = "more changed in the root file system than was planned"


@dataclass(frozen=True, slots=True)
class RootBefore:
    """What is kept of the root file system until it is changed.

    `entries` and `sha256` are those of the planned files that are there already, `folders` those that get new names,
    `made` the folders that have to be made. `behind` are the digests of what the hash tree does not cover.
    """

    verity: VerityParameters
    leaves: bytes
    behind: blocks.Digests
    entries: Mapping[str, FileEntry]
    sha256: Mapping[str, str]
    folders: Mapping[str, FileEntry]
    made: tuple[str, ...]
    state: Ext4State | ErofsState


def take(examined: Examined, changes: Sequence[FileChange]) -> RootBefore:
    """Look at the working copy before it is changed."""
    layout, files, verity = examined.layout, examined.files, examined.grub.verity
    made = missing_folders(files, changes)
    paths = [change.path for change in changes]
    folders = sorted({_parent(path) for path in (*paths, *made)} | set(made))
    entries = {path: entry for path in paths if (entry := files.stat(path)) is not None}
    return RootBefore(
        verity=verity,
        leaves=blocks.leaves(read_partition(examined.image, layout.hash), verity.data_blocks),
        behind=_behind(examined.image, layout.root, verity),
        entries=entries,
        sha256={path: _sha256(files.read(path)) for path in entries},
        folders={path: entry for path in folders if (entry := files.stat(path)) is not None},
        made=tuple(made),
        state=_state(files, examined.image, layout.root, paths, folders),
    )


def compare(
    before: RootBefore, examined: Examined, changes: Sequence[FileChange], tree: HashTree, verity: VerityParameters
) -> tuple[tuple[FileDifference, ...], int]:
    """Every file that changed, and how many blocks; raises RefusedResultError for anything that was not planned."""
    if verity.salt != before.verity.salt:
        raise ValueError("trees of different salts cannot be compared")
    image, root, old = examined.image, examined.layout.root, before.verity.data_blocks
    leaves = blocks.leaves(tree.content, verity.data_blocks)
    changed = blocks.differing_leaves(before.leaves, leaves, old)
    added = [old + number for number in blocks.differing(before.behind, _behind(image, root, before.verity))]
    if added and added[-1] >= verity.data_blocks:
        raise RefusedResultError(_WHAT, f"Block {added[-1]} lies behind the end of the file system.")
    paths = [change.path for change in changes]
    after = _state(examined.files, image, root, paths, [*before.folders, *before.made])
    if why := _unplanned(before, image, root, after, changed, added):
        raise RefusedResultError(_WHAT, why)
    _check_folders(before, examined.files, after, paths)
    differences = tuple(_difference(before, examined.files, root.label, change) for change in changes)
    return tuple(item for item in differences if item is not None), len(changed) + len(added)


def _unplanned(
    before: RootBefore,
    image: Path,
    root: Partition,
    after: Ext4State | ErofsState,
    changed: list[int],
    added: list[int],
) -> str:
    if isinstance(before.state, Ext4State) and isinstance(after, Ext4State):
        return ext4_state.unplanned(before.state, image, root, after, [*changed, *added])
    if isinstance(before.state, ErofsState) and isinstance(after, ErofsState):
        return erofs_state.unplanned(before.state, image, root, after, changed, before.leaves, before.verity.salt)
    return "It became another file system."


def _state(
    files: FileSystem, image: Path, root: Partition, paths: Sequence[str], folders: Sequence[str]
) -> Ext4State | ErofsState:
    take = ext4_state.take if isinstance(files, Ext4) else erofs_state.take
    return take(image, root, paths, folders)


def _check_folders(before: RootBefore, files: FileSystem, after: Ext4State | ErofsState, paths: Sequence[str]) -> None:
    """Every folder is as it was, and its other names stand for what they did."""
    new = {*paths, *before.made}
    for folder in (*before.folders, *before.made):
        was, now = before.state.folders.get(folder, {}), after.folders.get(folder, {})
        planned = {path.rpartition("/")[2] for path in new if _parent(path) == folder} | {".", ".."}
        strange = {name for name in was.keys() | now.keys() if was.get(name) != now.get(name)} - planned
        if strange or planned - {".", ".."} - now.keys():
            raise RefusedResultError(_WHAT, f"In {folder}: {', '.join(sorted(strange))[:300] or 'names are missing'}.")
        entry, wanted = files.stat(folder), before.folders.get(folder) or expected_folder(folder)
        if entry is None or replace(entry, size=0, links=1) != replace(wanted, size=0, links=1):
            raise RefusedResultError(_WHAT, f"Mode, owner or label of the folder {folder}.")


def _difference(before: RootBefore, files: FileSystem, label: str, change: FileChange) -> FileDifference | None:
    old, new = before.entries.get(change.path), files.stat(change.path)
    if new is None or new != expected(change, old):
        raise RefusedResultError(_WHAT, f"{change.path} has another mode, owner or label than it should have.")
    digest = _sha256(files.read(change.path))
    if digest != hashlib.sha256(change.content).hexdigest():
        raise RefusedResultError(_WHAT, f"{change.path} has another content than it should have.")
    if old is not None and before.sha256[change.path] == digest:
        return None
    return FileDifference(
        partition=label,
        path=change.path,
        what=Happened.ADDED if old is None else Happened.CHANGED,
        why=change.why,
        before=None if old is None else file_facts(old, before.sha256[change.path]),
        after=file_facts(new, digest),
    )


def file_facts(entry: FileEntry, sha256: str) -> FileFacts:
    """What is told of a file."""
    owner = f"{entry.uid}:{entry.gid}"
    return FileFacts(bytes=entry.size, sha256=sha256, mode=f"{entry.mode:04o}", owner=owner, label=entry.label)


def _behind(image: Path, root: Partition, verity: VerityParameters) -> blocks.Digests:
    with image.open("rb") as disk:
        return blocks.digests(disk, root.start + verity.data_bytes, root.size - verity.data_bytes)


def _parent(path: str) -> str:
    return path.rpartition("/")[0] or "/"


def _sha256(content: bytes | None) -> str:
    if content is None:
        raise RefusedResultError(_WHAT, "A file is gone.")
    return hashlib.sha256(content).hexdigest()
