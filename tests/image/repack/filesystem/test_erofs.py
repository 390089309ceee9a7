"""EROFS alone: what its format allows, and that all but a few bytes stay."""

import os
import random
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from brqos.errors import ConfigurationError
from brqos.image.repack.filesystem.erofs import Erofs
from brqos.image.repack.filesystem.erofs_format import ErofsReader, crc32c
from brqos.image.repack.filesystem.model import CorruptError, FileChange, FileEntry, Kind

from ..synthetic.model import Filesystem
from .conftest import START, USR, Disk, Made, write_disk

pytestmark = pytest.mark.processes


@pytest.fixture
def disk(made: Made, tmp_path: Path, tool: Callable[[str], Path]) -> Disk:
    for program in ("mkfs.erofs", "fsck.erofs"):
        tool(program)
    return write_disk(tmp_path, Filesystem.EROFS, made(Filesystem.EROFS))


def test_only_what_must_change_changes(disk: Disk) -> None:
    files = Erofs(disk.path, disk.partition)
    size = files.size
    files.write([FileChange(f"{USR}/lib/os-release", b"ID=bottlerocket\n", "a test"), FileChange("/x", b"1", "a test")])
    before, after = disk.before[START : START + size], disk.path.read_bytes()[START : START + size]
    different = [at for at in range(size) if before[at] != after[at]]
    # The superblock's numbers, two inodes; the file's old bytes stay, and nothing points at them.
    assert len(different) < 64
    assert files.size == size + 4 * 4096


def test_the_checksum_is_that_of_the_standard() -> None:
    # RFC 3720, B.4: CRC-32C of 32 bytes of zeros, which is inverted at the end.
    assert crc32c(bytes(32)) ^ 0xFFFFFFFF == 0x8A9136AA


@pytest.mark.parametrize("extended", [True, False])
def test_attributes_and_both_forms_of_inodes_survive(
    tmp_path: Path, tool: Callable[[str], Path], extended: bool
) -> None:
    tree = tmp_path / "tree"
    (tree / "bin").mkdir(parents=True)
    (tree / "bin/ping").write_bytes(b"text that compresses " * 4000)
    (tree / "bin/ping").chmod(0o4755)
    (tree / "plain").write_bytes(b"1")
    try:
        # In the place of security.capability, which only root may set; shared where three have it.
        for name in ("bin/ping", "bin", "plain"):
            os.setxattr(tree / name, "user.shared", b"the same everywhere")
        os.setxattr(tree / "bin/ping", "user.own", b"\x01\x00\x00\x02")
    except OSError as error:
        pytest.skip(f"the file system of the tests knows no extended attributes: {error}")
    image = tmp_path / "image"
    options = ["-T1735689600", f"-Eforce-inode-{'extended' if extended else 'compact'}", "--all-root", "-zlz4hc"]
    subprocess.run([tool("mkfs.erofs"), *options, image, tree], check=True, capture_output=True)
    content = image.read_bytes()
    disk = write_disk(tmp_path, Filesystem.EROFS, content.ljust(8 * 2**20, b"\0"))
    files = Erofs(disk.path, disk.partition)
    expected = FileEntry("/bin/ping", Kind.FILE, 0o4755, 0, 0, 84000, None, None, ("user.own", "user.shared"))
    assert files.stat("/bin/ping") == expected
    files.write(
        [
            FileChange("/bin/new", b"2", "a test"),
            FileChange("/plain", b"3" * 9000, "a test"),
            FileChange("/a/b/c", b"4", "a test"),
        ]
    )
    assert files.stat("/bin/ping") == expected
    assert files.read("/bin/ping") == b"text that compresses " * 4000
    replaced = files.stat("/plain")
    assert replaced is not None
    assert (replaced.attributes, replaced.size) == (("user.shared",), 9000)
    with disk.path.open("rb") as file:
        reader = ErofsReader(file, START, disk.partition.size)
        inode = reader.find("/bin/ping")
        assert inode is not None
        assert reader.attributes(inode) == {"user.shared": b"the same everywhere", "user.own": b"\x01\x00\x00\x02"}
        root = reader.inode(reader.superblock.root)
        assert (root.extended, root.links) == (extended, 4)


def test_folders_of_many_blocks_are_sorted_for_the_kernel(disk: Disk) -> None:
    names = [f"{number:04}{'n' * random.Random(number).randrange(200)}" for number in range(400)]
    Erofs(disk.path, disk.partition).write([FileChange(f"/new/{name}", b"x", "a test") for name in names])
    with disk.path.open("rb") as file:
        reader = ErofsReader(file, START, disk.partition.size)
        inode = reader.find("/new")
        assert inode is not None
        # The kernel looks names up by halves, over blocks and within them.
        assert [entry.name.decode() for entry in reader.folder(inode)] == sorted([".", "..", *names])
    assert Erofs(disk.path, disk.partition).entries("/new") == tuple(sorted(names))


