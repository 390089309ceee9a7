"""Images that are not right, each made of a copy of a good one.

A root filesystem without a free block is no damage but an option of the maker: ImageOptions(full=True).
"""

import random
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import Enum
from pathlib import Path

from . import pe
from .filesystem import make_efi_system, replace_in_boot
from .maker import copy
from .model import BLOCK, MIB, SyntheticImage
from .partitions import BOOT, EFI_SYSTEM, HASH, ROOT, write_table
from .profile import ConfigSigner
from .tools import run


class Damage(Enum):
    """What is wrong."""

    TRUNCATED = "the file ends in the middle"
    NO_TABLE = "no partition table at all"
    PRIMARY_TABLE = "the primary partition table's checksum is wrong, its copy is right"
    OUTSIDE = "the last partition ends beyond the disk"
    GARBAGE = "random bytes, as an encrypted file has"
    ENCRYPTED_ROOT = "the root partition is LUKS"
    DATA_BLOCK = "one bit of the root filesystem is flipped"
    TREE_LEAF = "one bit of the hash tree's lowest level is flipped"
    TREE_ROOT = "one bit of the hash tree's first block is flipped"
    SUPERBLOCK_MAGIC = "the hash partition does not begin as veritysetup writes it"
    SUPERBLOCK_SALT = "the superblock has another salt than the kernel's command line"
    SUPERBLOCK_BLOCKS = "the superblock has another number of blocks than the kernel's command line"
    LABEL_MISSING = "no partition is called BOTTLEROCKET-HASH-A"
    LABEL_TWICE = "two partitions are called BOTTLEROCKET-ROOT-A"
    UKI = "a unified kernel image boots it: no GRUB, no boot partition"
    NO_GRUB_CONFIG = "the boot partition has no grub.cfg"
    NO_VERITY = "grub.cfg sets no dm_verity_root"
    VERITY_TWICE = "grub.cfg sets dm_verity_root twice"
    OTHER_HASH = "grub.cfg's dm_verity_root says sha512"
    OTHER_ROOT_HASH = "grub.cfg has another root hash than the tree"


def break_image(image: SyntheticImage, damage: Damage, folder: Path) -> SyntheticImage:
    """A damaged copy of the image in another folder; what the result says of itself is still the good one's."""
    broken = copy(image, folder)
    _WAYS[damage](broken)
    return broken


def flip_bit(image: SyntheticImage, label: str, offset: int) -> None:
    """Flip the lowest bit of one byte of a partition, in place."""
    byte = image.read(label)[offset]
    image.write(label, bytes([byte ^ 1]), offset)


def change_grub_config(image: SyntheticImage, change: Callable[[str], str]) -> None:
    """Rewrite grub.cfg in place; signed again, if the image has a profile."""
    with _boot_partition(image) as path:
        text = run(["debugfs", "-R", "cat /grub/grub.cfg", path]).partition("\n")[2]
        content = change(text).encode()
        files: dict[str, bytes | None] = {"grub/grub.cfg": content}
        if image.options.profile is not None:
            with ConfigSigner(image.options.profile) as signer:
                files["grub/grub.cfg.sig"] = signer.sign(content)
        replace_in_boot(path, files)


