"""Both file systems by the same rules: what is there is seen, what is wanted is written, nothing else changes."""

import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from brqos.errors import ConfigurationError
from brqos.image.repack.filesystem.detect import detect
from brqos.image.repack.filesystem.model import OS_LABEL, CorruptError, FileChange, FileEntry, FullError, Kind

from ..synthetic.model import Filesystem
from .conftest import LONG_TEXT, ROOM, START, USR, Disk, write_disk

pytestmark = pytest.mark.processes
Tool = Callable[[str], Path]

CONFIG = f"{USR}/share/factory/etc/kubernetes/kubelet/config.d/900-memory-qos.conf"
CHANGES = (
    FileChange(CONFIG, b"kind: KubeletConfiguration\n", "the kubelet settings"),
    FileChange(f"{USR}/lib/tmpfiles.d/kubelet-memory-qos.conf", b"C /etc/x - - - -\n", "puts them there"),
    FileChange(f"{USR}/lib/os-release", b"ID=bottlerocket\nVARIANT_ID=x\n" * 300, "its name"),
    FileChange(f"{USR}/share/many/zzz", b"", "into a folder of several blocks"),
)


@pytest.fixture(autouse=True)
def _tools(kind: Filesystem, tool: Tool) -> None:
    for program in ["debugfs", "e2fsck", "resize2fs"] if kind is Filesystem.EXT4 else ["mkfs.erofs", "fsck.erofs"]:
        tool(program)


def test_what_is_there_is_seen(disk: Disk) -> None:
    files = disk.open()
    assert files.name.lower() == disk.kind.value
    assert (files.read(f"{USR}/lib/os-release") or b"").startswith(b"NAME=Bottlerocket\nID=bottlerocket\n")
    assert files.read(f"{USR}/share/doc/long.txt") == LONG_TEXT
    assert files.read(f"{USR}/share/doc") is files.read("/nothing") is files.read("/usr") is None
    link = files.stat("/usr")
    assert link == FileEntry("/usr", Kind.LINK, 0o777, 0, 0, 44, OS_LABEL, f".{USR}")
    program = files.stat(f"{USR}/lib/systemd/systemd")
    assert program is not None
    assert (program.mode, program.label) == (0o755, "system_u:object_r:init_exec_t:s0")
    unlabelled = files.stat("/etc/selinux")
    assert unlabelled is not None
    # Longer than what fits into an inode of ext4.
    assert (unlabelled.label, unlabelled.target) == (None, f"..{USR}/share/factory/etc/selinux")
    assert files.stat(f"{USR}/lib/systemd/system/\\x2ebottlerocket.mount") is not None


def test_folders_are_listed(disk: Disk) -> None:
    files = disk.open()
    assert [name[:3] for name in files.entries(f"{USR}/share/many")] == [f"{number:03}" for number in range(150)]
    assert set(files.entries("/")) - {"lost+found"} >= {"usr", "etc", "x86_64-bottlerocket-linux-gnu"}
    assert files.entries("/nothing") == files.entries(f"{USR}/lib/os-release") == ()


def test_the_tree_is_walked(disk: Disk) -> None:
    files = disk.open()
    entries = {entry.path: entry for entry in files.walk()}
    assert entries[f"{USR}/lib/os-release"] == files.stat(f"{USR}/lib/os-release")
    assert entries["/"].kind is Kind.FOLDER
    assert len([path for path in entries if path.startswith(f"{USR}/share/many/")]) == 150
    assert {entry.label for entry in entries.values() if entry.kind is Kind.FILE} >= {OS_LABEL}


def test_changes_are_made_and_nothing_else(disk: Disk) -> None:
    files = disk.open()
    before = {entry.path: entry for entry in files.walk()}
    contents = {path: files.read(path) for path in (f"{USR}/share/doc/long.txt", f"{USR}/bin/kubelet")}
    files.write(CHANGES)
    after = {entry.path: entry for entry in files.walk()}
    for change in CHANGES:
        assert files.read(change.path) == change.content
        assert after[change.path].label == OS_LABEL
        assert (after[change.path].mode, after[change.path].uid, after[change.path].gid) == (0o644, 0, 0)
    folders = [f"{USR}/share/factory/etc/kubernetes{rest}" for rest in ("", "/kubelet", "/kubelet/config.d")]
    assert after.keys() - before.keys() == {*folders, *(c.path for c in CHANGES if not c.path.endswith("os-release"))}
    for folder in folders:
        assert (after[folder].kind, after[folder].mode, after[folder].label) == (Kind.FOLDER, 0o755, OS_LABEL)
    # Of folders that got something, the size or the number of names changes.
    grown = {change.path.rpartition("/")[0] for change in CHANGES} | {f"{USR}/share/factory/etc"}
    for path in before.keys() - grown - {change.path for change in CHANGES}:
        assert after[path] == before[path]
    assert {path: files.read(path) for path in contents} == contents
    assert before.keys() <= after.keys()
    files.check()
    assert disk.path.stat().st_size == len(disk.before)
    written = disk.path.read_bytes()
    assert written[:START] == disk.before[:START]
    assert written[START + ROOM :] == disk.before[START + ROOM :]
    assert [path.name for path in disk.path.parent.iterdir()] == ["os.img"] or disk.kind is Filesystem.EROFS


