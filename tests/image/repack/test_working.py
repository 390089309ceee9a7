"""The working copy: the same bytes, sparse and private; partitions out of it and back."""

import hashlib
import os
import random
import stat
import uuid
from pathlib import Path

import lz4.frame
import pytest

from brqos.errors import ConfigurationError
from brqos.image.repack.gpt import Partition
from brqos.image.repack.working import copy_image, extract, folder_beside, put_back, read_partition
from brqos.monitor import Silent

MIB = 2**20
CONTENT = random.Random(1).randbytes(3 * MIB + 17) + bytes(9 * MIB) + random.Random(2).randbytes(5 * MIB) + bytes(MIB)


def partition(start: int, size: int) -> Partition:
    return Partition(1, "ROOT", start, size, uuid.UUID(int=1), uuid.UUID(int=2), 0)


@pytest.mark.parametrize("name", ["os.img", "os.img.lz4"])
def test_the_copy_has_the_bytes_and_the_hash_and_holes(tmp_path: Path, name: str) -> None:
    image = tmp_path / name
    image.write_bytes(lz4.frame.compress(CONTENT) if name.endswith("lz4") else CONTENT)
    before = image.read_bytes()
    with folder_beside(tmp_path / "out") as folder:
        copy = copy_image(image, folder, Silent())
        assert copy.path.read_bytes() == CONTENT
        assert (copy.sha256, copy.bytes) == (hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))
        assert stat.S_IMODE(copy.path.stat().st_mode) == 0o600
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert copy.path.stat().st_blocks * 512 < len(CONTENT)
    assert not folder.exists()
    assert image.read_bytes() == before


def test_frames_that_follow_one_another_are_one_image(tmp_path: Path) -> None:
    image = tmp_path / "os.img.lz4"
    image.write_bytes(b"".join(lz4.frame.compress(CONTENT[at : at + MIB]) for at in range(0, len(CONTENT), MIB)))
    with folder_beside(tmp_path) as folder:
        assert copy_image(image, folder, Silent()).path.read_bytes() == CONTENT


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-100], lambda data: data[:50] + b"xxxx" + data[54:], lambda _: b"no"]
)
def test_a_damaged_file_is_refused_and_nothing_stays(tmp_path: Path, damage) -> None:
    image = tmp_path / "os.img.lz4"
    image.write_bytes(damage(lz4.frame.compress(CONTENT, content_checksum=True)))
    with pytest.raises(ConfigurationError, match="cannot be unpacked"), folder_beside(tmp_path) as folder:
        copy_image(image, folder, Silent())
    assert [path.name for path in tmp_path.iterdir()] == ["os.img.lz4"]


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with folder_beside(tmp_path) as folder, pytest.raises(ConfigurationError, match="there is no image"):
        copy_image(tmp_path / "x.img", folder, Silent())


def test_a_partition_comes_out_and_goes_back(tmp_path: Path) -> None:
    image, part = tmp_path / "os.img", partition(MIB, 2 * MIB)
    image.write_bytes(CONTENT)
    extract(image, part, tmp_path / "root")
    assert (tmp_path / "root").read_bytes() == CONTENT[MIB : 3 * MIB] == read_partition(image, part)
    put_back(image, part, b"abc")
    assert image.read_bytes() == CONTENT[:MIB] + b"abc" + bytes(2 * MIB - 3) + CONTENT[3 * MIB :]
    put_back(image, part, tmp_path / "root")
    assert image.read_bytes() == CONTENT
    with pytest.raises(ConfigurationError, match="does not fit"):
        put_back(image, part, os.urandom(2 * MIB + 1))
    assert image.read_bytes() == CONTENT
