"""The result judged by others than those that made it, from its raw bytes alone.

What the kernel would be told (grub.cfg as it is in the image) is what veritysetup is told; the file systems are looked
at by their own checkers, the signatures by sbverify and gpg, and every file that was written is read back.
"""

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from brqos.errors import ConfigurationError
from brqos.image.repack import grub_config
from brqos.image.repack.boot_files import BootPartitions, efi_architecture, read_boot_files
from brqos.image.repack.examine import Layout, find_layout
from brqos.image.repack.filesystem.detect import detect
from brqos.image.repack.filesystem.erofs import Erofs
from brqos.image.repack.filesystem.ext4 import Ext4
from brqos.image.repack.filesystem.model import FileChange
from brqos.image.repack.gpt import read_table
from brqos.image.repack.result import RefusedResultError, Verified
from brqos.image.repack.signing.model import BootFiles
from brqos.image.repack.signing.verify import verify_signed, verify_unsigned
from brqos.image.repack.verity import BLOCK, VerityParameters
from brqos.image.repack.working import extract
from brqos.process import Completed, run

if TYPE_CHECKING:
    # Without the extra `repack` an image can still be repacked with --unsigned.
    from brqos.image.repack.signing.profile import SigningKeys

_NOT_PASSED = "the repacked image did not pass its check"
# Programs run in the folder of the work, where what a killed run left of them is looked for (workplace.py).
_WORDS = {"LC_ALL": "C"}
_DAMAGED = re.compile(r"ERROR|corrupt|invalid|CRC", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What has to be in the image; without `keys` nothing may ask for signatures."""

    changes: Sequence[FileChange]
    keys: "SigningKeys | None"


def verify(image: Path, wanted: Wanted, folder: Path) -> tuple[Verified, ...]:
    """Check a raw image; `folder` is a private one with room for its root file system.

    Raises RefusedResultError at the first thing that is not right, ToolError for a missing tool.
    """
    try:
        return _verify(image.absolute(), wanted, folder.absolute())
    except ConfigurationError as error:
        # It was read without complaints as an input; that it is refused now is no mistake of the user's.
        raise RefusedResultError(_NOT_PASSED, f"{error.what}. {error.why}") from error


def _verify(image: Path, wanted: Wanted, folder: Path) -> tuple[Verified, ...]:
    table = _check_table(image)
    with image.open("rb") as disk:
        layout = find_layout(read_table(disk), image)
    boot_files = read_boot_files(BootPartitions(image, layout.boot, layout.efi), efi_architecture(image, layout.efi))
    verity = grub_config.parse(boot_files.grub_cfg.decode()).verity
    root = folder / "root"
    extract(image, replace(layout.root, size=verity.data_bytes), root)
    tree = _check_verity(image, layout, verity, root)
    systems = _check_file_systems(image, layout, wanted.changes, root, folder)
    return (table, *tree, *systems, *_check_signatures(boot_files, wanted.keys))


def _check_table(image: Path) -> Verified:
    done = run(["sgdisk", "-v", image], cwd=image.parent, env=_WORDS, check=False)
    # A damaged table whose copy is right is told in a warning, and “no problems” all the same.
    if done.status != 0 or "No problems found" not in done.text or _DAMAGED.search(done.text + done.stderr):
        raise _refused("sgdisk", done)
    return Verified(what="the partition table has no problems", tool="sgdisk -v")


def _check_verity(image: Path, layout: Layout, verity: VerityParameters, root: Path) -> tuple[Verified, ...]:
    """As the kernel does it, which reads no superblock: the table in grub.cfg begins with the tree's second block."""
    numbers = [
        f"--data-blocks={verity.data_blocks}",
        f"--salt={verity.salt.hex() or '-'}",
        "--hash=sha256",
        "--format=1",
    ]
    sizes = [f"--data-block-size={BLOCK}", f"--hash-block-size={BLOCK}", f"--hash-offset={layout.hash.start + BLOCK}"]
    devices = [str(root), str(image), verity.root_hash.hex()]
    done = run(
        ["veritysetup", "verify", "--no-superblock", *numbers, *sizes, *devices],
        cwd=image.parent,
        env=_WORDS,
        check=False,
    )
    if done.status != 0:
        raise _refused("veritysetup verify", done)
    dump = run(
        ["veritysetup", "dump", f"--hash-offset={layout.hash.start}", image], cwd=image.parent, env=_WORDS, check=False
    )
    told = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in dump.text.splitlines())}
    if (told.get("Data blocks"), told.get("Salt")) != (str(verity.data_blocks), verity.salt.hex() or "-"):
        raise _refused("veritysetup dump", dump)
    return (
        Verified(
            what=f"the root file system is what the root hash in grub.cfg stands for: {verity.root_hash.hex()}, "
            f"{verity.data_blocks} blocks",
            tool="veritysetup verify",
        ),
        Verified(what="the hash tree's superblock says the same as grub.cfg", tool="veritysetup dump"),
    )


def _check_file_systems(
    image: Path, layout: Layout, changes: Sequence[FileChange], root: Path, folder: Path
) -> tuple[Verified, ...]:
    files = detect(image, layout.root)
    if isinstance(files, Erofs):
        tool = "fsck.erofs"
        files.check_tree()
        found = _read_by_fsck(root, folder, changes)
        checked = Verified(what="the EROFS root file system is whole, and all of it can be read", tool=tool)
    else:
        tool = "debugfs"
        files.check()
        found = {change.path: files.read(change.path) for change in changes}
        checked = Verified(what="the ext4 root file system is clean", tool="e2fsck -fn")
    for change in changes:
        if found[change.path] != change.content:
            raise RefusedResultError(_NOT_PASSED, f"{change.path} in it has another content than was written.")
    Ext4(image, layout.boot).check()
    return (
        checked,
        Verified(what=f"{len(changes)} files in it are what was written", tool=tool),
        Verified(what="the ext4 boot file system is clean", tool="e2fsck -fn"),
    )


def _read_by_fsck(root: Path, folder: Path, changes: Sequence[FileChange]) -> dict[str, bytes | None]:
    """The files' contents; it unpacks everything, and so reads what was compressed as well as what was added."""
    # Folders get the modes that they have in the image: one that is read only is no hindrance for this one's cleaning.
    with tempfile.TemporaryDirectory(prefix="tree-", dir=folder) as name:
        tree = Path(name) / "root"
        done = run(
            ["fsck.erofs", f"--extract={tree}", "--no-preserve", root], cwd=folder.parent, env=_WORDS, check=False
        )
        if done.status != 0:
            raise _refused("fsck.erofs", done)
        return {change.path: _content(tree / change.path.lstrip("/")) for change in changes}


def _content(file: Path) -> bytes | None:
    return file.read_bytes() if file.is_file() else None


def _check_signatures(boot_files: BootFiles, keys: "SigningKeys | None") -> tuple[Verified, ...]:
    links = verify_unsigned(boot_files) if keys is None else verify_signed(boot_files, keys)
    return tuple(Verified(what=link.what, tool=link.tool) for link in links)


def _refused(tool: str, done: Completed) -> RefusedResultError:
    lines = [line.strip() for line in (done.stderr + done.text).splitlines() if line.strip()]
    return RefusedResultError(_NOT_PASSED, f"{tool} says: {'; '.join(lines[:8])[:600]}")
