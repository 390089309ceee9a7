"""Partition tables: what sgdisk makes is read, and what is broken is told."""

import io
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brqos.errors import ConfigurationError
from brqos.image.repack.gpt import SECTOR, read_table

TYPE = bytes(range(16))


def disk(*partitions: tuple[str, int, int], sectors: int = 4096) -> bytearray:
    """An image with these partitions: label, first and last sector."""
    entries = b"".join(
        struct.pack("<16s16sQQQ72s", TYPE, bytes([number]) * 16, first, last, 1 << 48, label.encode("utf-16-le"))
        for number, (label, first, last) in enumerate(partitions, start=1)
    ).ljust(128 * 128, b"\0")
    fields = (b"EFI PART", b"\0\0\1\0", 92, 0, 0, 1, sectors - 1, 34, sectors - 34, b"d" * 16, 2, 128, 128)
    header = struct.pack("<8s4sIIIQQQQ16sQIII", *fields, zlib.crc32(entries))
    header = header[:16] + struct.pack("<I", zlib.crc32(header)) + header[20:]
    image = bytearray(sectors * SECTOR)
    image[SECTOR : SECTOR + len(header)] = header
    image[2 * SECTOR : 2 * SECTOR + len(entries)] = entries
    return image


def refusal(image: bytes) -> str:
    with pytest.raises(ConfigurationError) as refused:
        read_table(io.BytesIO(image))
    assert refused.value.todo
    return str(refused.value)


def test_partitions_are_read_in_bytes() -> None:
    table = read_table(io.BytesIO(disk(("BOOT", 40, 49), ("ROOT", 50, 1000))))
    boot, root = table.partitions
    assert (boot.number, boot.label, boot.start, boot.size, boot.end) == (1, "BOOT", 20480, 5120, 25600)
    assert (root.number, root.attributes) == (2, 1 << 48)
    assert table.labelled("ROOT") is root
    assert table.has("BOOT") and not table.has("HASH")


@pytest.mark.processes
def test_sgdisk_and_we_read_the_same(tmp_path: Path, tool) -> None:
    from brqos.process import run

    image = tmp_path / "disk.img"
    with image.open("wb") as file:
        file.truncate(64 * 2**20)
    run(
        [
            "sgdisk",
            "-n1:2048:+4M",
            "-c1:BIOS-BOOT",
            "-n2:0:+5M",
            "-c2:EFI-SYSTEM",
            "-A2:set:48",
            "-n5:0:0",
            "-c5:",
            image,
        ]
    )
    with image.open("rb") as file:
        table = read_table(file)
    assert [(p.number, p.label, p.start, p.size) for p in table.partitions][:2] == [
        (1, "BIOS-BOOT", 2**20, 4 * 2**20),
        (2, "EFI-SYSTEM", 5 * 2**20, 5 * 2**20),
    ]
    assert table.partitions[1].attributes == 1 << 48
    assert table.partitions[2].number == 5


def test_a_label_is_there_exactly_once() -> None:
    table = read_table(io.BytesIO(disk(("A", 40, 49), ("A", 50, 59))))
    with pytest.raises(ConfigurationError, match="has 2 partitions labelled A"):
        table.labelled("A")
    with pytest.raises(ConfigurationError, match="has no partition labelled B"):
        table.labelled("B")


def test_what_is_no_disk_is_refused() -> None:
    for image in (b"", b"x" * 600, bytes(4096), b"\x7fELF" * 1000):
        assert "this is not a disk image with a GPT" in refusal(image)


def test_a_cut_image_is_told_from_a_broken_one() -> None:
    image = disk(("ROOT", 50, 4000))
    assert "The image is cut off" in refusal(bytes(image[: 3000 * SECTOR]))
    assert "the checksum of its entries is wrong" in refusal(bytes(image[: 3 * SECTOR])).lower()


@pytest.mark.parametrize(("at", "value"), [(80, 1025), (84, 2**31), (84, 4104), (84, 120), (84, 129)])
def test_a_table_without_end_is_not_read(at: int, value: int) -> None:
    image = disk(("ROOT", 50, 1000))
    struct.pack_into("<I", image, SECTOR + at, value)
    image[SECTOR + 16 : SECTOR + 20] = bytes(4)
    struct.pack_into("<I", image, SECTOR + 16, zlib.crc32(image[SECTOR : SECTOR + 92]))
    assert "its header is malformed" in refusal(bytes(image)).lower()


def test_partitions_do_not_overlap() -> None:
    assert "partitions 1 and 2 overlap" in refusal(bytes(disk(("A", 40, 60), ("B", 50, 70)))).lower()


@given(st.integers(0, 91), st.integers(1, 255))
def test_no_flipped_byte_of_the_header_is_overlooked(at: int, by: int) -> None:
    image = disk(("ROOT", 50, 1000))
    image[SECTOR + at] ^= by
    refusal(bytes(image))


@given(st.integers(0, 127), st.integers(1, 255))
def test_no_flipped_byte_of_an_entry_is_overlooked(at: int, by: int) -> None:
    image = disk(("ROOT", 50, 1000))
    image[2 * SECTOR + at] ^= by
    refusal(bytes(image))