@pytest.mark.parametrize(
    ("at", "value", "what"),
    [
        (80, b"\x80", "features that are not known"),
        (86, b"\x01", "features that are not known"),
        (12, b"\x0e", "features that are not known"),
        (4, b"\0\0\0\0", "checksum of its superblock"),
        (36, b"\xff\xff\xff\x0f", "checksum of its superblock"),
    ],
)
def test_superblocks_that_are_not_known_are_refused(disk: Disk, at: int, value: bytes, what: str) -> None:
    content = bytearray(disk.before)
    content[START + 1024 + at : START + 1024 + at + len(value)] = value
    disk.path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=what):
        Erofs(disk.path, disk.partition)


def test_garbage_is_refused_and_never_a_bug(disk: Disk) -> None:
    """Whatever bytes the metadata has: an answer, or the error that says it is broken."""
    noise = random.Random(7)
    size = Erofs(disk.path, disk.partition).size
    for _ in range(60):
        content = bytearray(disk.before[: START + size])
        # Behind the first block, which has a checksum.
        for _ in range(200):
            content[START + 4096 + noise.randrange(size - 4096)] = noise.randrange(256)
        disk.path.write_bytes(content)
        files = Erofs(disk.path, disk.partition)
        try:
            list(files.walk())
        except CorruptError:
            continue


@pytest.fixture
def hostile(tmp_path: Path, tool: Callable[[str], Path]) -> Callable[[dict[bytes, bytes]], Erofs]:
    """A file system whose tools wrote other names and numbers than these, which have as many bytes."""
    tree = tmp_path / "parent" / "tree"
    (tree / "one" / "two").mkdir(parents=True)
    # Compressed, so that fsck.erofs is asked for it.
    (tree / "one" / "AAAAAAAAAAAAA").write_bytes(b"text that compresses " * 4000)
    (tree / "one" / "yyy").mkdir()
    (tree / "one" / "zzz").symlink_to("/tmp")
    image = tmp_path / "image"
    made = [tool("mkfs.erofs"), "-T1735689600", "-x-1", "-Enosbcrc", "--all-root", "-zlz4hc", image, tree]
    subprocess.run(made, check=True, capture_output=True)

    def change(other: dict[bytes, bytes]) -> Erofs:
        content = image.read_bytes()
        for old, new in other.items():
            assert content.count(old) == 1
            content = content.replace(old, new)
        folder = tmp_path / "work"
        folder.mkdir()
        disk = write_disk(folder, Filesystem.EROFS, content.ljust(8 * 2**20, b"\0"))
        return Erofs(disk.path, disk.partition)

    return change


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (b"AAAAAAAAAAAAA", b"../../../away", "has a slash"),
        (b"AAAAAAAAAAAAA", b"/AAAAAAAAAAAA", "has a slash"),
        (b"AAAAAAAAAAAAA", b"\0AAAAAAAAAAAA", "or is none"),
        (b"yyy", b"zzz", "has a name twice"),
        (b"yyy", b"aaa", "is not sorted"),
    ],
)
def test_names_that_lead_elsewhere_are_refused_before_a_tool_unpacks_them(
    hostile: Callable[[dict[bytes, bytes]], Erofs], tmp_path: Path, old: bytes, new: bytes, why: str
) -> None:
    files = hostile({old: new})
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(CorruptError, match=why):
        files.read("/one/AAAAAAAAAAAAA")
    with pytest.raises(CorruptError, match=why):
        files.check()
    assert sorted(tmp_path.rglob("*")) == before


def test_folders_within_themselves_and_files_without_end_are_refused(disk: Disk) -> None:
    with disk.path.open("rb") as file:
        reader = ErofsReader(file, START, disk.partition.size)
        folder, doc = reader.find(f"{USR}/share"), reader.find(f"{USR}/share/doc")
        long = reader.find(f"{USR}/share/doc/long.txt")
        assert folder and doc and long and not long.is_flat
        place = next(entry for entry in reader.folder(folder) if entry.name == b"doc")
        # Where the entry lies: a folder's data begins at its block, or (all of it here) behind its inode.
        data = folder.data * 4096 if folder.layout == 0 else folder.at + folder.header + folder.attributes_size
        at = START + data + disk.before[START + data :].index(place.number.to_bytes(8, "little"))
    loop = bytearray(disk.before)
    loop[at : at + 8] = folder.number.to_bytes(8, "little")
    disk.path.write_bytes(loop)
    files = Erofs(disk.path, disk.partition)
    for look in (files.check, files.check_tree, lambda: list(files.walk())):
        with pytest.raises(CorruptError, match="is within itself"):
            look()
    endless = bytearray(disk.before)
    endless[START + long.at + 8 : START + long.at + 12] = b"\xff\xff\xff\x7f"
    disk.path.write_bytes(endless)
    with pytest.raises(CorruptError, match="bytes unpacked"):
        Erofs(disk.path, disk.partition).read(f"{USR}/share/doc/long.txt")


def test_folders_that_no_path_leads_to_are_refused(tmp_path: Path, tool: Callable[[str], Path]) -> None:
    tree = tmp_path / "tree"
    (tree / "/".join("d" * 300)).mkdir(parents=True)
    image = tmp_path / "image"
    subprocess.run([tool("mkfs.erofs"), "-x-1", image, tree], check=True, capture_output=True)
    disk = write_disk(tmp_path, Filesystem.EROFS, image.read_bytes().ljust(8 * 2**20, b"\0"))
    with pytest.raises(CorruptError, match="deep"):
        Erofs(disk.path, disk.partition).check()