@contextmanager
def _boot_partition(image: SyntheticImage) -> Iterator[Path]:
    """The boot partition as a file, put back at the end."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "boot"
        path.write_bytes(image.read(BOOT))
        yield path
        image.write(BOOT, path.read_bytes())


def _truncate(image: SyntheticImage) -> None:
    root = image.partition(ROOT)
    with image.os_image.open("r+b") as file:
        file.truncate(root.start + root.size // 2)


def _no_table(image: SyntheticImage) -> None:
    end = image.options.layout.total * MIB
    with image.os_image.open("r+b") as file:
        for start in (0, end - MIB):
            file.seek(start)
            file.write(bytes(MIB))


def _primary_table(image: SyntheticImage) -> None:
    with image.os_image.open("r+b") as file:
        # The checksum of the header.
        file.seek(512 + 16)
        file.write(b"\xff\xff\xff\xff")


def _outside(image: SyntheticImage) -> None:
    *others, last = image.partitions
    write_table(image.os_image, [*others, replace(last, size=8 * MIB)])


def _garbage(image: SyntheticImage) -> None:
    image.os_image.write_bytes(random.Random("garbage").randbytes(4 * MIB))


def _encrypted_root(image: SyntheticImage) -> None:
    image.write(ROOT, b"LUKS\xba\xbe\x00\x02" + random.Random("luks").randbytes(MIB - 8))


def _data_block(image: SyntheticImage) -> None:
    """In a block that is not blank: with ignore_zero_blocks the kernel does not even read a blank one."""
    root = image.read(ROOT)
    middle = image.verity.data_blocks // 2
    number = next(n for n in range(middle, image.verity.data_blocks) if any(root[n * BLOCK : (n + 1) * BLOCK]))
    flip_bit(image, ROOT, number * BLOCK + 1000)


def _tree_leaf(image: SyntheticImage) -> None:
    # Levels lie from the root (block 1) to the leaves; in a tree of one level both are the same block.
    tree = image.read(HASH).rstrip(b"\x00")
    flip_bit(image, HASH, (len(tree) - 1) // BLOCK * BLOCK + 8)


def _tree_root(image: SyntheticImage) -> None:
    flip_bit(image, HASH, BLOCK + 8)


def _labelled(image: SyntheticImage, old: str, new: str) -> None:
    write_table(image.os_image, [replace(p, label=new) if p.label == old else p for p in image.partitions])


def _uki(image: SyntheticImage) -> None:
    """Known from upstream's threads only (August and September 2026): no GRUB and no BOOT partitions."""
    options = image.options
    kernel = pe.build(
        options.architecture,
        [
            pe.Section(".text", b"\xc3" * 512, pe.CODE),
            pe.Section(".osrel", f'ID=bottlerocket\nVERSION_ID="{options.version}"\n'.encode()),
            pe.Section(".cmdline", f"roothash={image.verity.root_hash}".encode()),
            pe.Section(".linux", b"MZ" + bytes(4096)),
        ],
    )
    write_table(image.os_image, [part for part in image.partitions if "BOOT-A" not in part.label])
    image.write(BOOT, bytes(image.partition(BOOT).size))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "esp"
        loader = f"EFI/BOOT/boot{options.efi_architecture}.efi"
        files = {loader: kernel, "EFI/Linux/bottlerocket.efi": kernel}
        make_efi_system(path, image.partition(EFI_SYSTEM).size, files)
        image.write(EFI_SYSTEM, path.read_bytes())


def _no_grub_config(image: SyntheticImage) -> None:
    with _boot_partition(image) as path:
        replace_in_boot(path, {"grub/grub.cfg": None})


def _without_verity(text: str) -> str:
    return "\n".join(line for line in text.split("\n") if not line.startswith("set dm_verity_root="))


def _with_verity_twice(text: str) -> str:
    line = next(line for line in text.split("\n") if line.startswith("set dm_verity_root="))
    return text.replace(line, f"{line}\n{line}")


def _with_other_root_hash(text: str) -> str:
    return re.sub(r" sha256 [0-9a-f]{64} ", f" sha256 {'5a' * 32} ", text)


def _config(change: Callable[[str], str]) -> Callable[[SyntheticImage], None]:
    return lambda image: change_grub_config(image, change)


# The superblock: the number of data blocks at 40, the salt at 88 (cryptsetup, lib/verity/verity.c).
_WAYS: dict[Damage, Callable[[SyntheticImage], None]] = {
    Damage.TRUNCATED: _truncate,
    Damage.NO_TABLE: _no_table,
    Damage.PRIMARY_TABLE: _primary_table,
    Damage.OUTSIDE: _outside,
    Damage.GARBAGE: _garbage,
    Damage.ENCRYPTED_ROOT: _encrypted_root,
    Damage.DATA_BLOCK: _data_block,
    Damage.TREE_LEAF: _tree_leaf,
    Damage.TREE_ROOT: _tree_root,
    Damage.SUPERBLOCK_MAGIC: lambda image: image.write(HASH, b"nothing!"),
    Damage.SUPERBLOCK_SALT: lambda image: image.write(HASH, bytes(32), 88),
    Damage.SUPERBLOCK_BLOCKS: lambda image: flip_bit(image, HASH, 40),
    Damage.LABEL_MISSING: lambda image: _labelled(image, HASH, "SOMETHING-ELSE"),
    Damage.LABEL_TWICE: lambda image: _labelled(image, "BOTTLEROCKET-RESERVED-A", ROOT),
    Damage.UKI: _uki,
    Damage.NO_GRUB_CONFIG: _no_grub_config,
    Damage.NO_VERITY: _config(_without_verity),
    Damage.VERITY_TWICE: _config(_with_verity_twice),
    Damage.OTHER_HASH: _config(lambda text: text.replace(" sha256 ", " sha512 ")),
    Damage.OTHER_ROOT_HASH: _config(_with_other_root_hash),
}
