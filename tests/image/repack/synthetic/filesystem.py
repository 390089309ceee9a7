"""Filesystems made of RootFile entries without root: ext4 as twoliter makes it, EROFS likewise, FAT by mtools."""

import os
import random
import re
import stat
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from .model import BLOCK, EPOCH, MIB, ImageOptions, guid
from .root_files import OS_LABEL, RootFile, file_contexts
from .tools import run

_FILL = "filled-up"

# e2fsprogs' own defaults up to 1.46, wherever the image is made: later ones add features (orphan_file) that GRUB 2.06
# does not read.
_MKE2FS_CONFIG = """\
[defaults]
    base_features = sparse_super,large_file,filetype,resize_inode,dir_index,ext_attr
    default_mntopts = acl,user_xattr
    enable_periodic_fsck = 0
    blocksize = 4096
    inode_size = 256
    inode_ratio = 16384
[fs_types]
    ext4 = {
        features = has_journal,extent,huge_file,flex_bg,metadata_csum,64bit,dir_nlink,extra_isize
    }
    small = {
        blocksize = 1024
        inode_ratio = 4096
    }
"""


def make_root(image: Path, options: ImageOptions, files: Iterable[RootFile]) -> None:
    """The root filesystem (twoliter, rpm2img): an ext4 shrunk to its least size, or an EROFS."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        write_tree(tree, files)
        if options.filesystem.value == "ext4":
            _make_ext4_root(image, options, tree, files)
        else:
            _make_erofs_root(image, options, tree, Path(folder) / "file_contexts")


def make_boot(image: Path, size: int, files: Iterable[RootFile]) -> None:
    """The filesystem of BOTTLEROCKET-BOOT-A: ext4 without journal, only root may read it, shrunk to its least size."""
    _make_ext4(image, "boot", size, files, ["-O", "^has_journal"])
    run(["resize2fs", "-M", image])


def make_private(image: Path, size: int, bootconfig: bytes) -> None:
    """BOTTLEROCKET-PRIVATE: ext4 with a journal, no labels, one file."""
    files = [RootFile("bootconfig.data", bootconfig, label=None)]
    _make_ext4(image, "private", size, files, ["-b", "4096", "-i", "4096", "-I", "256"], labelled=False)


def make_efi_system(image: Path, size: int, files: Mapping[str, bytes]) -> None:
    """EFI-SYSTEM: FAT; the files' names with their folders, as in EFI/BOOT/bootx64.efi."""
    with image.open("wb") as file:
        file.truncate(size)
    run(["mkfs.fat", "--invariant", "-I", "-S", "512", image, str(size // 1024)])
    folders = sorted({parent.as_posix() for name in files for parent in PurePosixPath(name).parents} - {"."})
    run(["mmd", "-i", image, *(f"::/{folder}" for folder in folders)])
    with tempfile.TemporaryDirectory() as work:
        for name, content in files.items():
            path = Path(work) / PurePosixPath(name).name
            path.write_bytes(content)
            os.utime(path, (EPOCH, EPOCH))
            run(["mcopy", "-m", "-i", image, path, f"::/{name}"])


def replace_in_boot(image: Path, files: Mapping[str, bytes | None]) -> None:
    """Replace files of an ext4 by debugfs, or take them away (None); modes and labels are a boot partition's."""
    with tempfile.TemporaryDirectory() as work:
        lines = []
        for number, (name, content) in enumerate(files.items()):
            lines.append(f"rm /{name}")
            if content is not None:
                (Path(work) / str(number)).write_bytes(content)
                lines += [f"write {work}/{number} /{name}", f"set_inode_field /{name} mode 0100600"]
                lines.append(f"ea_set /{name} security.selinux {OS_LABEL}")
        run(["debugfs", "-w", "-f", "-", image], stdin="\n".join([*lines, ""]).encode())


def write_tree(folder: Path, files: Iterable[RootFile]) -> None:
    """Write the entries below a new folder, with their modes and a fixed time."""
    folder.mkdir()
    folders = [folder]
    for entry in files:
        path = folder / entry.path
        if stat.S_ISDIR(entry.mode):
            path.mkdir()
            folders.append(path)
        elif stat.S_ISLNK(entry.mode):
            path.symlink_to(entry.content.decode())
        else:
            path.write_bytes(entry.content)
        if not stat.S_ISLNK(entry.mode):
            path.chmod(stat.S_IMODE(entry.mode))
        os.utime(path, (EPOCH, EPOCH), follow_symlinks=False)
    for path in folders:
        os.utime(path, (EPOCH, EPOCH))


def _make_ext4_root(image: Path, options: ImageOptions, tree: Path, files: Iterable[RootFile]) -> None:
    size = options.layout.root * (1 if options.layout.two_banks else 2) * MIB
    extended = "lazy_itable_init=0,stride=1024,stripe_width=1024"
    _format_ext4(image, "root", size, tree, ["-O", "^has_journal", "-b", str(BLOCK)], extended)
    _finish_ext4(image, files)
    if options.full:
        _fill_ext4(image, size)
    else:
        run(["resize2fs", "-M", image])


def _make_ext4(
    image: Path, name: str, size: int, files: Iterable[RootFile], arguments: list[str], *, labelled: bool = True
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        write_tree(tree, files)
        if labelled:
            tree.chmod(0o700)
        _format_ext4(image, name, size, tree, arguments, "lazy_itable_init=0")
    _finish_ext4(image, files, labelled=labelled)


def _format_ext4(image: Path, name: str, size: int, tree: Path, arguments: list[str], extended: str) -> None:
    identity = f"hash_seed={guid(f'{name} hash')},root_owner=0:0"
    command = ["mke2fs", "-q", "-F", "-t", "ext4", *arguments, "-U", guid(name), "-E", f"{extended},{identity}"]
    with tempfile.NamedTemporaryFile("w") as config:
        config.write(_MKE2FS_CONFIG)
        config.flush()
        run([*command, "-d", tree, image, f"{size // MIB}M"], env={"MKE2FS_CONFIG": config.name})


def _finish_ext4(image: Path, files: Iterable[RootFile], *, labelled: bool = True) -> None:
    """Labels, as rpm2img sets them (no NUL at their end), owners and times that do not depend on who builds."""
    lines = []
    for path, label in [("/", OS_LABEL), ("/lost+found", OS_LABEL), *((f"/{e.path}", e.label) for e in files)]:
        quoted = f'"{path}"'
        if label is not None and labelled:
            lines.append(f"ea_set {quoted} security.selinux {label}")
        for field, value in (("uid", "0"), ("gid", "0"), *((time, f"@{EPOCH}") for time in ("atime", "ctime"))):
            lines.append(f"set_inode_field {quoted} {field} {value}")
    said = run(["debugfs", "-w", "-f", "-", image], stdin="\n".join([*lines, ""]).encode())
    # debugfs ends with status 0 whatever happens: all that it should say is its name and our commands.
    if trouble := [line for line in said.splitlines() if line and not re.match(r"debugfs( \d|: )", line)]:
        raise RuntimeError("\n".join(trouble))


def _fill_ext4(image: Path, size: int) -> None:
    """A file that takes all free blocks; the last of them hold its extents."""
    with tempfile.NamedTemporaryFile() as file:
        block = bytes(range(1, 256)) * (MIB // 255 + 1)
        for _ in range(size // MIB):
            file.write(block[:MIB])
        file.flush()
        run(["debugfs", "-w", "-f", "-", image], stdin=f"write {file.name} {_FILL}\n".encode())
    run(["e2fsck", "-fn", image])
    free = re.search(r"Free blocks:\s+(\d+)", run(["dumpe2fs", "-h", image]))
    assert free, "dumpe2fs tells no free blocks"
    if int(free[1]) > 0:
        raise RuntimeError(f"{free[1]} blocks are still free")


def _make_erofs_root(image: Path, options: ImageOptions, tree: Path, contexts: Path) -> None:
    contexts.write_text(file_contexts(options))
    tree.chmod(0o555)
    size = options.layout.root * (1 if options.layout.two_banks else 2) * MIB
    _format_erofs(image, options, tree, contexts)
    if options.full:
        _fill_erofs(image, size, options, tree, contexts)
    tree.chmod(0o755)
    if image.stat().st_size > size:
        raise ValueError(f"the files need {image.stat().st_size} bytes, the partition has {size}")


def _fill_erofs(image: Path, size: int, options: ImageOptions, tree: Path, contexts: Path) -> None:
    """A file of bytes that do not compress, so large that no block is left; its index is what has to be guessed."""
    free = size - image.stat().st_size
    noise, filler = random.Random(0).randbytes(free), free - free // 256
    for _ in range(8):
        (tree / _FILL).write_bytes(noise[:filler])
        _format_erofs(image, options, tree, contexts)
        left = size - image.stat().st_size
        if left == 0:
            return
        filler = min(filler + left, free)
    raise RuntimeError(f"{left} bytes are left free")


def _format_erofs(image: Path, options: ImageOptions, tree: Path, contexts: Path) -> None:
    image.unlink(missing_ok=True)
    run(
        [
            *("mkfs.erofs", f"--file-contexts={contexts}", "--all-root", f"-T{EPOCH}", f"-U{guid('root')}"),
            *(f"-z{options.erofs_compression}", "-C262144", image, tree),
        ]
    )
