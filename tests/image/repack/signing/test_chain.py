"""The whole chain: every link is made and holds, and every link that is broken is found."""

import dataclasses
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from brqos import process
from brqos.architecture import Architecture
from brqos.errors import ConfigurationError, ToolError
from brqos.image.repack.signing import authenticode, certificates
from brqos.image.repack.signing.chain import sign_chain, unsigned
from brqos.image.repack.signing.gpg import gnupg
from brqos.image.repack.signing.hmac import vmlinuz_hmac
from brqos.image.repack.signing.model import BootFiles
from brqos.image.repack.signing.pe import PeFile
from brqos.image.repack.signing.profile import SigningKeys
from brqos.image.repack.signing.verify import verify_signed, verify_unsigned
from conftest import missing

from ..synthetic import MissingError, debian, pe
from ..synthetic.grub import make_grub
from .conftest import GRUB_CFG, boot_files
from .programs import fake, with_signatures

pytestmark = pytest.mark.processes

replace = dataclasses.replace


@pytest.fixture(scope="module")
def signed(keys: SigningKeys) -> BootFiles:
    return sign_chain(boot_files(Architecture.X86_64), keys)


def test_every_link(files: BootFiles, keys: SigningKeys) -> None:
    signed = sign_chain(files, keys)
    said = verify_signed(signed, keys)
    assert len(said) == 7
    assert signed.grub_cfg == files.grub_cfg
    assert signed.vmlinuz_hmac == vmlinuz_hmac(signed.vmlinuz)
    assert signed.db_crt == (keys.folder / "db.crt").read_bytes()
    # Only what had to change did: the sections of the kernel are those that were there.
    assert pe.sections(signed.vmlinuz) == pe.sections(files.vmlinuz)
    assert {**pe.sections(signed.grub), ".pubkey": b""} == {**pe.sections(files.grub), ".pubkey": b""}


def test_signing_again_replaces_what_was_signed(signed: BootFiles, keys: SigningKeys) -> None:
    again = sign_chain(replace(signed, grub_cfg=GRUB_CFG + b"set x=1\n"), keys)
    assert len(PeFile.parse(again.shim, "shim").signatures()) == 1
    assert len(again.vmlinuz) == len(signed.vmlinuz)
    assert again.grub_cfg_sig != signed.grub_cfg_sig


def test_signatures_of_others_are_taken_off(keys: SigningKeys) -> None:
    files = boot_files(Architecture.X86_64)
    theirs = {
        field: with_signatures(getattr(files, field), b"theirs" * 200, b"more of theirs" * 90)
        for field in ("shim", "grub", "mokmanager", "vmlinuz")
    }
    signed = sign_chain(replace(files, **theirs), keys)
    for field in theirs:
        assert b"theirs" * 200 not in getattr(signed, field)


def test_without_mokmanager(keys: SigningKeys) -> None:
    signed = sign_chain(replace(boot_files(Architecture.X86_64), mokmanager=None), keys)
    assert signed.mokmanager is None
    assert len(verify_signed(signed, keys)) == 6


