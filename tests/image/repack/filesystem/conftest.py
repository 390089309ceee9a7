"""A root file system of each kind, at an odd place of a disk, made once and copied for each test."""

import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from brqos.image.repack.filesystem.detect import detect
from brqos.image.repack.filesystem.model import FileSystem as BrqosFileSystem
from brqos.image.repack.gpt import Partition
from conftest import missing

from ..synthetic.filesystem import make_root
from ..synthetic.model import Filesystem, ImageOptions, Layout, MissingError
from ..synthetic.root_files import RootFile, root_files

MIB = 2**20
START = 3 * MIB
ROOM = 8 * MIB
LAYOUT = Layout(bios=1, efi=3, boot=4, root=ROOM // MIB, hash=1, reserved=1, private=10, data=8)
OPTIONS = ImageOptions(layout=LAYOUT)
USR = f"/{OPTIONS.sys_root}"
# Compresses well and takes many blocks, as a kubelet does; more names than fit into one block.
LONG_TEXT = b"".join(b"line %d of a text that compresses\n" % number for number in range(20_000))
MORE = (
    RootFile(f"{OPTIONS.sys_root}/share/doc/long.txt", LONG_TEXT),
    *(RootFile(f"{OPTIONS.sys_root}/share/many/{number:03}-{'x' * 60}", b"%d" % number) for number in range(150)),
)


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk with a file system; `before` are its bytes."""

    path: Path
    partition: Partition
    kind: Filesystem
    before: bytes

    def open(self) -> BrqosFileSystem:
        return detect(self.path, self.partition)


Made = Callable[[Filesystem], bytes]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The bytes of a partition with a file system."""

    @cache
    def make(kind: Filesystem) -> bytes:
        image = tmp_path_factory.mktemp("root") / "root"
        options = ImageOptions(layout=LAYOUT, filesystem=kind)
        base = root_files(options)
        try:
            make_root(image, options, sorted(with_folders(base), key=lambda entry: entry.path.split("/")))
        except MissingError as error:
            missing(str(error))
        os.truncate(image, ROOM)
        return image.read_bytes()

    return make


def with_folders(base: tuple[RootFile, ...]) -> list[RootFile]:
    folders = [RootFile(f"{OPTIONS.sys_root}/share/{name}", mode=0o040755) for name in ("doc", "many")]
    return [*base, *folders, *MORE]


@pytest.fixture(params=list(Filesystem), ids=lambda kind: kind.value)
def kind(request: pytest.FixtureRequest) -> Filesystem:
    return request.param


@pytest.fixture
def disk(kind: Filesystem, made: Made, tmp_path: Path) -> Disk:
    return write_disk(tmp_path, kind, made(kind))


def write_disk(folder: Path, kind: Filesystem, content: bytes) -> Disk:
    # e2fsprogs and mtools give a meaning to these characters.
    folder = folder / "odd?offset=1 @@ name"
    folder.mkdir(exist_ok=True)
    path = folder / "os.img"
    before = b"\xaa" * START + content + b"\xbb" * MIB
    path.write_bytes(before)
    return Disk(
        path, Partition(4, "BOTTLEROCKET-ROOT-A", START, ROOM, uuid.UUID(int=1), uuid.UUID(int=2), 0), kind, before
    )
