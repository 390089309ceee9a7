"""The two partitions that an image starts from, read and written as one set of files.

BOTTLEROCKET-BOOT-A is ext4, shrunk to its least size like the root file system; EFI-SYSTEM is FAT (twoliter 0.5.0,
embedded/rpm2img). Only what changed is written, so that the rest of both partitions stays as it was.
"""

from dataclasses import dataclass
from pathlib import Path

from brqos.architecture import Architecture
from brqos.errors import ConfigurationError
from brqos.image.repack.filesystem.ext4 import Ext4
from brqos.image.repack.filesystem.ext4_growth import read_superblock
from brqos.image.repack.filesystem.fat import Fat
from brqos.image.repack.filesystem.model import FileChange
from brqos.image.repack.gpt import Partition
from brqos.image.repack.signing.model import BOOT_PATHS, BootFiles, efi_paths

_EFI_FOLDER = "EFI/BOOT"
_MUST_BE_THERE = ("shim", "grub", "vmlinuz", "grub_cfg")


@dataclass(frozen=True, slots=True)
class BootPartitions:
    """Where the files are: the image, its BOOT-A and its EFI-SYSTEM partition."""

    image: Path
    boot: Partition
    efi: Partition


def efi_architecture(image: Path, efi: Partition) -> Architecture:
    """Which architecture's shim the EFI system partition has; raises ConfigurationError for none, or for both."""
    names = Fat(image, efi).names(_EFI_FOLDER)
    found = [item for item in Architecture if efi_paths(item)["shim"].rpartition("/")[2] in names]
    if len(found) == 1:
        return found[0]
    raise ConfigurationError(
        f"the EFI system partition has {'no' if not found else 'more than one'} shim",
        why=f"In {_EFI_FOLDER} there are: {', '.join(names) or 'no files'}.",
        todo="Give an OS image of Bottlerocket's that boots with shim and GRUB.",
    )


def read_boot_files(partitions: BootPartitions, architecture: Architecture) -> BootFiles:
    """All of them; raises ConfigurationError where one is missing without which nothing boots."""
    boot, efi = Ext4(partitions.image, partitions.boot), Fat(partitions.image, partitions.efi)
    found = {field: boot.read(f"/{path}") for field, path in BOOT_PATHS.items()}
    paths = efi_paths(architecture)
    found |= {field: efi.read(path) for field, path in paths.items()}
    for field in _MUST_BE_THERE:
        if found[field] is None:
            raise ConfigurationError(
                f"the image has no {(BOOT_PATHS | paths)[field]}",
                why="Without it the image does not boot with GRUB.",
                todo="Give an OS image of Bottlerocket's that boots with shim and GRUB.",
            )
    return BootFiles(architecture=architecture, **found)  # type: ignore[arg-type]


def write_boot_files(partitions: BootPartitions, before: BootFiles, after: BootFiles) -> tuple[str, ...]:
    """Write what differs between the two, read it back, and return the paths that were changed or removed.

    A path begins with its partition: `BOTTLEROCKET-BOOT-A/grub/grub.cfg`.
    """
    # Files on FAT get a time that follows from the input: that of the last write to the other partition.
    written = read_superblock(partitions.image, partitions.boot).written
    boot = _differences(before, after, BOOT_PATHS)
    if boot:
        changes = [FileChange(f"/{path}", data, "boot", 0o600) for path, data in boot.items() if data is not None]
        Ext4(partitions.image, partitions.boot).write(
            changes, remove=[f"/{path}" for path, data in boot.items() if data is None]
        )
    efi = _differences(before, after, efi_paths(after.architecture))
    if efi:
        Fat(partitions.image, partitions.efi).write(efi, written=written)
    if read_boot_files(partitions, after.architecture) != after:
        raise ConfigurationError(
            "the boot files in the image are not those that were written",
            todo="Nothing was kept. Check the versions of the tools with `brqos doctor --engine repack`.",
        )
    return tuple(
        sorted(
            [f"{partitions.boot.label}/{path}" for path in boot] + [f"{partitions.efi.label}/{path}" for path in efi]
        )
    )


def _differences(before: BootFiles, after: BootFiles, paths: dict[str, str]) -> dict[str, bytes | None]:
    """Path -> what shall be there, for the files that differ; None for one that shall not be there."""
    return {
        path: getattr(after, field) for field, path in paths.items() if getattr(before, field) != getattr(after, field)
    }
