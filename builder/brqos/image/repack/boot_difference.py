"""BOOT-A and EFI-SYSTEM before and after: every file of both, by content, mode, owner and label."""

import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from brqos.image.repack.examine import Layout
from brqos.image.repack.filesystem.ext4 import Ext4
from brqos.image.repack.filesystem.model import OS_LABEL, CorruptError, FileEntry, Kind
from brqos.image.repack.gpt import Partition
from brqos.image.repack.result import FileDifference, FileFacts, Happened, RefusedResultError
from brqos.image.repack.root_difference import file_facts
from brqos.image.repack.signing.model import BOOT_PATHS, BootFiles, efi_paths
from brqos.process import run

_WHY = {
    "shim": "the firmware's first program: trusts your vendor.crt, signed with your key",
    "grub": "the boot loader: whose signature grub.cfg needs, and its own",
    "mokmanager": "shim's tool: signed with your key",
    "db_crt": "your certificate, to be taken into a firmware",
    "db_cer": "the same in another form",
    "vmlinuz": "the kernel: signed with your key",
    "vmlinuz_hmac": "the kernel's checksum of itself",
    "grub_cfg": "the root hash of the new root file system, and the name in the boot menu",
    "grub_cfg_sig": "the signature of grub.cfg",
}
_NEW_FILE = FileEntry("", Kind.FILE, 0o600, 0, 0, 0, OS_LABEL)


@dataclass(frozen=True, slots=True)
class BootContents:
    """All entries of BOOT-A, and the SHA-256 of all files: BOOT-A's by absolute path, EFI-SYSTEM's likewise."""

    entries: Mapping[str, FileEntry]
    boot: Mapping[str, FileFacts]
    efi: Mapping[str, FileFacts]


def take(image: Path, layout: Layout) -> BootContents:
    """Read everything that is there now."""
    files = Ext4(image, layout.boot)
    entries = {entry.path: entry for entry in files.walk()}
    boot = {
        path: file_facts(entry, hashlib.sha256(files.read(path) or b"").hexdigest())
        for path, entry in entries.items()
        if entry.kind is Kind.FILE
    }
    return BootContents(entries, boot, _efi_files(image, layout.efi))


def compare(
    before: BootContents, after: BootContents, layout: Layout, old: BootFiles, new: BootFiles
) -> tuple[FileDifference, ...]:
    """Every file that changed; raises RefusedResultError where these are not those of `old` that differ in `new`."""
    paths = efi_paths(new.architecture)
    found = [
        *_compare(layout.boot.label, before.boot, after.boot, _wanted(BOOT_PATHS, old, new)),
        *_compare(layout.efi.label, before.efi, after.efi, _wanted(paths, old, new)),
    ]
    _check_entries(before, after, {item.path for item in found})
    return tuple(found)


def _wanted(paths: Mapping[str, str], old: BootFiles, new: BootFiles) -> dict[str, tuple[str, bytes | None]]:
    """Path -> the reason for its change, and the content that it has to have (None: it has to be gone)."""
    return {
        f"/{path}": (_WHY[field], getattr(new, field))
        for field, path in paths.items()
        if getattr(old, field) != getattr(new, field)
    }


def _compare(
    label: str,
    before: Mapping[str, FileFacts],
    after: Mapping[str, FileFacts],
    wanted: Mapping[str, tuple[str, bytes | None]],
) -> list[FileDifference]:
    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    if changed != wanted.keys():
        raise _refused(label, f"Changed are {', '.join(sorted(changed))}, planned were {', '.join(sorted(wanted))}.")
    found = []
    for path in sorted(changed):
        why, content = wanted[path]
        old, new = before.get(path), after.get(path)
        digest = None if content is None else hashlib.sha256(content).hexdigest()
        if (new.sha256 if new else None) != digest:
            raise _refused(label, f"{path} has another content than it should have.")
        what = Happened.ADDED if old is None else Happened.REMOVED if new is None else Happened.CHANGED
        found.append(FileDifference(partition=label, path=path, what=what, why=why, before=old, after=new))
    return found


def _check_entries(before: BootContents, after: BootContents, planned: set[str]) -> None:
    """Mode, owner, label and kind of everything on BOOT-A stay; only the planned ones come and go."""
    for path in before.entries.keys() | after.entries.keys():
        old, new = before.entries.get(path), after.entries.get(path)
        if path in planned:
            if new is None:
                continue
            old = old or replace(_NEW_FILE, path=path)
        if old is None or new is None or replace(old, size=0) != replace(new, size=0):
            raise _refused("the boot partition", f"{path} has another mode, owner or label, or is not what it was.")


def _efi_files(image: Path, efi: Partition) -> dict[str, FileFacts]:
    """All files of the EFI system partition, copied out by mtools."""
    with tempfile.TemporaryDirectory(prefix="efi-files-", dir=image.parent) as name:
        folder = Path(name)
        done = run(
            ["mcopy", "-s", "-n", "-Q", "-i", f"{image.name}@@{efi.start}", "::/", f"{folder.name}/"],
            cwd=image.parent,
            env={"LC_ALL": "C", "TZ": "UTC"},
            check=False,
        )
        if done.status != 0:
            raise CorruptError(f"mcopy says: {done.stderr.strip()[:300]}")
        contents = {
            f"/{path.relative_to(folder).as_posix()}": path.read_bytes() for path in folder.rglob("*") if path.is_file()
        }
    return {
        path: FileFacts(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
        for path, content in contents.items()
    }


def _refused(label: str, why: str) -> RefusedResultError:
    return RefusedResultError(f"more or less changed on {label} than was planned", why)
