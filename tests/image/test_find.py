"""The images are found by exactly the names that upstream gives them."""

from pathlib import Path

import pytest

from brqos.architecture import Architecture
from brqos.errors import BuildError
from brqos.image.find import find_images, image_name
from brqos.image.model import ImageRole

ARCH, VARIANT, VERSION = Architecture.AARCH64, "aws-k8s-1.35-nvidia-memoryqos", "1.53.0-0123456789ab"
FOLDER = Path("build/images/aarch64-aws-k8s-1.35-nvidia-memoryqos") / VERSION
OS = "bottlerocket-aws-k8s-1.35-nvidia-memoryqos-aarch64-1.53.0-0123456789ab.img.lz4"
DATA = "bottlerocket-aws-k8s-1.35-nvidia-memoryqos-aarch64-1.53.0-0123456789ab-data.img.lz4"


def _write(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).touch()


def test_names() -> None:
    assert image_name(ARCH, VARIANT, VERSION, ImageRole.OS) == OS
    assert image_name(ARCH, VARIANT, VERSION, ImageRole.DATA) == DATA


def test_split(tmp_path: Path) -> None:
    _write(tmp_path / FOLDER, OS, DATA, "application-inventory.json")
    found = find_images(tmp_path, ARCH, VARIANT, VERSION)
    assert found == {ImageRole.OS: tmp_path / FOLDER / OS, ImageRole.DATA: tmp_path / FOLDER / DATA}


def test_unified(tmp_path: Path) -> None:
    _write(tmp_path / FOLDER, OS)
    assert find_images(tmp_path, ARCH, VARIANT, VERSION, split=False) == {ImageRole.OS: tmp_path / FOLDER / OS}
    with pytest.raises(BuildError, match=r"left no .*-data"):
        find_images(tmp_path, ARCH, VARIANT, VERSION)


def test_dirty_is_refused_with_the_reason(tmp_path: Path) -> None:
    _write(tmp_path / FOLDER.with_name(f"{VERSION}-dirty"), OS.replace(".img", "-dirty.img"))
    with pytest.raises(BuildError, match="from a changed tree") as caught:
        find_images(tmp_path, ARCH, VARIANT, VERSION)
    assert "git status" in caught.value.todo


def test_a_dirty_one_beside_the_right_one_does_not_matter(tmp_path: Path) -> None:
    _write(tmp_path / FOLDER.with_name(f"{VERSION}-dirty"))
    _write(tmp_path / FOLDER, OS, DATA)
    assert find_images(tmp_path, ARCH, VARIANT, VERSION)


def test_other_versions_are_named(tmp_path: Path) -> None:
    _write(tmp_path / FOLDER.with_name("1.53.0-0123456"))
    (tmp_path / FOLDER.with_name("latest")).symlink_to("1.53.0-0123456")
    with pytest.raises(BuildError, match=f"no image of version {VERSION}") as caught:
        find_images(tmp_path, ARCH, VARIANT, VERSION)
    assert caught.value.why.endswith(": 1.53.0-0123456")


def test_nothing_at_all(tmp_path: Path) -> None:
    with pytest.raises(BuildError) as caught:
        find_images(tmp_path, ARCH, VARIANT, VERSION)
    assert caught.value.why.endswith(": nothing")
