"""The rehearsal's disks are whole: tables, copies and checksums."""

import struct
import uuid
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from brqos import process
from brqos.rehearsal.disk import DATA_PLAN, MIB, OS_PLAN, ROOT, SECTOR, disk_image

# Numbers, labels and types of a real aws-k8s image of plan `split`.
LABELS = [
    "BIOS-BOOT",
    *("EFI-SYSTEM", "BOTTLEROCKET-BOOT-A", "BOTTLEROCKET-ROOT-A", "BOTTLEROCKET-HASH-A", "BOTTLEROCKET-RESERVED-A"),
    *("EFI-BACKUP", "BOTTLEROCKET-BOOT-B", "BOTTLEROCKET-ROOT-B", "BOTTLEROCKET-HASH-B", "BOTTLEROCKET-RESERVED-B"),
    "BOTTLEROCKET-PRIVATE",
    "",
]


def _header(disk: bytes, sector: int) -> dict[str, int]:
    names = ("revision", "size", "crc", "zero", "here", "other", "first", "last")
    signature, *numbers = struct.unpack_from("<8sIIIIQQQQ", disk, sector * SECTOR)
    assert signature == b"EFI PART"
    header = dict(zip(names, numbers, strict=True))
    raw = bytearray(disk[sector * SECTOR : sector * SECTOR + 92])
    raw[16:20] = bytes(4)
    assert header["crc"] == zlib.crc32(raw)
    at, count, size, crc = struct.unpack_from("<QIII", disk, sector * SECTOR + 72)
    assert crc == zlib.crc32(disk[at * SECTOR : at * SECTOR + count * size])
    return {**header, "at": at}


def _partitions(disk: bytes) -> list[tuple[str, uuid.UUID, int, int, int]]:
    found = []
    for number in range(128):
        kind, _, first, last, bits, label = struct.unpack_from("<16s16sQQQ72s", disk, 2 * SECTOR + number * 128)
        if any(kind):
            text = label.decode("utf-16-le").rstrip("\0")
            found.append((text, uuid.UUID(bytes_le=kind), first, last, bits))
    return found


def test_both_tables_agree() -> None:
    disk = disk_image(OS_PLAN, {}, b"", "seed")
    last = len(disk) // SECTOR - 1
    primary, backup = _header(disk, 1), _header(disk, last)
    assert (primary["here"], primary["other"]) == (1, last) == (backup["other"], backup["here"])
    assert disk[primary["at"] * SECTOR :][:16384] == disk[backup["at"] * SECTOR :][:16384]
    assert disk[510:512] == b"\x55\xaa"
    assert disk[446 + 4] == 0xEE


def test_partitions_lie_side_by_side() -> None:
    disk = disk_image(OS_PLAN, {}, b"", "seed")
    found = _partitions(disk)
    assert [label for label, *_ in found] == LABELS
    assert [first for _, _, first, _, _ in found] == [MIB // SECTOR, *(last + 1 for *_, last, _ in found[:-1])]
    assert found[-1][3] == len(disk) // SECTOR - MIB // SECTOR - 1
    assert {label: bits for label, *_, bits in found if bits} == {"BOTTLEROCKET-BOOT-A": 1 << 48 | 1 << 56}
    assert len(_partitions(disk_image(DATA_PLAN, {}, b"", "seed"))) == 1


def test_contents_and_boot_code() -> None:
    disk = disk_image(OS_PLAN, {ROOT: b"root"}, b"notice", "seed")
    first = next(first for label, _, first, _, _ in _partitions(disk) if label == ROOT)
    assert disk[first * SECTOR :][:5] == b"root\0"
    assert disk.startswith(b"notice")


def test_same_seed_same_bytes() -> None:
    assert disk_image(OS_PLAN, {}, b"", "a") == disk_image(OS_PLAN, {}, b"", "a")
    assert disk_image(OS_PLAN, {}, b"", "a") != disk_image(OS_PLAN, {}, b"", "b")


def test_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match="do not fit into BOTTLEROCKET-BOOT-A"):
        disk_image(OS_PLAN, {"BOTTLEROCKET-BOOT-A": bytes(2 * MIB)}, b"", "seed")
    with pytest.raises(ValueError, match="440"):
        disk_image(OS_PLAN, {}, bytes(441), "seed")


@pytest.mark.processes
@pytest.mark.parametrize("plan", [OS_PLAN, DATA_PLAN], ids=["os", "data"])
def test_sgdisk_finds_nothing_wrong(plan: tuple, tool: Callable[[str], Path], tmp_path: Path) -> None:
    file = tmp_path / "disk.img"
    file.write_bytes(disk_image(plan, {}, b"x", "seed"))
    assert "No problems found" in process.run([tool("sgdisk"), "-v", file]).text


@pytest.mark.processes
@pytest.mark.parametrize("plan", [OS_PLAN, DATA_PLAN], ids=["os", "data"])
def test_sfdisk_finds_nothing_wrong(plan: tuple, tool: Callable[[str], Path], tmp_path: Path) -> None:
    file = tmp_path / "disk.img"
    file.write_bytes(disk_image(plan, {}, b"x", "seed"))
    assert "No errors detected" in process.run([tool("sfdisk"), "--verify", file]).text
