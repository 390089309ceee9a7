"""The partition table of a disk image: read only, never written.

UEFI Specification 2.10, chapter 5 (GUID Partition Table): a header in the second sector with CRC-32 over itself and
over its entries, and a copy of both at the end of the disk. Sectors have 512 bytes, as in all of Bottlerocket's images.
"""

import itertools
import struct
import uuid
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from brqos.errors import ConfigurationError

SECTOR = 512
_HEADER = struct.Struct("<8s4sIIIQQQQ16sQIII")
_ENTRY = struct.Struct("<16s16sQQQ72s")
_SIGNATURE = b"EFI PART"
_MOST_ENTRIES, _LARGEST_ENTRY = 1024, 4096


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition: `start` and `size` are bytes from the beginning of the disk, `number` counts from 1."""

    number: int
    label: str
    start: int
    size: int
    type_guid: uuid.UUID
    guid: uuid.UUID
    attributes: int

    @property
    def end(self) -> int:
        """The first byte behind it."""
        return self.start + self.size


@dataclass(frozen=True, slots=True)
class PartitionTable:
    """All partitions of a disk of `size` bytes, in their order."""

    size: int
    partitions: tuple[Partition, ...]

    def labelled(self, label: str) -> Partition:
        """The only partition with that label; raises ConfigurationError where there is none, or more than one."""
        found = [partition for partition in self.partitions if partition.label == label]
        if len(found) == 1:
            return found[0]
        labels = ", ".join(partition.label or "(none)" for partition in self.partitions)
        raise ConfigurationError(
            f"the image has {'no partition' if not found else f'{len(found)} partitions'} labelled {label}",
            why=f"Its labels are: {labels}.",
            todo="Give an OS image of Bottlerocket's with GRUB; other layouts are not known here.",
        )

    def has(self, label: str) -> bool:
        """Whether any partition has that label."""
        return any(partition.label == label for partition in self.partitions)


def read_table(disk: BinaryIO) -> PartitionTable:
    """The partition table of an image that can be sought in; raises ConfigurationError for what is none, or broken."""
    size = disk.seek(0, 2)
    header = _header(disk)
    entries_at, count, entry_size, entries_crc = header
    disk.seek(entries_at * SECTOR)
    raw = disk.read(count * entry_size)
    if len(raw) != count * entry_size or zlib.crc32(raw) != entries_crc:
        raise _broken("the checksum of its entries is wrong")
    table = PartitionTable(size, tuple(_entries(raw, entry_size)))
    for partition in table.partitions:
        if partition.size <= 0 or partition.end > size:
            name = partition.label or "without label"
            raise _broken(
                f"partition {partition.number} ({name}) ends at byte {partition.end}, and the image has {size}",
                todo="The image is cut off: fetch it again.",
            )
    _check_overlap(table)
    return table


def _header(disk: BinaryIO) -> tuple[int, int, int, int]:
    """Where the entries are (sector), how many, the bytes of each, and their CRC-32."""
    disk.seek(SECTOR)
    sector = disk.read(SECTOR)
    if len(sector) < SECTOR or not sector.startswith(_SIGNATURE):
        raise ConfigurationError(
            "this is not a disk image with a GPT",
            why="Its second sector does not begin with “EFI PART”.",
            todo="Give Bottlerocket's OS image, .img or .img.lz4.",
        )
    _, _, header_size, crc, _, at, *_, entries_at, count, entry_size, entries_crc = _HEADER.unpack_from(sector)
    if not _HEADER.size <= header_size <= SECTOR or at != 1:
        raise _broken("its header is malformed")
    blanked = sector[:16] + bytes(4) + sector[20:header_size]
    if zlib.crc32(blanked) != crc:
        raise _broken("the checksum of its header is wrong")
    if not 1 <= count <= _MOST_ENTRIES or not _ENTRY.size <= entry_size <= _LARGEST_ENTRY or entry_size % 8:
        raise _broken("its header is malformed")
    return entries_at, count, entry_size, entries_crc


def _entries(raw: bytes, entry_size: int) -> Iterator[Partition]:
    for number, offset in enumerate(range(0, len(raw), entry_size), start=1):
        type_guid, guid, first, last, attributes, label = _ENTRY.unpack_from(raw, offset)
        if type_guid == bytes(16):
            continue
        yield Partition(
            number=number,
            label=label.decode("utf-16-le", errors="replace").partition("\0")[0],
            start=first * SECTOR,
            size=(last - first + 1) * SECTOR,
            type_guid=uuid.UUID(bytes_le=type_guid),
            guid=uuid.UUID(bytes_le=guid),
            attributes=attributes,
        )


def _check_overlap(table: PartitionTable) -> None:
    ordered = sorted(table.partitions, key=lambda partition: partition.start)
    for before, after in itertools.pairwise(ordered):
        if before.end > after.start:
            raise _broken(f"partitions {before.number} and {after.number} overlap")


def _broken(why: str, todo: str = "Give an image as Bottlerocket's own build has it.") -> ConfigurationError:
    return ConfigurationError(
        "the partition table of the image is broken", why=f"{why[0].upper()}{why[1:]}.", todo=todo
    )
