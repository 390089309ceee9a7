"""Small disk images with the partitions of a Bottlerocket image: the same labels, types and order, other sizes.

The layout is that of twoliter's partyplanner (plan `split`, two banks), measured in MiB; a real image is 2 GiB, this
one 32 MiB. The GPT is a whole one: protective MBR, primary and backup header and entries, with right checksums (UEFI
specification 2.10, chapter 5).
"""

import struct
import uuid
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SECTOR = 512
MIB = 1 << 20

_ENTRIES = 128
_ENTRY_BYTES = 128
_ENTRY_SECTORS = _ENTRIES * _ENTRY_BYTES // SECTOR
_HEADER_BYTES = 92
# gptprio's "priority" and "successful", which upstream sets on the boot partition of bank A.
_BOOTABLE = 1 << 48 | 1 << 56

_BIOS = "21686148-6449-6e6f-744e-656564454649"
_EFI_SYSTEM = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
_EFI_BACKUP = "b39ce39c-0a00-b4ab-2d11-f18f8237a21c"
_BOOT = "6b636168-7420-6568-2070-6c616e657421"
_ROOT = "5526016a-1a97-4ea4-b39a-b7c8c6ca4502"
_HASH = "598f10af-c955-4456-6a99-7720068a6cea"
_RESERVED = "0c5d99a5-d331-4147-baef-08e2b855bdc9"
_PRIVATE = "440408bb-eb0b-4328-a6e5-a29038fad706"
_DATA = "626f7474-6c65-6474-6861-726d61726b73"
_PREFERRED_DATA = uuid.UUID("5b94e8df-28b8-485c-9d19-362263b5944c")
_FALLBACK_DATA = uuid.UUID("69040874-417d-4e26-a764-7885f22007ea")


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition of the plan: GPT label, type, size in MiB; `unique` where upstream fixes its own GUID."""

    label: str
    kind: str
    mib: int
    attributes: int = 0
    unique: uuid.UUID | None = None


def _bank(letter: str) -> tuple[Partition, ...]:
    efi = Partition("EFI-SYSTEM", _EFI_SYSTEM, 1) if letter == "A" else Partition("EFI-BACKUP", _EFI_BACKUP, 1)
    return (
        efi,
        Partition(f"BOTTLEROCKET-BOOT-{letter}", _BOOT, 1, _BOOTABLE if letter == "A" else 0),
        Partition(f"BOTTLEROCKET-ROOT-{letter}", _ROOT, 8),
        Partition(f"BOTTLEROCKET-HASH-{letter}", _HASH, 1),
        Partition(f"BOTTLEROCKET-RESERVED-{letter}", _RESERVED, 1),
    )


OS_PLAN: tuple[Partition, ...] = (
    Partition("BIOS-BOOT", _BIOS, 1),
    *_bank("A"),
    *_bank("B"),
    Partition("BOTTLEROCKET-PRIVATE", _PRIVATE, 2),
    Partition("", _DATA, 1, unique=_FALLBACK_DATA),
)
DATA_PLAN: tuple[Partition, ...] = (Partition("", _DATA, 6, unique=_PREFERRED_DATA),)
ROOT = "BOTTLEROCKET-ROOT-A"


def disk_image(plan: Sequence[Partition], contents: Mapping[str, bytes], boot_code: bytes, seed: str) -> bytes:
    """A whole disk: one MiB for the GPT, the partitions side by side, one MiB for its copy.

    `contents` are the first bytes of partitions, by label; `boot_code` (up to 440 bytes) stands at the disk's
    beginning; all GUIDs that upstream draws at random are made from `seed`, so that the same image has the same
    bytes. Raises ValueError for contents that do not fit.
    """
    total = (2 + sum(partition.mib for partition in plan)) * MIB
    disk = bytearray(total)
    entries, offset = bytearray(), MIB
    for partition in plan:
        content = contents.get(partition.label, b"") if partition.label else b""
        if len(content) > partition.mib * MIB:
            raise ValueError(f"{len(content)} bytes do not fit into {partition.label} of {partition.mib} MiB")
        disk[offset : offset + len(content)] = content
        entries += _entry(partition, offset, seed)
        offset += partition.mib * MIB
    entries += bytes(_ENTRIES * _ENTRY_BYTES - len(entries))
    _write_tables(disk, bytes(entries), _guid(seed, "disk"))
    disk[:SECTOR] = _protective_mbr(total // SECTOR, boot_code)
    return bytes(disk)


def _entry(partition: Partition, offset: int, seed: str) -> bytes:
    unique = partition.unique or _guid(seed, partition.label)
    last = (offset + partition.mib * MIB) // SECTOR - 1
    return struct.pack(
        "<16s16sQQQ72s",
        uuid.UUID(partition.kind).bytes_le,
        unique.bytes_le,
        offset // SECTOR,
        last,
        partition.attributes,
        partition.label.encode("utf-16-le"),
    )


def _write_tables(disk: bytearray, entries: bytes, disk_guid: uuid.UUID) -> None:
    last = len(disk) // SECTOR - 1
    backup_entries = last - _ENTRY_SECTORS
    for here, other, entries_at in ((1, last, 2), (last, 1, backup_entries)):
        header = _header(here, other, entries_at, last, entries, disk_guid)
        disk[here * SECTOR : here * SECTOR + len(header)] = header
        disk[entries_at * SECTOR : entries_at * SECTOR + len(entries)] = entries


def _header(here: int, other: int, entries_at: int, last: int, entries: bytes, disk_guid: uuid.UUID) -> bytes:
    def packed(checksum: int) -> bytes:
        return struct.pack(
            "<8sIIIIQQQQ16sQIII",
            b"EFI PART",
            0x00010000,
            _HEADER_BYTES,
            checksum,
            0,
            here,
            other,
            2 + _ENTRY_SECTORS,
            last - _ENTRY_SECTORS - 1,
            disk_guid.bytes_le,
            entries_at,
            _ENTRIES,
            _ENTRY_BYTES,
            zlib.crc32(entries),
        )

    return packed(zlib.crc32(packed(0)))


def _protective_mbr(sectors: int, boot_code: bytes) -> bytes:
    if len(boot_code) > 440:
        raise ValueError(f"boot code has {len(boot_code)} bytes, there is room for 440")
    record = struct.pack("<B3sB3sII", 0, b"\x00\x02\x00", 0xEE, b"\xff\xff\xff", 1, min(sectors - 1, 0xFFFFFFFF))
    return boot_code.ljust(446, b"\0") + record + bytes(48) + b"\x55\xaa"


def _guid(seed: str, part: str) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_URL, f"brqos-rehearsal:{seed}:{part}")
