import os
from pathlib import Path

import pytest

from brqos.ami.request import image_files, read_uefi_data, require_files
from brqos.architecture import Architecture
from brqos.errors import ConfigurationError, UsageError
from brqos.image.model import ImageRole

NAME = "bottlerocket-aws-k8s-1.29-memoryqos-x86_64-1.50.0-0123abcd"
FLAGS = {"variant": "aws-k8s-1.29", "arch": "arm64", "version": "1.50.0-0123abcd"}


def test_all_from_the_name(tmp_path: Path) -> None:
    image = tmp_path / f"{NAME}.img.lz4"
    files = image_files(image)
    assert (files.variant, files.arch, files.version) == (
        "aws-k8s-1.29-memoryqos",
        Architecture.X86_64,
        "1.50.0-0123abcd",
    )
    assert (files.data, files.found, files.by_role) == (None, False, {ImageRole.OS: image})


def test_the_data_image_beside_is_found(tmp_path: Path) -> None:
    data = tmp_path / f"{NAME}-data.img.lz4"
    data.touch()
    found = image_files(tmp_path / f"{NAME}.img.lz4")
    assert (found.data, found.found) == (data, True)
    named = image_files(tmp_path / f"{NAME}.img.lz4", data)
    assert (named.data, named.found) == (data, False)


def test_flags_may_say_what_the_name_says(tmp_path: Path) -> None:
    image = tmp_path / f"{NAME}.img"
    said = image_files(image, variant="aws-k8s-1.29-memoryqos", version="v1.50.0-0123abcd", arch="amd64")
    assert said == image_files(image)


def test_all_that_is_missing_is_asked_for_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        image_files(Path("my.img"), variant="aws-k8s-1.29")
    assert caught.value.what == "--arch, --image-version are needed for my.img"
    assert caught.value.todo == "Add --arch … --image-version …."
    files = image_files(Path("my.img"), variant="aws-k8s-1.29", arch="arm64", version="1.50.0-x")
    assert files.arch is Architecture.AARCH64


@pytest.mark.parametrize(
    ("image", "data", "flags", "words"),
    [
        (f"{NAME}-data.img", None, {}, "is a data image by its name"),
        (f"{NAME}.img", None, {"arch": "arm64"}, "--arch says aarch64"),
        (f"{NAME}.img", None, {"arch": "sparc"}, "not an architecture"),
        (f"{NAME}.img", None, {"variant": "aws-k8s-1.29"}, "--variant says aws-k8s-1.29, the name of"),
        (f"{NAME}.img", None, {"version": "1.50.0-89abcdef"}, "--image-version says 1.50.0-89abcdef"),
        (f"{NAME}.img", None, {"variant": "x" * 999}, "… (999 characters)"),
        ("my.img", None, {**FLAGS, "variant": "Big One"}, "“Big One” cannot stand for --variant"),
        ("my.img", None, {**FLAGS, "version": "1 2"}, "“1 2” cannot stand for --image-version"),
        (f"{NAME}.img", f"{NAME}.img.lz4", {}, "is not the data image of"),
        (f"{NAME}.img", f"{NAME.replace('x86_64', 'aarch64')}-data.img", {}, "is not the data image of"),
    ],
)
def test_contradictions(image: str, data: str | None, flags: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        image_files(Path(image), Path(data) if data else None, **flags)
    assert words in caught.value.what


def test_a_wrong_name_can_be_mended() -> None:
    with pytest.raises(ConfigurationError) as caught:
        image_files(Path(f"{NAME}.img"), version="2.0.0-0123abcd")
    assert "rename the file" in caught.value.todo


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "dangling").symlink_to("nowhere")
    for file, words in {
        tmp_path / "pipe": "pipe is not a regular file",
        Path(os.devnull): "/dev/null is not a regular file",
        tmp_path / "dangling": "there is no image",
        tmp_path: "is a folder, not an image",
    }.items():
        with pytest.raises(ConfigurationError, match=words):
            require_files(None, file)


def test_uefi_data(tmp_path: Path) -> None:
    file = tmp_path / "efi-vars.aws"
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_uefi_data(file)
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_uefi_data(file)
    file.write_text("QUJD\n")
    assert read_uefi_data(file) == "QUJD"