def test_a_file_that_is_replaced_keeps_its_mode_and_label(disk: Disk) -> None:
    files = disk.open()
    path = f"{USR}/lib/systemd/systemd"
    before = files.stat(path)
    assert before is not None
    files.write([FileChange(path, b"#!/bin/sh\n", "a test")])
    assert files.stat(path) == replace(before, size=10)
    assert files.read(path) == b"#!/bin/sh\n"


def test_the_same_input_gives_the_same_bytes(disk: Disk) -> None:
    disk.open().write(CHANGES)
    first = disk.path.read_bytes()
    # Another second: times are kept in seconds.
    time.sleep(1.01)
    again = write_disk(disk.path.parent, disk.kind, disk.before[START : START + ROOM])
    again.open().write(CHANGES)
    assert again.path.read_bytes() == first


def test_a_file_larger_than_what_is_free_makes_it_grow(disk: Disk) -> None:
    files = disk.open()
    size = files.size
    big = bytes(range(1, 251)) * 8_000
    files.write([FileChange(f"{USR}/share/big", big, "a test")])
    assert files.read(f"{USR}/share/big") == big
    assert size + len(big) - 64 * 1024 < files.size <= size + len(big) + 512 * 1024
    assert files.size % 4096 == 0


def test_a_partition_that_is_full_is_told(disk: Disk) -> None:
    full = replace(disk.partition, size=disk.open().size)
    with pytest.raises(FullError, match="do not fit into the"):
        detect(disk.path, full).write(CHANGES)
    assert disk.path.read_bytes() == disk.before


def test_what_does_not_fit_at_all_is_told(disk: Disk) -> None:
    with pytest.raises(FullError):
        disk.open().write([FileChange("/big", bytes(ROOM), "a test")])
    assert disk.path.read_bytes() == disk.before


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("/usr/lib/x", "a folder at /usr"),
        (f"{USR}/lib/os-release/x", "a folder at"),
        (f"{USR}/share/many", "a file at"),
        ("/usr", "a file at /usr"),
    ],
)
def test_what_stands_in_the_way_is_told(disk: Disk, path: str, what: str) -> None:
    with pytest.raises(ConfigurationError, match=what):
        disk.open().write([FileChange(path, b"x", "a test")])
    assert disk.path.read_bytes() == disk.before


@pytest.mark.parametrize("path", ["x", "/a//b", "/a/../b", "/a\nb", "/a/"])
def test_paths_that_are_none_are_a_bug(disk: Disk, path: str) -> None:
    with pytest.raises(ValueError, match="not an absolute path"):
        disk.open().write([FileChange(path, b"x", "a test")])
    with pytest.raises(ValueError, match="two changes"):
        disk.open().write([FileChange("/x", b"x", "a test")] * 2)


def test_a_file_system_that_is_cut_off_is_told(disk: Disk) -> None:
    with pytest.raises(CorruptError, match="cut off"):
        detect(disk.path, replace(disk.partition, size=64 * 1024))


def test_one_that_is_broken_is_told_before_it_is_changed(disk: Disk) -> None:
    content = bytearray(disk.before)
    if disk.kind is Filesystem.EXT4:
        # The map of free blocks is somewhere within: all of the second to the ninth block but the superblock's.
        content[START + 2 * 4096 : START + 40 * 4096] = bytes(38 * 4096)
    else:
        # The root folder's inode.
        root = int.from_bytes(content[START + 1024 + 14 : START + 1024 + 16], "little")
        content[START + root * 32] = 0xFF
    disk.path.write_bytes(content)
    with pytest.raises(ConfigurationError):
        disk.open().write(CHANGES)
    assert disk.path.read_bytes() == bytes(content)


@pytest.mark.parametrize(
    ("at", "content", "what"),
    [
        (0, bytes(128 * 1024), "it is blank"),
        (0, b"LUKS\xba\xbe", "encrypted"),
        (0, b"XFSB", "XFS"),
        (1024, b"\xff" * 128, "nothing in it is recognised"),
    ],
)
def test_what_is_no_file_system_of_these_is_told(disk: Disk, at: int, content: bytes, what: str) -> None:
    changed = bytearray(disk.before)
    changed[START + 1024 : START + 2048] = bytes(1024)
    changed[START + at : START + at + len(content)] = content
    disk.path.write_bytes(changed)
    with pytest.raises(ConfigurationError, match=what):
        disk.open()


def test_the_kernel_s_own_tools_agree(disk: Disk, tmp_path: Path) -> None:
    disk.open().write(CHANGES)
    alone = tmp_path / "alone"
    alone.write_bytes(disk.path.read_bytes()[START : START + disk.open().size])
    check = ["e2fsck", "-fn"] if disk.kind is Filesystem.EXT4 else ["fsck.erofs", "--extract"]
    done = subprocess.run([*check, alone], capture_output=True, text=True, check=False)
    assert (done.returncode, "warning" in done.stdout.lower()) == (0, False), done.stdout + done.stderr