def flipped(data: bytes, at: int = 0x1100) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda signed: {"shim": flipped(signed.shim)}, "bootx64.efi carries no valid signature under db.crt"),
        (lambda signed: {"grub": flipped(signed.grub)}, "grubx64.efi carries no valid signature under vendor.crt"),
        (lambda signed: {"mokmanager": flipped(signed.mokmanager)}, "mmx64.efi carries no valid signature"),
        (lambda signed: {"vmlinuz": flipped(signed.vmlinuz)}, "vmlinuz carries no valid signature"),
        (lambda signed: {"shim": signed.vmlinuz}, "carries no valid signature under db.crt"),
        (lambda signed: {"grub": boot_files(Architecture.X86_64).grub}, "grubx64.efi has 0 signatures"),
        (lambda signed: {"grub_cfg": signed.grub_cfg + b"\n"}, "grub.cfg.sig is no signature"),
        (lambda signed: {"grub_cfg_sig": b"x"}, "grub.cfg.sig is no signature"),
        (lambda signed: {"grub_cfg_sig": None}, "there is no grub.cfg.sig"),
        (lambda signed: {"db_cer": b"x"}, "db.crt and db.cer"),
        (lambda signed: {"db_crt": None}, "db.crt and db.cer"),
        (lambda signed: {"vmlinuz_hmac": None}, ".vmlinuz.hmac is not that of vmlinuz"),
        (lambda signed: {"vmlinuz_hmac": vmlinuz_hmac(b"other")}, ".vmlinuz.hmac is not that of vmlinuz"),
        (lambda signed: {"architecture": Architecture.AARCH64}, "is a program for x86_64"),
    ],
)
def test_a_broken_link_is_found(
    signed: BootFiles, keys: SigningKeys, change: Callable[[BootFiles], dict[str, Any]], words: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        verify_signed(replace(signed, **change(signed)), keys)
    assert words in caught.value.what


def test_other_keys(signed: BootFiles, keys: SigningKeys, tmp_path: Path) -> None:
    other = certificates.new_authority("other", 10)
    for name in ("db", "vendor"):
        (tmp_path / f"{name}.crt").write_text(other.certificate_text)
    with pytest.raises(ConfigurationError, match=r"under db\.crt"):
        verify_signed(signed, replace(keys, folder=tmp_path))
    with pytest.raises(ConfigurationError, match=r"does not trust vendor\.crt"):
        verify_signed(signed, replace(keys, vendor_der=certificates.der(other.certificate)))


def test_another_key_in_grub(signed: BootFiles, keys: SigningKeys, tmp_path: Path) -> None:
    with gnupg() as gpg:
        other = gpg.export_public(gpg.make_key("other"))
    grub = PeFile.parse(signed.grub, "grub").with_content(".pubkey", other)
    key, certificate = keys.code_pair
    resigned = authenticode.sign(grub.data, "grub", key=key, certificate=certificate, folder=tmp_path)
    with pytest.raises(ConfigurationError, match=r"no signature of grub\.cfg by the key in grubx64\.efi"):
        verify_signed(replace(signed, grub=resigned), keys)


def test_unsigned(files: BootFiles) -> None:
    bare = unsigned(files)
    assert ".pubkey" not in pe.sections(bare.grub)
    assert (bare.grub_cfg_sig, bare.db_crt, bare.db_cer) == (None, None, None)
    fields = [field.name for field in dataclasses.fields(bare)]
    assert {name for name in fields if getattr(bare, name) != getattr(files, name)} == {
        "grub",
        "grub_cfg_sig",
        "db_crt",
        "db_cer",
    }


def test_unsigned_from_a_signed_one(signed: BootFiles, keys: SigningKeys) -> None:
    bare = unsigned(signed)
    assert PeFile.parse(bare.grub, "grub").signatures() == ()
    assert verify_unsigned(unsigned(bare)) == verify_unsigned(bare)
    with pytest.raises(ConfigurationError, match="so it verifies nothing") as caught:
        sign_chain(bare, keys)
    assert "--unsigned" in caught.value.todo


@pytest.mark.parametrize(("field", "words"), [("grub", "still has a key"), ("grub_cfg_sig", "still a grub.cfg.sig")])
def test_what_is_left_of_signatures_is_found(signed: BootFiles, field: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        verify_unsigned(replace(unsigned(signed), **{field: getattr(signed, field)}))


def test_a_shim_without_a_place_for_a_certificate(keys: SigningKeys) -> None:
    files = replace(boot_files(Architecture.X86_64), shim=fake(Architecture.X86_64, "shim"))
    with pytest.raises(ConfigurationError, match=r"bootx64\.efi has no section \.vendor_cert"):
        sign_chain(files, keys)


def test_a_kernel_that_is_no_program(keys: SigningKeys) -> None:
    with pytest.raises(ConfigurationError, match="vmlinuz is not an EFI program"):
        sign_chain(replace(boot_files(Architecture.X86_64), vmlinuz=b"\x1f\x8b compressed"), keys)


@pytest.mark.parametrize("tool_name", ["sbsign", "sbverify", "gpg"])
def test_a_missing_tool(
    keys: SigningKeys, tool_name: str, tool: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in {"gpg", "gpgconf", "gpg-agent", "sbsign", "sbverify"} - {tool_name}:
        (tmp_path / name).symlink_to(tool(name))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match=f"“{tool_name}” is not installed"):
        sign_chain(boot_files(Architecture.X86_64), keys)


@pytest.mark.parametrize(("tool_name", "error"), [("sbsign", ToolError), ("sbverify", ConfigurationError)])
def test_a_tool_that_fails(
    keys: SigningKeys, tool_name: str, error: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / tool_name
    program.write_text("#!/bin/sh\necho no such luck >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(error) as caught:
        sign_chain(boot_files(Architecture.X86_64), keys)
    assert "no such luck" in str(caught.value)


def test_secrets_are_in_no_command_line_and_no_folder_stays(
    keys: SigningKeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    real = process.run

    def watched(argv: Sequence[Any], **words: Any) -> process.Completed:
        seen.extend(str(word) for word in argv)
        assert Path(words["cwd"]).stat().st_mode & 0o077 == 0
        return real(argv, **words)

    monkeypatch.setattr(process, "run", watched)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    sign_chain(boot_files(Architecture.X86_64), keys)
    assert any(word.endswith("code-sign.key") for word in seen)
    assert not any("PRIVATE" in word or "\n" in word or len(word) > 300 for word in seen)
    assert not list(tmp_path.iterdir())


def test_debians_shim_and_grub(keys: SigningKeys) -> None:
    try:
        # With the place for a key that upstream's has.
        grub = make_grub(b"\x00" * 4096)
        shim, mokmanager = debian.shim_file("shimx64.efi"), debian.shim_file("mmx64.efi")
    except MissingError as error:
        missing(str(error))
    files = replace(boot_files(Architecture.X86_64), shim=shim, grub=grub, mokmanager=mokmanager)
    signed = sign_chain(files, keys)
    assert verify_signed(signed, keys)
    assert verify_unsigned(unsigned(signed))
