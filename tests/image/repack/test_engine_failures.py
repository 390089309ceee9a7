"""Steps that fail, disks that are full, names that are taken: a whole result has its name, or there is none."""

import errno
import os
from pathlib import Path

import pytest

from brqos.errors import BrqosError, ConfigurationError, ToolError
from brqos.image.repack import check, difference, engine
from brqos.image.repack.engine import repack
from brqos.monitor import Silent

from .conftest import STEM, a_wish, list_of
from .synthetic import SyntheticImage, copy

pytestmark = [pytest.mark.processes, pytest.mark.usefixtures("repack_tools")]


STEPS = [
    (engine, "copy_image"),
    (engine, "take_data_image"),
    (engine, "examine"),
    (engine, "make_plan"),
    (difference, "take"),
    (engine, "build_tree"),
    (engine, "put_back"),
    (engine, "unsigned"),
    (engine, "write_boot_files"),
    (engine, "pack"),
    (check, "verify"),
    (difference, "compare"),
    (engine, "publish"),
]


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(("where", "step"), STEPS, ids=[step for _, step in STEPS])
def test_a_step_that_fails_leaves_nothing(
    plain: SyntheticImage, output: Path, monkeypatch: pytest.MonkeyPatch, where: object, step: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(where, step, fail)
    with pytest.raises(ToolError, match="is full") as caught:
        repack(a_wish(plain.os_image, data_image=plain.data_image), output, Silent())
    assert "No space left on device" in caught.value.why


@pytest.mark.usefixtures("untouched")
def test_a_full_disk_is_told_whatever_a_tool_says(
    plain: SyntheticImage, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise BrqosError("debugfs says something")

    monkeypatch.setattr(engine, "_LEAST_FREE", 2**60)
    monkeypatch.setattr(engine, "write_boot_files", fail)
    with pytest.raises(ToolError, match="is full"):
        repack(a_wish(plain.os_image), output, Silent())


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("number", [errno.EFBIG, errno.EIO, errno.EROFS])
def test_a_disk_that_refuses_is_no_bug(
    plain: SyntheticImage, output: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(engine, "copy_image", fail)
    with pytest.raises(ToolError, match="refuses what is written or read") as caught:
        repack(a_wish(plain.os_image), output, Silent())
    assert os.strerror(number) in caught.value.why


@pytest.mark.usefixtures("untouched")
def test_an_input_that_changes_meanwhile(
    plain: SyntheticImage, output: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = copy(plain, tmp_path / "mine").os_image
    real = engine.copy_image

    def read(*arguments: object) -> object:
        copied = real(*arguments)  # type: ignore[arg-type]
        with image.open("ab") as file:
            file.write(b"more")
        return copied

    monkeypatch.setattr(engine, "copy_image", read)
    with pytest.raises(ConfigurationError, match="was changed while it was read"):
        repack(a_wish(image), output, Silent())


def test_a_file_that_is_there_stays(plain: SyntheticImage, output: Path) -> None:
    output.mkdir()
    target = output / f"{STEM}.img.lz4"
    target.write_bytes(b"mine")
    with pytest.raises(ConfigurationError, match="is there already, and it is another file"):
        repack(a_wish(plain.os_image), output, Silent())
    assert (list_of(output), target.read_bytes()) == ([target.name], b"mine")

    target.unlink()
    repack(a_wish(plain.os_image), output, Silent())
    made = target.stat()
    assert made.st_size > 4
    # Once more: it is the same.
    repack(a_wish(plain.os_image), output, Silent())
    assert (target.stat().st_ino, target.stat().st_mtime_ns) == (made.st_ino, made.st_mtime_ns)


def test_a_folder_that_cannot_be_written_to(plain: SyntheticImage, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigurationError, match="nothing can be written to"):
        repack(a_wish(plain.os_image), tmp_path / "file" / "out", Silent())
