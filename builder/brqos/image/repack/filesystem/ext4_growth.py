"""ext4's superblock, and making room: the file system grows within its partition by as few blocks as will do."""

import re
import struct
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from brqos.image.repack.filesystem.model import CorruptError, FullError
from brqos.image.repack.gpt import Partition
from brqos.image.repack.working import extract, put_back
from brqos.process import run

MAGIC = 0xEF53
_AT = 1024
_SIZE = 1024
_BLOCK_SIZES = (1024, 2048, 4096)
_SPARE_BLOCKS = 8
_HAS_JOURNAL = 0x4
_64BIT = 0x80
# s_state: what a clean file system has, and no error.
_CLEAN = 1


@dataclass(frozen=True, slots=True)
class Superblock:
    """What matters here (Linux, Documentation/filesystems/ext4/super.rst); `written` is in seconds since 1970."""

    block_size: int
    blocks: int
    blocks_per_group: int
    free_blocks: int
    free_inodes: int
    written: int
    features: tuple[int, int, int]

    @property
    def size(self) -> int:
        """Bytes of the file system."""
        return self.blocks * self.block_size

    def has_free(self, blocks: int, inodes: int) -> bool:
        """Whether that many are free."""
        return self.free_blocks >= blocks and self.free_inodes >= inodes


def read_superblock(image: Path, partition: Partition) -> Superblock:
    """The superblock; raises ConfigurationError where there is none, or one that upstream does not make."""
    with image.open("rb") as disk:
        disk.seek(partition.start + _AT)
        raw = disk.read(_SIZE)
    (magic,) = struct.unpack_from("<H", raw, 0x38) if len(raw) == _SIZE else (0,)
    if magic != MAGIC:
        raise CorruptError("it has no superblock of ext4")
    free_inodes, block_shift = struct.unpack_from("<I", raw, 0x10)[0], struct.unpack_from("<I", raw, 0x18)[0]
    compatible, incompatible, read_only = struct.unpack_from("<III", raw, 0x5C)
    high = incompatible & _64BIT
    found = Superblock(
        block_size=1024 << min(block_shift, 16),
        blocks=_wide(raw, 0x04, 0x150 if high else None),
        blocks_per_group=struct.unpack_from("<I", raw, 0x20)[0],
        free_blocks=_wide(raw, 0x0C, 0x158 if high else None),
        free_inodes=free_inodes,
        written=struct.unpack_from("<I", raw, 0x30)[0],
        features=(compatible, incompatible, read_only),
    )
    if found.block_size not in _BLOCK_SIZES:
        raise CorruptError(f"its blocks have {found.block_size} bytes")
    if compatible & _HAS_JOURNAL:
        raise CorruptError("it has a journal, which a file system that is read only never has")
    if struct.unpack_from("<H", raw, 0x3A)[0] != _CLEAN:
        raise CorruptError("it is not marked as clean")
    if found.size > partition.size:
        raise CorruptError(f"it has {found.size} bytes, and its partition {partition.size}: it is cut off")
    return found


def environment(superblock: Superblock) -> dict[str, str]:
    """What e2fsprogs' programs need to say and write the same at any time, on any machine.

    E2FSPROGS_FAKE_TIME is their own test suite's (lib/ext2fs, debugfs, resize2fs): seconds, and 0 means “not set”.
    """
    return {"LC_ALL": "C", "E2FSPROGS_FAKE_TIME": str(max(superblock.written, 1))}


def make_room(image: Path, partition: Partition, blocks: int, inodes: int) -> None:
    """Grow until that many blocks and inodes are free; raises FullError where the partition ends before."""
    before = read_superblock(image, partition)
    if before.has_free(blocks, inodes):
        return
    most = partition.size // before.block_size
    with tempfile.TemporaryDirectory(prefix="grow-", dir=image.parent) as folder:
        # A file of its own: resize2fs cuts the file that it works on to the size of the file system.
        grown = Path(folder) / "ext4"
        extract(image, partition, grown)
        whole = replace(partition, start=0)
        now, wanted, step = before, before.blocks, _SPARE_BLOCKS
        while not now.has_free(blocks, inodes):
            if wanted == most:
                raise FullError("ext4", _told(blocks, inodes, now, most))
            more = blocks - now.free_blocks if now.free_inodes >= inodes else now.blocks_per_group
            wanted = min(wanted + max(more, 0) + step, most)
            # A last group that is too small for its own tables is left out by resize2fs: then further, and faster.
            step *= 2
            _resize(grown, wanted, before)
            now = read_superblock(grown, whole)
        if now.features != before.features:
            raise CorruptError("resize2fs changed its features")
        put_back(image, partition, grown)


def _resize(file: Path, blocks: int, before: Superblock) -> None:
    done = run(["resize2fs", "-f", file.name, str(blocks)], cwd=file.parent, env=environment(before), check=False)
    if done.status != 0:
        words = [line for line in done.stderr.splitlines() if line and not re.match(r"resize2fs \d", line)]
        raise CorruptError(f"resize2fs cannot make it larger: {'; '.join(words[-3:])}")


def _told(blocks: int, inodes: int, now: Superblock, most: int) -> str:
    return (
        f"{blocks} blocks and {inodes} inodes are needed; {now.free_blocks} and {now.free_inodes} are free, with"
        f" {now.blocks} of {most} blocks of the partition in use."
    )


def _wide(raw: bytes, low: int, high: int | None) -> int:
    (value,) = struct.unpack_from("<I", raw, low)
    more = struct.unpack_from("<I", raw, high)[0] if high is not None else 0
    return int(value | more << 32)
