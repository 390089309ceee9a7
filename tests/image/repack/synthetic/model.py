"""What an image shall be like, and what was made."""

import uuid
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

MIB = 1 << 20
SECTOR = 512
BLOCK = 4096

# All that is random in a real image comes from here, so that the same options give the same image.
_NAMESPACE = uuid.UUID("6f1a8a10-3f0b-4c39-9a0e-b0771e50c4e7")
# 2025-01-01T00:00:00Z: the time of all files.
EPOCH = 1735689600


class MissingError(Exception):
    """A program or a Debian package that the image needs is not here: a test skips, or fails where it is mandatory."""


class Filesystem(Enum):
    """What the root filesystem is: ext4, or EROFS (kernel 6.12 variants since Bottlerocket 1.39)."""

    EXT4 = "ext4"
    EROFS = "erofs"


class Binaries(Enum):
    """Whose programs are in the boot chain.

    FAKE: PE files of a few KiB made by ourselves, with the sections that matter; nothing can boot them. REAL: Debian's
    shim, MokManager and kernel, and a GRUB made of Debian's modules (x86_64 only).
    """

    FAKE = "fake"
    REAL = "real"


@dataclass(frozen=True, slots=True)
class Layout:
    """The sizes of the partitions in MiB; labels and order are always upstream's (twoliter, embedded/partyplanner)."""

    bios: int
    efi: int
    boot: int
    root: int
    hash: int
    reserved: int
    private: int
    data: int
    two_banks: bool = True

    @property
    def total(self) -> int:
        """Size of the whole OS image in MiB; the first and the last are the partition tables'."""
        bank = self.efi + self.boot + self.root + self.hash + self.reserved
        return 1 + self.bios + 2 * bank + self.private + 1 + 1


# A 2 GiB image with two banks and a 1 GiB data image: aws-k8s-* of every release.
REAL = Layout(bios=4, efi=5, boot=40, root=920, hash=10, reserved=25, private=41, data=1024)
# For quick tests with fake binaries: 64 MiB.
SMALL = Layout(bios=1, efi=3, boot=4, root=16, hash=1, reserved=1, private=10, data=8)
# Room for Debian's binaries, and for an initramfs on the private partition: 200 MiB.
MIDDLE = Layout(bios=4, efi=5, boot=24, root=32, hash=2, reserved=1, private=64, data=8)

LAYOUTS = {"real": REAL, "small": SMALL, "middle": MIDDLE}


@dataclass(frozen=True, slots=True)
class ImageOptions:
    """All parameters of an image."""

    layout: Layout = SMALL
    filesystem: Filesystem = Filesystem.EXT4
    architecture: str = "x86_64"
    variant: str = "aws-k8s-1.29"
    version: str = "1.55.0"
    build_id: str = "0a1b2c3d"
    kubelet: str = "1.29.15"
    # Whether the kubelet runs with --config-dir (core kit 10.0.0 and later).
    drop_in_directory: bool = True
    filler_files: int = 4
    filler_bytes: int = 64 * 1024
    # Fill the root partition to its last block, so that nothing can be added.
    full: bool = False
    binaries: Binaries = Binaries.FAKE
    # The signing profile; without it the image is one of a variant without the feature uefi-secure-boot.
    profile: Path | None = None
    erofs_compression: str = "lz4hc,12"
    # A kernel's and an initramfs's files for an image that shall boot (see bootable.py).
    kernel: Path | None = None
    bootconfig: bytes | None = field(default=None, repr=False)
    kernel_parameters: tuple[str, ...] = (
        "console=tty0",
        "console=ttyS0,115200n8",
        "net.ifnames=0",
        "netdog.default-interface=eth0:dhcp4,dhcp6?",
        "quiet",
    )

    @property
    def sys_root(self) -> str:
        """Where the files of /usr really are (core kit, packages/filesystem): /usr is a symlink to it."""
        return f"{self.architecture}-bottlerocket-linux-gnu/sys-root/usr"

    @property
    def name(self) -> str:
        """The file names' beginning, as twoliter makes it."""
        return f"bottlerocket-{self.variant}-{self.architecture}-{self.version}-{self.build_id}"

    @property
    def efi_architecture(self) -> str:
        """How EFI abbreviates the architecture."""
        return {"x86_64": "x64", "aarch64": "aa64"}[self.architecture]


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition of the OS image; start and size in bytes."""

    number: int
    label: str
    start: int
    size: int
    guid: str


@dataclass(frozen=True, slots=True)
class Verity:
    """What `veritysetup format` said; `data_blocks` of 4096 bytes, the others in hexadecimal."""

    data_blocks: int
    root_hash: str
    salt: str


@dataclass(frozen=True, slots=True)
class SyntheticImage:
    """An image that was made: two raw, sparse files."""

    os_image: Path
    data_image: Path
    options: ImageOptions
    verity: Verity
    partitions: tuple[Partition, ...]

    def partition(self, label: str) -> Partition:
        """The first partition with this label."""
        return next(part for part in self.partitions if part.label == label)

    def read(self, label: str) -> bytes:
        """All bytes of a partition."""
        part = self.partition(label)
        with self.os_image.open("rb") as file:
            file.seek(part.start)
            return file.read(part.size)

    def write(self, label: str, content: bytes, offset: int = 0) -> None:
        """Overwrite bytes of a partition, `offset` bytes after its start."""
        part = self.partition(label)
        assert offset + len(content) <= part.size
        with self.os_image.open("r+b") as file:
            file.seek(part.start + offset)
            file.write(content)


def guid(name: str) -> str:
    """A GUID that is always the same for this name."""
    return str(uuid.uuid5(_NAMESPACE, name))
