from pathlib import Path

import pytest

from brqos.ami.request import ami_spec, image_files, read_uefi_data
from brqos.architecture import Architecture
from brqos.errors import ConfigurationError, UsageError
from brqos.image.model import ImageRole

NAME = "bottlerocket-aws-k8s-1.29-memoryqos-x86_64-1.50.0-0123abcd"


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


def test_flags_win_over_the_name(tmp_path: Path) -> None:
    files = image_files(tmp_path / f"{NAME}.img", variant="aws-k8s-1.30", version="2.0.0-x", arch="amd64")
    assert (files.variant, files.version, files.arch) == ("aws-k8s-1.30", "2.0.0-x", Architecture.X86_64)


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
        (f"{NAME}.img", None, {"variant": "Big One"}, "“Big One” cannot stand for --variant"),
        (f"{NAME}.img", None, {"version": "1 2"}, "“1 2” cannot stand for --image-version"),
        (f"{NAME}.img", f"{NAME}.img.lz4", {}, "is not the data image of"),
        (f"{NAME}.img", f"{NAME.replace('x86_64', 'aarch64')}-data.img", {}, "is not the data image of"),
    ],
)
def test_contradictions(image: str, data: str | None, flags: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        image_files(Path(image), Path(data) if data else None, **flags)
    assert words in caught.value.what


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"regions": ("Europe",)}, "“Europe” cannot stand for --region"),
        ({"name": "x?y"}, "cannot stand for --name"),
        ({"description": "x" * 300}, "cannot stand for --description"),
    ],
)
def test_wrong_flags(fields: dict[str, object], words: str) -> None:
    given = {"regions": ("eu-west-1",), "profile": None, "name": None, "description": None, "tags": {}, **fields}
    with pytest.raises(ConfigurationError) as caught:
        ami_spec(**given)  # type: ignore[arg-type]
    assert words in caught.value.what


def test_uefi_data(tmp_path: Path) -> None:
    file = tmp_path / "efi-vars.aws"
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_uefi_data(file)
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_uefi_data(file)
    file.write_text("QUJD\n")
    assert read_uefi_data(file) == "QUJD"
