"""A signing profile: the files of upstream's sbkeys/generate-local-sbkeys, with keys made for the test.

`efi-vars.json` and `efi-vars.aws` are real where virt-fw-vars (PyPI: virt-firmware) is on the PATH. Elsewhere the first
is written by ourselves in the same form, and the second only begins like one: EC2's form packs the variables with a
dictionary that is EC2's own.
"""

import base64
import hashlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import Self

from .firmware import GLOBAL_VARIABLE, IMAGE_SECURITY, TIME_BASED, signature_list
from .model import guid
from .tools import need, run

PROGRAMS = ("openssl", "gpg", "gpgconf", "sbsign")

_AUTHORITIES = {
    "PK": "Synthetic Platform CA",
    "KEK": "Synthetic Key Exchange CA",
    "db": "Synthetic Database CA",
    "vendor": "Synthetic Vendor CA",
}
_SIGNERS = {"shim-sign": ("db", "Synthetic Shim Key"), "code-sign": ("vendor", "Synthetic Code Key")}


def make_profile(folder: Path) -> Path:
    """Make all keys and certificates in a new folder, about a second's work; return it.

    Keys are random: a seed for them would only pretend, since signatures carry the time.
    """
    need(*PROGRAMS)
    folder.mkdir(parents=True, mode=0o700)
    for name, subject in _AUTHORITIES.items():
        _certificate(folder, name, subject, [])
    for name, (authority, subject) in _SIGNERS.items():
        signer = ["-CA", str(folder / f"{authority}.crt"), "-CAkey", str(folder / f"{authority}.key")]
        usage = ["-addext", "basicConstraints=CA:FALSE", "-addext", "extendedKeyUsage=codeSigning"]
        _certificate(folder, name, subject, [*signer, "-config", "/dev/null", *usage])
    _config_key(folder / "config-sign.key")
    _uefi_variables(folder)
    return folder


def certificate_der(folder: Path, name: str) -> bytes:
    """A certificate of the profile in binary form."""
    lines = (folder / f"{name}.crt").read_text().split("-----BEGIN CERTIFICATE-----")[1].split("-----END")[0]
    return base64.b64decode("".join(lines.split()))


class ConfigSigner:
    """GnuPG with the profile's key for grub.cfg, in a `home` of its own; to be used in a `with` statement."""

    def __init__(self, profile: Path) -> None:
        self._profile = profile

    def __enter__(self) -> Self:
        # The path of gpg-agent's socket is part of this one's, and may have 107 bytes.
        self.home = Path(tempfile.mkdtemp(prefix="gpg-", dir="/tmp"))
        self._gpg("--import", self._profile / "config-sign.key")
        return self

    def __exit__(self, *_: object) -> None:
        _leave(self.home)

    def public_key(self) -> bytes:
        """The key as GRUB's section .pubkey holds it: binary, not armoured."""
        target = self.home / "pubkey"
        self._gpg("--output", target, "--export")
        return target.read_bytes()

    def sign(self, content: bytes) -> bytes:
        """A detached, binary signature."""
        source, target = self.home / "content", self.home / "content.sig"
        source.write_bytes(content)
        target.unlink(missing_ok=True)
        self._gpg("--output", target, "--detach-sign", source)
        return target.read_bytes()

    def _gpg(self, *arguments: str | Path) -> None:
        run(["gpg", "--homedir", self.home, "--batch", "--no-tty", "--quiet", *arguments])


def sign_pe(image: bytes, profile: Path, signer: str) -> bytes:
    """The PE file signed by `shim-sign` or `code-sign`; signatures that it has stay, so take them off before."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "unsigned", Path(folder) / "signed"
        source.write_bytes(image)
        key, certificate = profile / f"{signer}.key", profile / f"{signer}.crt"
        run(["sbsign", "--key", key, "--cert", certificate, "--output", target, source])
        return target.read_bytes()


def _certificate(folder: Path, name: str, subject: str, arguments: list[str]) -> None:
    key, certificate = folder / f"{name}.key", folder / f"{name}.crt"
    common: list[str | Path] = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-noenc",
        "-batch",
        "-sha256",
        "-days",
        "3650",
    ]
    run([*common, "-subj", f"/CN={subject}/", "-keyout", key, "-out", certificate, *arguments])
    key.chmod(0o600)


def _config_key(target: Path) -> None:
    home = Path(tempfile.mkdtemp(prefix="gpg-", dir="/tmp"))
    order = (
        "Key-Type: RSA\nKey-Length: 2048\nName-Real: Synthetic Config Key\nExpire-Date: 0\n%no-protection\n%commit\n"
    )
    gpg: list[str | Path] = ["gpg", "--homedir", home, "--batch", "--no-tty", "--quiet"]
    try:
        run([*gpg, "--gen-key"], stdin=order.encode())
        run([*gpg, "--armor", "--output", target, "--export-secret-keys"])
        target.chmod(0o600)
    finally:
        _leave(home)


def _leave(home: Path) -> None:
    run(["gpgconf", "--homedir", home, "--kill", "all"])
    shutil.rmtree(home, ignore_errors=True)


def _uefi_variables(folder: Path) -> None:
    json_file, aws_file = folder / "efi-vars.json", folder / "efi-vars.aws"
    if program := shutil.which("virt-fw-vars"):
        owner = guid("owner of the keys")
        keys: list[str | Path] = ["--set-pk", owner, folder / "PK.crt", "--add-kek", owner, folder / "KEK.crt"]
        run([program, *keys, "--add-db", owner, folder / "db.crt", "--secure-boot", "--output-json", json_file])
        run([program, "--set-json", json_file, "--output-aws", aws_file])
        return
    variables = [
        {
            "name": name,
            "guid": namespace,
            "attr": TIME_BASED,
            "data": signature_list(certificate_der(folder, name)).hex(),
            "time": bytes(16).hex(),
        }
        for name, namespace in (("PK", GLOBAL_VARIABLE), ("KEK", GLOBAL_VARIABLE), ("db", IMAGE_SECURITY))
    ]
    json_file.write_text(json.dumps({"version": 2, "variables": variables}, indent=4) + "\n")
    stand_in = b"AMZNUEFI" + hashlib.sha256(json_file.read_bytes()).digest()
    aws_file.write_text(base64.b64encode(stand_in).decode() + "\n")
