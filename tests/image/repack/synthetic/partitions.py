"""The partition tables, as upstream lays them out (twoliter 0.5.0: embedded/partyplanner, embedded/rpm2img)."""

import struct
import uuid
import zlib
from collections.abc import Iterable
from pathlib import Path

from .model import MIB, SECTOR, ImageOptions, Layout, Partition, guid
from .tools import run

BIOS_BOOT = "BIOS-BOOT"
EFI_SYSTEM = "EFI-SYSTEM"
BOOT = "BOTTLEROCKET-BOOT-A"
ROOT = "BOTTLEROCKET-ROOT-A"
HASH = "BOTTLEROCKET-HASH-A"
PRIVATE = "BOTTLEROCKET-PRIVATE"

# partyplanner, section 1. gptprio.next finds the bank to boot by the type of BOOT.
_TYPES = {
    BIOS_BOOT: "21686148-6449-6e6f-744e-656564454649",
    EFI_SYSTEM: "C12A7328-F81F-11D2-BA4B-00A0C93EC93B",
    "EFI-BACKUP": "B39CE39C-0A00-B4AB-2D11-F18F8237A21C",
    "BOTTLEROCKET-BOOT": "6b636168-7420-6568-2070-6c616e657421",
    "BOTTLEROCKET-ROOT": "5526016a-1a97-4ea4-b39a-b7c8c6ca4502",
    "BOTTLEROCKET-HASH": "598f10af-c955-4456-6a99-7720068a6cea",
    "BOTTLEROCKET-RESERVED": "0c5d99a5-d331-4147-baef-08e2b855bdc9",
    PRIVATE: "440408bb-eb0b-4328-a6e5-a29038fad706",
    "": "626f7474-6c65-6474-6861-726d61726b73",
}
# The data partitions have no label; they are told apart by these.
_DATA_FALLBACK = "69040874-417d-4e26-a764-7885f22007ea"
_DATA_PREFERRED = "5b94e8df-28b8-485c-9d19-362263b5944c"
_ENTRIES = 128
_ENTRY_SIZE = 128


def plan(layout: Layout) -> tuple[Partition, ...]:
    """The partitions of the OS image, in their order on the disk."""
    sizes: list[tuple[str, int]] = [(BIOS_BOOT, layout.bios)]
    banks, factor = ("AB", 1) if layout.two_banks else ("A", 2)
    for bank in banks:
        sizes += [
            (EFI_SYSTEM if bank == "A" else "EFI-BACKUP", layout.efi * factor),
            (f"BOTTLEROCKET-BOOT-{bank}", layout.boot * factor),
            (f"BOTTLEROCKET-ROOT-{bank}", layout.root * factor),
            (f"BOTTLEROCKET-HASH-{bank}", layout.hash * factor),
            (f"BOTTLEROCKET-RESERVED-{bank}", layout.reserved * factor),
        ]
    sizes += [(PRIVATE, layout.private), ("", 1)]
    result, offset = [], 1
    for number, (label, size) in enumerate(sizes, start=1):
        identity = guid(f"partition {label}") if label else _DATA_FALLBACK
        result.append(Partition(number, label, offset * MIB, size * MIB, identity))
        offset += size
    return tuple(result)


def write_os_table(image: Path, options: ImageOptions) -> tuple[Partition, ...]:
    """Make the OS image, blank but for its partition table; return its partitions."""
    parts = plan(options.layout)
    _blank(image, options.layout.total * MIB)
    write_table(image, parts)
    _verify(image)
    return parts


def write_data_table(image: Path, options: ImageOptions) -> None:
    """Make the data image: one blank partition (feature xfs-data-partition, as in all aws-k8s-* of today)."""
    size = options.layout.data * MIB
    _blank(image, size)
    write_table(image, (Partition(1, "", MIB, size - 2 * MIB, _DATA_PREFERRED),), disk="data disk")
    _verify(image)


def _blank(image: Path, size: int) -> None:
    with image.open("wb") as file:
        file.truncate(size)


def write_table(image: Path, parts: Iterable[Partition], *, disk: str = "os disk") -> None:
    """A protective MBR and both tables (UEFI 2.10, chapter 5); sgdisk, which upstream uses, waits a second for each."""
    slots = {part.number: _entry(part) for part in parts}
    entries = b"".join(slots.get(number, bytes(_ENTRY_SIZE)) for number in range(1, _ENTRIES + 1))
    last = image.stat().st_size // SECTOR - 1
    table_sectors = len(entries) // SECTOR
    identity = uuid.UUID(guid(disk)).bytes_le

    def header(here: int, other: int, table: int) -> bytes:
        usable = (2 + table_sectors, last - table_sectors - 1)
        fixed = struct.pack("<8sIIIIQQQQ", b"EFI PART", 0x10000, 92, 0, 0, here, other, *usable)
        rest = struct.pack("<QIII", table, _ENTRIES, _ENTRY_SIZE, zlib.crc32(entries))
        whole = fixed + identity + rest
        return whole[:16] + struct.pack("<I", zlib.crc32(whole)) + whole[20:]

    # One partition of type 0xEE over the whole disk, its beginning and end in cylinders, heads and sectors too.
    protective = struct.pack("<B3sB3sII", 0, b"\x00\x02\x00", 0xEE, b"\xff\xff\xff", 1, last)
    with image.open("r+b") as file:
        file.seek(446)
        file.write(protective.ljust(64, b"\x00") + b"\x55\xaa")
        file.seek(SECTOR)
        file.write(header(1, last, 2).ljust(SECTOR, b"\x00") + entries)
        file.seek((last - table_sectors) * SECTOR)
        file.write(entries + header(last, 1, last - table_sectors))


def _verify(image: Path) -> None:
    said = run(["sgdisk", "-v", image])
    if "No problems found" not in said:
        raise RuntimeError(said)


def _entry(part: Partition) -> bytes:
    # gptprio: priority 1, and booted successfully before.
    attributes = (1 << 48 | 1 << 56) if part.label == BOOT else 0
    # A label that is none of upstream's (see broken.py) keeps a type of Bottlerocket's.
    type_ = uuid.UUID(_TYPES.get(part.label) or _TYPES.get(part.label[:-2]) or _TYPES[""])
    sectors = (part.start // SECTOR, (part.start + part.size) // SECTOR - 1)
    head = type_.bytes_le + uuid.UUID(part.guid).bytes_le + struct.pack("<QQQ", *sectors, attributes)
    return (head + part.label.encode("utf-16-le")).ljust(_ENTRY_SIZE, b"\x00")
