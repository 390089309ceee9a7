"""What somebody may do to a repacked image, each done to a copy of it."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from image.repack.synthetic import SyntheticImage
from image.repack.synthetic.broken import flip_bit
from image.repack.synthetic.filesystem import replace_in_boot
from image.repack.synthetic.model import BLOCK
from image.repack.synthetic.partitions import BOOT, EFI_SYSTEM, HASH, ROOT
from image.repack.synthetic.profile import ConfigSigner
from image.repack.synthetic.tools import run

SHIM, GRUB = "::/EFI/BOOT/bootx64.efi", "::/EFI/BOOT/grubx64.efi"
GRUB_CONFIG, SIGNATURE, KERNEL = "grub/grub.cfg", "grub/grub.cfg.sig", "vmlinuz"

Tampering = Callable[[SyntheticImage], None]
"""Changes an image in place."""


def untouched(image: SyntheticImage) -> None:
    """Leave it as it is."""


def bit_of_file(content: bytes) -> Tampering:
    """Flip one bit of a file in the root file system, found by its content."""

    def change(image: SyntheticImage) -> None:
        offset = image.read(ROOT).find(content)
        assert offset >= 0, "the file's bytes are not on the disk as they are: it is compressed"
        flip_bit(image, ROOT, offset + len(content) // 2)

    return change


def bit_of_data(image: SyntheticImage) -> None:
    """Flip one bit in the middle of the root; the kernel does not read blank blocks (ignore_zero_blocks)."""
    root = image.read(ROOT)
    used = [at for at in range(0, len(root.rstrip(b"\x00")), BLOCK) if root[at : at + BLOCK].strip(b"\x00")]
    flip_bit(image, ROOT, used[len(used) // 2] + BLOCK // 2)


def bit_of_tree(image: SyntheticImage) -> None:
    """Flip one bit of the hash tree's first block, which every check of a data block begins with."""
    flip_bit(image, HASH, BLOCK + 8)


def changed_grub_config(image: SyntheticImage) -> None:
    """Add an argument to the kernel's command line, and keep the signature."""
    with _partition(image, BOOT) as path:
        replace_in_boot(path, {GRUB_CONFIG: _with_argument(_read(path, GRUB_CONFIG))})


def changed_grub_config_signed_anew(image: SyntheticImage) -> None:
    """The same change, by somebody who has the key."""
    profile = image.options.profile
    assert profile is not None, "an image without keys"
    with _partition(image, BOOT) as path, ConfigSigner(profile) as signer:
        text = _with_argument(_read(path, GRUB_CONFIG))
        replace_in_boot(path, {GRUB_CONFIG: text, SIGNATURE: signer.sign(text)})


def _with_argument(text: bytes) -> bytes:
    # An initramfs does not look at it.
    changed = text.replace(b"console=ttyS0", b"init=/bin/sh console=ttyS0", 1)
    assert changed != text, "the command line is not as expected"
    return changed


def grub_config_of(other: SyntheticImage) -> Tampering:
    """Put another image's grub.cfg in, with its own signature."""

    def change(image: SyntheticImage) -> None:
        with _partition(other, BOOT) as path:
            taken: Mapping[str, bytes] = {name: _read(path, name) for name in (GRUB_CONFIG, SIGNATURE)}
        with _partition(image, BOOT) as path:
            replace_in_boot(path, taken)

    return change


def kernel_of(other: SyntheticImage) -> Tampering:
    """Put another image's kernel in."""

    def change(image: SyntheticImage) -> None:
        with _partition(other, BOOT) as path:
            kernel = _read(path, KERNEL)
        with _partition(image, BOOT) as path:
            replace_in_boot(path, {KERNEL: kernel})

    return change


def program_of(other: SyntheticImage, name: str) -> Tampering:
    """Put another image's shim or GRUB in."""

    def change(image: SyntheticImage) -> None:
        with _partition(other, EFI_SYSTEM) as path, tempfile.TemporaryDirectory() as folder:
            taken = Path(folder) / "program"
            run(["mcopy", "-i", path, name, taken])
            with _partition(image, EFI_SYSTEM) as target:
                run(["mcopy", "-o", "-i", target, taken, name])

    return change


def root_of(other: SyntheticImage) -> Tampering:
    """Put another image's root file system and its hash tree in: whole, but not what grub.cfg says."""

    def change(image: SyntheticImage) -> None:
        for label in (ROOT, HASH):
            image.write(label, other.read(label))

    return change


@contextmanager
def _partition(image: SyntheticImage, label: str) -> Iterator[Path]:
    """A partition as a file, put back at the end if it changed."""
    with tempfile.TemporaryDirectory() as folder:
        path, before = Path(folder) / "partition", image.read(label)
        path.write_bytes(before)
        yield path
        if (after := path.read_bytes()) != before:
            image.write(label, after)


def _read(partition: Path, name: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "file"
        run(["debugfs", "-R", f"dump /{name} {target}", partition])
        return target.read_bytes()
