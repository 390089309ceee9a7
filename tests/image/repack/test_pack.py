"""Packed images: everybody who reads lz4 reads them, and the hashes are those of what is there."""

import hashlib
import random
import stat
from pathlib import Path

import lz4.frame
import pytest

from brqos.image.repack import pack as packing
from brqos.image.repack.pack import pack
from brqos.monitor import Silent
from brqos.process import run


@pytest.fixture
def raw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(packing, "FRAME_BYTES", 2**18)
    raw = tmp_path / "os.img"
    raw.write_bytes(random.Random(3).randbytes(2**20) + bytes(2**21) + b"end")
    return raw


@pytest.mark.parametrize("level", [1, 9])
def test_it_is_read_as_one_file(raw: Path, tmp_path: Path, level: int) -> None:
    target = tmp_path / "os.img.lz4"
    packed = pack(raw, target, Silent(), level=level)
    with lz4.frame.open(target) as unpacked:
        assert unpacked.read() == raw.read_bytes()
    assert (packed.sha256, packed.bytes) == (hashlib.sha256(raw.read_bytes()).hexdigest(), raw.stat().st_size)
    assert packed.file_sha256 == hashlib.sha256(target.read_bytes()).hexdigest()
    assert packed.file_bytes == target.stat().st_size
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


@pytest.mark.processes
def test_the_stock_tool_reads_it(raw: Path, tmp_path: Path, tool) -> None:
    target = tmp_path / "os.img.lz4"
    pack(raw, target, Silent())
    assert run([tool("lz4"), "-dc", target]).stdout == raw.read_bytes()


def test_nothing_is_written_over(raw: Path, tmp_path: Path) -> None:
    target = tmp_path / "os.img.lz4"
    target.write_text("mine")
    with pytest.raises(FileExistsError):
        pack(raw, target, Silent())
    assert target.read_text() == "mine"
