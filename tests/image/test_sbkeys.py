"""Signing profiles: complete or refused, and always told."""

import base64
from dataclasses import replace
from pathlib import Path

import pytest

from brqos.architecture import Architecture
from brqos.errors import ConfigurationError
from brqos.image.order import BuildOrder
from brqos.image.sbkeys import announce, read_profile, read_uefi_data
from image.recorder import Recorder

UEFI = base64.b64encode(b"AMZNUEFI" + bytes(range(32))).decode()
COMMON = ("PK.crt", "KEK.crt", "db.crt", "vendor.crt", "config-sign.key", "efi-vars.json")
LOCAL = ("shim-sign.key", "shim-sign.crt", "code-sign.key", "code-sign.crt")


def write_profile(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).write_text("x")
    (folder / "efi-vars.aws").write_text(UEFI + "\n")
    return folder


def test_keys_in_files(tmp_path: Path) -> None:
    profile = read_profile(write_profile(tmp_path / "p", *COMMON, *LOCAL))
    assert (profile.in_kms, profile.uefi_data) == (False, UEFI)


def test_keys_in_kms(tmp_path: Path) -> None:
    assert read_profile(write_profile(tmp_path / "p", *COMMON, "kms-sign.json")).in_kms


@pytest.mark.parametrize("missing", [*COMMON, *LOCAL, "efi-vars.aws"])
def test_each_file_is_needed(tmp_path: Path, missing: str) -> None:
    folder = write_profile(tmp_path / "p", *COMMON, *LOCAL)
    (folder / missing).write_text("")
    with pytest.raises(ConfigurationError, match="not complete") as caught:
        read_profile(folder)
    assert missing in caught.value.why


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no signing profile"):
        read_profile(tmp_path / "none")


@pytest.mark.parametrize("text", ["not base64!", base64.b64encode(b"something else").decode(), "", "é"])
def test_uefi_data_of_another_form(tmp_path: Path, text: str) -> None:
    (tmp_path / "efi-vars.aws").write_text(text)
    with pytest.raises(ConfigurationError, match="UEFI data"):
        read_uefi_data(tmp_path)


def test_uefi_data_in_lines(tmp_path: Path) -> None:
    (tmp_path / "efi-vars.aws").write_text(f"{UEFI[:20]}\n{UEFI[20:]}\n")
    assert read_uefi_data(tmp_path).replace("\n", "") == UEFI


def test_announced(tmp_path: Path) -> None:
    order = BuildOrder(tmp_path / "tree", "aws-k8s-1.29-memoryqos", Architecture.X86_64)
    said = Recorder()
    announce(order, said)
    assert "makes keys" in said.warnings[0]
    assert "--sbkeys-profile" in said.warnings[0]
    write_profile(order.profile_folder, *COMMON, *LOCAL)
    announce(order, said)
    assert "keys that it made earlier" in said.warnings[1]

    outside = write_profile(tmp_path / "keys" / "prod", *COMMON, *LOCAL)
    said = Recorder()
    announce(replace(order, sbkeys_profile=outside), said)
    assert not said.warnings
    assert said.notes == [f"Signing profile: {outside} (keys in files)"]
    announce(replace(order, sbkeys_profile=order.profile_folder), said)
    assert "inside the work tree" in said.warnings[0]
