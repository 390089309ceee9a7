"""Which file system a partition has: by what it begins with, never by a name."""

from pathlib import Path

from brqos.errors import ConfigurationError
from brqos.image.repack.filesystem.erofs import Erofs
from brqos.image.repack.filesystem.erofs_format import is_erofs
from brqos.image.repack.filesystem.ext4 import Ext4
from brqos.image.repack.filesystem.ext4_growth import MAGIC
from brqos.image.repack.filesystem.model import FileSystem
from brqos.image.repack.gpt import Partition
from brqos.image.repack.working import read_partition

# Up to btrfs's superblock, which is the one that lies furthest behind.
_LOOKED_AT = 0x10048
_OTHERS = (
    (0, b"LUKS\xba\xbe", "it is encrypted (LUKS)"),
    (0, b"XFSB", "it is XFS"),
    (0, b"hsqs", "it is SquashFS"),
    (0, b"verity\0\0", "it is a dm-verity tree"),
    (0x10040, b"_BHRfS_M", "it is btrfs"),
    (510, b"\x55\xaa", "it begins with a boot sector"),
)


def detect(image: Path, partition: Partition) -> FileSystem:
    """The file system of a partition; raises ConfigurationError, in words, for one that is not known here."""
    head = read_partition(image, partition, min(_LOOKED_AT, partition.size))
    if is_erofs(head):
        return Erofs(image, partition)
    if head[1024 + 56 : 1024 + 58] == MAGIC.to_bytes(2, "little"):
        return Ext4(image, partition)
    raise ConfigurationError(
        f"the partition {partition.label} has no file system that is known here",
        why=f"It should be ext4 or EROFS, but {_what(head)}.",
        todo="Give an OS image as Bottlerocket's own build or its update repository has it.",
    )


def _what(head: bytes) -> str:
    if not any(head):
        return "it is blank"
    found = (what for at, magic, what in _OTHERS if head[at : at + len(magic)] == magic)
    return next(found, "nothing in it is recognised; it may be encrypted, or damaged")
