"""The check finds whatever is wrong in a result, and names the tool that says so."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import lz4.frame
import pytest

from brqos import process
from brqos.architecture import Architecture
from brqos.errors import ToolError
from brqos.image.repack import check, tools
from brqos.image.repack.boot_files import BootPartitions, read_boot_files, write_boot_files
from brqos.image.repack.check import Wanted
from brqos.image.repack.engine import repack
from brqos.image.repack.examine import Layout, examine, find_layout
from brqos.image.repack.filesystem.model import FileChange
from brqos.image.repack.gpt import read_table
from brqos.image.repack.plan import make_plan
from brqos.image.repack.result import RefusedResultError, Verified
from brqos.image.repack.signing.chain import sign_chain
from brqos.image.repack.signing.model import BootFiles
from brqos.image.repack.signing.profile import SigningKeys
from brqos.monitor import Silent

from .conftest import Make, a_wish
from .synthetic import Filesystem, ImageOptions

pytestmark = [pytest.mark.processes, pytest.mark.usefixtures("repack_tools")]


@dataclass(frozen=True)
class Result:
    """A repacked image, raw, and what it was made by."""

    image: Path
    layout: Layout
    wanted: Wanted

    def verify(self, **other: object) -> tuple[Verified, ...]:
        folder = self.image.parent / "check"
        folder.mkdir()
        return check.verify(self.image, replace(self.wanted, **other), folder)  # type: ignore[arg-type]

    def flip(self, at: int) -> None:
        with self.image.open("r+b") as disk:
            disk.seek(at)
            byte = disk.read(1)[0]
            disk.seek(at)
            disk.write(bytes([byte ^ 1]))

    def boot(self, change: Callable[[BootFiles], BootFiles]) -> None:
        partitions = BootPartitions(self.image, self.layout.boot, self.layout.efi)
        before = read_boot_files(partitions, Architecture.X86_64)
        write_boot_files(partitions, before, change(before))


@pytest.fixture(scope="module")
def results(
    made: Make, stock_profile: Path, own_keys: SigningKeys, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Filesystem], tuple[Path, Wanted]]:
    @cache
    def result(kind: Filesystem) -> tuple[Path, Wanted]:
        wish = a_wish(made(ImageOptions(filesystem=kind, profile=stock_profile)).os_image, own_keys)
        folder = tmp_path_factory.mktemp("result")
        packed = repack(wish, folder, Silent()).images[0].file
        with lz4.frame.open(packed) as content, (folder / "os.img").open("wb") as raw:
            shutil.copyfileobj(content, raw, 2**22)
        return folder / "os.img", Wanted(make_plan(examine(wish.image), wish).changes, own_keys)

    return result


@pytest.fixture(params=list(Filesystem), ids=lambda kind: kind.value)
def result(
    request: pytest.FixtureRequest, results: Callable[[Filesystem], tuple[Path, Wanted]], tmp_path: Path
) -> Result:
    made, wanted = results(request.param)
    image = tmp_path / "os.img"
    shutil.copy(made, image)
    with image.open("rb") as disk:
        layout = find_layout(read_table(disk), image)
    return Result(image, layout, wanted)


def refused(result: Result, words: str, **other: object) -> None:
    with pytest.raises(RefusedResultError, match="did not pass its check") as caught:
        result.verify(**other)
    assert words in caught.value.why
    assert "report" in caught.value.todo


def test_a_good_result(result: Result) -> None:
    before = result.image.read_bytes()
    said = result.verify()
    assert len(said) == 13
    assert "e2fsck -fn" in {item.tool for item in said}
    assert all(item.what and item.tool for item in said)
    assert not any(item.what.endswith(")") for item in said)
    assert result.image.read_bytes() == before


def test_a_bit_of_the_root_file_system(result: Result) -> None:
    with result.image.open("rb") as disk:
        disk.seek(result.layout.root.start)
        content = disk.read(result.layout.root.size).rstrip(b"\0")
    result.flip(result.layout.root.start + len(content) // 2)
    refused(result, "veritysetup verify says")


def test_a_bit_of_the_hash_tree(result: Result) -> None:
    result.flip(result.layout.hash.start + 4096 + 3)
    refused(result, "veritysetup verify says")


@pytest.mark.parametrize("at", [72, 90])
def test_a_bit_of_the_superblock_which_the_kernel_does_not_read(result: Result, at: int) -> None:
    """The number of blocks, and the salt."""
    result.flip(result.layout.hash.start + at)
    refused(result, "veritysetup dump says")


def test_the_copy_of_the_partition_table(result: Result) -> None:
    result.flip(result.image.stat().st_size - 512 + 20)
    refused(result, "sgdisk says")


def test_another_root_hash(result: Result) -> None:
    keys = result.wanted.keys
    assert keys is not None

    def other(files: BootFiles) -> BootFiles:
        text = files.grub_cfg.decode()
        at = text.index(" sha256 ") + len(" sha256 ")
        return sign_chain(replace(files, grub_cfg=f"{text[:at]}{'5a' * 32}{text[at + 64 :]}".encode()), keys)

    result.boot(other)
    refused(result, "veritysetup verify says")


def test_files_that_are_not_there_or_not_as_wanted(result: Result) -> None:
    changes = list(result.wanted.changes)
    refused(result, "another content", changes=[replace(changes[0], content=b"other")])
    shutil.rmtree(result.image.parent / "check")
    refused(
        result, "/etc/nowhere in it has another content", changes=[*changes, FileChange("/etc/nowhere", b"x", "a test")]
    )


def test_signatures(result: Result) -> None:
    refused(result, "grubx64.efi still has a key", keys=None)
    shutil.rmtree(result.image.parent / "check")
    result.boot(lambda files: replace(files, grub_cfg=files.grub_cfg + b"\n"))
    refused(result, "grub.cfg.sig is no signature")


def test_a_boot_file_system_that_is_not_clean(result: Result) -> None:
    """A bit of its block bitmap, which no file shows."""
    done = process.run(["dumpe2fs", f"os.img?offset={result.layout.boot.start}"], cwd=result.image.parent)
    place = next(line for line in done.text.splitlines() if "Block bitmap at" in line)
    block = int(place.split("Block bitmap at ")[1].split()[0])
    size = int(next(line for line in done.text.splitlines() if line.startswith("Block size")).split()[-1])
    result.flip(result.layout.boot.start + block * size + 1)
    refused(result, "itmap")


def test_missing_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "find", lambda program: None if program in {"sgdisk", "gpg"} else Path(program))
    with pytest.raises(ToolError, match="not installed: sgdisk, gpg") as caught:
        tools.require(signing=True)
    assert "apt-get install gdisk gnupg." in caught.value.todo
    with pytest.raises(ToolError, match="not installed: sgdisk\n"):
        tools.require(signing=False)
