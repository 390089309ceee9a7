"""ext4 alone: growing, removing, attributes, and debugfs's words."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from brqos.image.repack.filesystem.ext4 import Ext4
from brqos.image.repack.filesystem.ext4_growth import read_superblock
from brqos.image.repack.filesystem.ext4_text import parse_listing, parse_stat, quoted
from brqos.image.repack.filesystem.model import CorruptError, FileChange, FullError, Kind

from ..synthetic.model import Filesystem
from .conftest import LONG_TEXT, START, USR, Disk, Made, write_disk

pytestmark = pytest.mark.processes


@pytest.fixture
def disk(made: Made, tmp_path: Path, tool: Callable[[str], Path]) -> Disk:
    for program in ("debugfs", "e2fsck", "resize2fs"):
        tool(program)
    return write_disk(tmp_path, Filesystem.EXT4, made(Filesystem.EXT4))


def test_it_grows_by_little_and_keeps_its_features(disk: Disk) -> None:
    before = read_superblock(disk.path, disk.partition)
    needed = before.free_blocks + 3
    Ext4(disk.path, disk.partition).write([FileChange("/x", bytes(needed * 4096), "a test")])
    after = read_superblock(disk.path, disk.partition)
    assert before.blocks < after.blocks < before.blocks + 32
    assert (after.features, after.written) == (before.features, before.written)


def test_it_does_not_grow_without_need(disk: Disk) -> None:
    files = Ext4(disk.path, disk.partition)
    files.write([FileChange("/first", b"it has a few blocks to spare now", "a test")])
    size = files.size
    files.write([FileChange(f"{USR}/lib/os-release", b"ID=bottlerocket\n", "a test")])
    assert files.size == size


def test_files_are_removed(disk: Disk) -> None:
    files = Ext4(disk.path, disk.partition)
    files.write([FileChange("/new", b"1", "a test")], remove=[f"{USR}/share/doc/long.txt"])
    assert files.stat(f"{USR}/share/doc/long.txt") is None
    assert files.read("/new") == b"1"


def test_a_file_with_other_attributes_is_not_replaced(disk: Disk) -> None:
    path = f"{USR}/bin/mount"
    _debugfs(disk, f"ea_set {path} user.test value\n")
    files = Ext4(disk.path, disk.partition)
    entry = files.stat(path)
    assert entry is not None
    assert (entry.attributes, entry.label) == (("user.test",), "system_u:object_r:mount_exec_t:s0")
    with pytest.raises(CorruptError, match=r"user\.test"):
        files.write([FileChange(path, b"x", "a test")])


def test_a_file_with_two_names_is_not_replaced(disk: Disk) -> None:
    path = f"{USR}/lib/os-release"
    _debugfs(disk, f"ln {path} /other\nsif {path} links_count 2\n")
    files = Ext4(disk.path, disk.partition)
    with pytest.raises(CorruptError, match="has 2 names"):
        files.write([FileChange(path, b"ID=bottlerocket\n", "a test")])


def test_a_file_without_end_is_not_read(disk: Disk) -> None:
    path = f"{USR}/lib/os-release"
    # A hole of 1 TiB, which debugfs would print in full.
    _debugfs(disk, f"sif {path} size 0x10000000000\n")
    with pytest.raises(CorruptError, match="more than its partition"):
        Ext4(disk.path, disk.partition).read(path)


def _debugfs(disk: Disk, commands: str) -> None:
    words = ["debugfs", "-w", "-f", "-", f"{disk.path.name}?offset={START}"]
    subprocess.run(words, input=commands.encode(), check=True, cwd=disk.path.parent, capture_output=True)


def test_a_word_of_debugfs_that_is_no_success_is_an_error(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    # It ends with status 0 and leaves a file that is cut off: here, as if nobody had made room.
    monkeypatch.setattr("brqos.image.repack.filesystem.ext4.make_room", lambda *_: None)
    noise = LONG_TEXT * 3
    with pytest.raises(FullError, match="Could not allocate block"):
        Ext4(disk.path, disk.partition).write([FileChange("/x", noise, "a test")])


@pytest.mark.parametrize(
    ("at", "value", "what"),
    [(0x5C, b"\x04", "journal"), (0x3A, b"\x02", "not marked as clean"), (0x18, b"\x06", "blocks have 65536")],
)
def test_superblocks_that_upstream_does_not_make_are_refused(disk: Disk, at: int, value: bytes, what: str) -> None:
    content = bytearray(disk.before)
    if at == 0x5C:
        value = bytes([content[START + 1024 + at] | 4])
    content[START + 1024 + at : START + 1024 + at + 1] = value
    disk.path.write_bytes(content)
    with pytest.raises(CorruptError, match=what):
        Ext4(disk.path, disk.partition)


def test_words_are_quoted() -> None:
    assert quoted('/a "b" c') == '"/a ""b"" c"'
    with pytest.raises(CorruptError):
        quoted("/a\nb")


def test_answers_that_are_not_understood_are_told() -> None:
    with pytest.raises(CorruptError, match="not understood"):
        parse_stat("/x", b"debugfs: something new\n")
    assert parse_listing(b"/2/040755/0/0/.//\n/2/040755/0/0/..//\n/9/100644/0/0/b c/5/\n/8/120777/0/0/a/4/\n\n") == {
        "a": Kind.LINK,
        "b c": Kind.FILE,
    }
