"""New profiles: the files and properties of upstream's, whole or not there, and for nobody else's eyes."""

import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from brqos import process
from brqos.errors import ConfigurationError, ToolError
from brqos.image.repack.signing import keys as making
from brqos.image.repack.signing.keys import FILES, new_profile
from brqos.image.sbkeys import read_profile

# bottlerocket v1.26.1, sbkeys/generate-local-sbkeys: what it copies out.
UPSTREAM = {
    *(f"{name}.{kind}" for name in ("PK", "KEK", "db", "vendor", "shim-sign", "code-sign") for kind in ("key", "crt")),
    *("config-sign.key", "efi-vars.aws", "efi-vars.json"),
}


def certificate(folder: Path, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((folder / f"{name}.crt").read_bytes())


def test_the_files_are_upstreams(profile: Path) -> None:
    assert {file.name for file in profile.iterdir()} == UPSTREAM == {file.name for file in FILES}
    assert read_profile(profile).in_kms is False


def test_nobody_else_may_read_them(profile: Path) -> None:
    assert stat.S_IMODE(profile.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in profile.iterdir()} == {0o600}


def test_what_is_secret_is_told(profile: Path) -> None:
    for file in FILES:
        assert file.secret == ("PRIVATE KEY" in (profile / file.name).read_text()), file.name


@pytest.mark.parametrize("name", ["PK", "KEK", "db", "vendor"])
def test_authorities(profile: Path, name: str) -> None:
    made = certificate(profile, name)
    made.verify_directly_issued_by(made)
    basic = made.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (basic.critical, basic.value.ca) == (True, True)
    assert made.public_key().key_size == 2048  # type: ignore[union-attr]
    assert (made.not_valid_after_utc - made.not_valid_before_utc).days == 3650
    assert made.subject.rfc4514_string().startswith("CN=brqos Secure Boot ")


@pytest.mark.parametrize(("name", "issuer"), [("shim-sign", "db"), ("code-sign", "vendor")])
def test_signing_keys(profile: Path, name: str, issuer: str) -> None:
    made = certificate(profile, name)
    made.verify_directly_issued_by(certificate(profile, issuer))
    assert made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    usage = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CODE_SIGNING, x509.ObjectIdentifier("1.3.6.1.4.1.311.10.3.6")]


@pytest.mark.processes
def test_openssl_agrees(profile: Path, tool: Callable[[str], Path]) -> None:
    for issuer, name in (("db", "shim-sign"), ("vendor", "code-sign")):
        words = ["verify", "-CAfile", profile / f"{issuer}.crt", profile / f"{name}.crt"]
        assert process.run([tool("openssl"), *words]).text.endswith(": OK\n")


@pytest.mark.processes
def test_an_empty_folder_is_taken_and_another_name(tmp_path: Path, profile: Path) -> None:
    folder = tmp_path / "deep" / "keys"
    folder.mkdir(parents=True)
    new_profile(folder, name="Example Corp.", days=30)
    assert certificate(folder, "db").subject.rfc4514_string() == "CN=Example Corp. Secure Boot Database CA"
    assert (certificate(folder, "db").not_valid_after_utc - certificate(folder, "db").not_valid_before_utc).days == 30
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert list(folder.parent.iterdir()) == [folder]


def test_keys_are_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for place in (tmp_path, tmp_path / "file", tmp_path / "link"):
        with pytest.raises(ConfigurationError, match="is there already"):
            new_profile(place)
    assert not (tmp_path / "elsewhere").exists()


def test_a_place_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigurationError, match="no folder can be made"):
        new_profile(tmp_path / "file" / "keys")


@pytest.mark.parametrize("name", ["", " x", "a\nName-Real: b", "x" * 32, "Käse", "a/b", "%echo"])
def test_names_that_cannot_be(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot begin the names"):
        new_profile(tmp_path / "keys", name=name)


@pytest.mark.parametrize("days", [0, -1, 36501])
def test_days_that_cannot_be(tmp_path: Path, days: int) -> None:
    with pytest.raises(ConfigurationError, match="cannot be valid for"):
        new_profile(tmp_path / "keys", days=days)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ToolError("virt-fw-vars is not there"), OSError("full")])
def test_nothing_half_made_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    # The keys' own making is tested elsewhere: here it is enough that something secret is there.
    monkeypatch.setattr(making, "_write_certificates", lambda folder, *_: (folder / "PK.key").write_text("secret"))

    def fail(*_: object) -> None:
        assert [*tmp_path.rglob("PK.key")]
        raise error

    monkeypatch.setattr(making, "_write_config_key", fail)
    with pytest.raises(type(error)):
        new_profile(tmp_path / "keys")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_somebody_filled_in_the_meantime(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, profile: Path
) -> None:
    folder = tmp_path / "keys"
    monkeypatch.setattr(
        making, "_write_certificates", lambda partial, *_: shutil.copytree(profile, partial, dirs_exist_ok=True)
    )
    monkeypatch.setattr(making, "_write_config_key", lambda *_: None)
    monkeypatch.setattr(making, "write_variables", lambda *_, **__: None)

    def fill(_: Path) -> None:
        folder.mkdir()
        (folder / "PK.key").write_text("somebody's")

    monkeypatch.setattr(making, "load_keys", fill)
    with pytest.raises(ConfigurationError, match="cannot be given its name"):
        new_profile(folder)
    assert [file.read_text() for file in folder.iterdir()] == ["somebody's"]
    assert list(tmp_path.iterdir()) == [folder]
