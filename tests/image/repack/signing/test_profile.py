"""Profiles that are refused, or remarked upon."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from brqos.errors import ConfigurationError, ToolError
from brqos.image.repack.signing import certificates, virt_firmware
from brqos.image.repack.signing.profile import load_keys

pytestmark = pytest.mark.processes


@pytest.fixture
def folder(profile: Path, tmp_path: Path) -> Path:
    """A copy that may be changed."""
    return Path(shutil.copytree(profile, tmp_path / "profile"))


def test_a_whole_one(profile: Path) -> None:
    keys = load_keys(profile)
    assert keys.remarks == ()
    assert keys.uefi_data == (profile / "efi-vars.aws").read_text().strip()
    assert keys.db_der == certificates.der(certificates.read_certificate(profile / "db.crt"))
    assert keys.vendor_der == certificates.der(certificates.read_certificate(profile / "vendor.crt"))


def test_what_is_not_needed_may_be_elsewhere(folder: Path) -> None:
    for name in ("PK", "KEK", "db", "vendor"):
        (folder / f"{name}.key").unlink()
    assert load_keys(folder)


def test_keys_in_kms(folder: Path) -> None:
    (folder / "kms-sign.json").write_text("{}")
    (folder / "code-sign.key").unlink()
    with pytest.raises(ConfigurationError, match="are in KMS") as caught:
        load_keys(folder)
    assert "brqos keys new" in caught.value.todo


def test_a_missing_file(folder: Path) -> None:
    (folder / "code-sign.key").unlink()
    with pytest.raises(ConfigurationError, match="is not complete"):
        load_keys(folder)


def swap_keys(folder: Path) -> None:
    one, other = folder / "shim-sign.key", folder / "code-sign.key"
    texts = one.read_text(), other.read_text()
    other.write_text(texts[0])
    one.write_text(texts[1])


def encrypt_key(folder: Path) -> None:
    file = folder / "code-sign.key"
    key = serialization.load_pem_private_key(file.read_bytes(), None)
    encryption = serialization.BestAvailableEncryption(b"x")
    form = serialization.PrivateFormat.PKCS8
    file.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, encryption))


def other_kind_of_key(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    form = serialization.PrivateFormat.PKCS8
    (folder / "code-sign.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    )


def two_certificates(folder: Path) -> None:
    (folder / "db.crt").write_text((folder / "db.crt").read_text() * 2)


def no_key(folder: Path) -> None:
    (folder / "shim-sign.key").write_text("not a key")


def no_certificate(folder: Path) -> None:
    (folder / "vendor.crt").write_text("not a certificate")


def other_authority(folder: Path) -> None:
    (folder / "vendor.crt").write_text(certificates.new_authority("other", 10).certificate_text)


def other_database(folder: Path) -> None:
    # A key of its own is its own authority, so that only the UEFI data does not fit.
    made = certificates.new_authority("other", 10)
    for name in ("db", "shim-sign"):
        (folder / f"{name}.crt").write_text(made.certificate_text)
    (folder / "shim-sign.key").write_text(made.key_text)


def other_platform(folder: Path) -> None:
    (folder / "PK.crt").write_text((folder / "KEK.crt").read_text())


def damaged_uefi_data(folder: Path) -> None:
    file = folder / "efi-vars.aws"
    text = file.read_text()
    file.write_text(text[:200] + ("B" if text[200] == "A" else "A") + text[201:])


def cut_uefi_data(folder: Path) -> None:
    (folder / "efi-vars.aws").write_text((folder / "efi-vars.aws").read_text()[:400])


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (swap_keys, "shim-sign.key is not the key of shim-sign.crt"),
        (encrypt_key, "encrypted with a passphrase"),
        (other_kind_of_key, "no RSA key"),
        (two_certificates, "It has 2 certificates"),
        (no_key, "shim-sign.key of the signing profile cannot be used"),
        (no_certificate, "vendor.crt of the signing profile cannot be used"),
        (other_authority, "code-sign.crt was not issued under vendor.crt"),
        (other_database, "does not have the certificate db.crt"),
        (other_platform, "does not have the certificate PK.crt"),
        (damaged_uefi_data, "cannot be decoded"),
        (cut_uefi_data, "cannot be decoded"),
    ],
)
def test_files_that_do_not_fit(folder: Path, damage: Callable[[Path], None], words: str) -> None:
    damage(folder)
    with pytest.raises(ConfigurationError) as caught:
        load_keys(folder)
    assert words in str(caught.value)
    assert caught.value.todo
    assert "BEGIN" not in str(caught.value)


def test_an_expired_certificate_is_remarked_upon(folder: Path) -> None:
    # It ended with the second in which it began.
    made = certificates.new_authority("old", 0)
    (folder / "vendor.crt").write_text(made.certificate_text)
    (folder / "code-sign.crt").write_text(made.certificate_text)
    (folder / "code-sign.key").write_text(made.key_text)
    said = load_keys(folder).remarks
    assert [remark.split()[0] for remark in said] == ["vendor.crt", "code-sign.crt"]


def test_keys_that_others_may_read_are_remarked_upon(folder: Path) -> None:
    (folder / "code-sign.key").chmod(0o640)
    assert load_keys(folder).remarks == (f"others may read {folder / 'code-sign.key'}: chmod 600 it",)


def test_without_virt_firmware(profile: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(virt_firmware, "_MODULE", "no.such.module")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match="virt-firmware") as caught:
        load_keys(profile)
    assert "brqos[repack]" in caught.value.todo


def test_virt_firmware_of_the_system(profile: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(virt_firmware, "_MODULE", "no.such.module")
    program = tmp_path / "virt-fw-vars"
    program.write_text("#!/bin/sh\necho nonsense\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(ConfigurationError, match="cannot be decoded"):
        load_keys(profile)
