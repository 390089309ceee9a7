"""A new signing profile: the same files as upstream's sbkeys/generate-local-sbkeys makes, with the same properties."""

import contextlib
import os
import re
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from brqos import process
from brqos.errors import ConfigurationError, ToolError
from brqos.files import write_atomically
from brqos.image.repack.signing import certificates
from brqos.image.repack.signing.gpg import gnupg
from brqos.image.repack.signing.profile import load_keys
from brqos.image.repack.signing.virt_firmware import write_variables

# As upstream: ten years.
DAYS = 3650
NAME = "brqos"
# 64 characters are the most that a common name has (RFC 5280, ub-common-name); ours end in up to 32 more.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._@+-]{0,30}")
_MOST_DAYS = 36500


@dataclass(frozen=True, slots=True)
class ProfileFile:
    """A file of a profile: what it is for, whether it is secret, and whether repacking reads it."""

    name: str
    purpose: str
    secret: bool = False
    needed: bool = True


FILES: Final = (
    ProfileFile("PK.crt", "platform certificate: who may change the firmware's other keys"),
    ProfileFile("KEK.crt", "key exchange certificate: who may change the firmware's database"),
    ProfileFile("db.crt", "the firmware's database: boots what was signed under it (shim)"),
    ProfileFile("vendor.crt", "shim's own: boots what was signed under it (GRUB, MokManager, kernel)"),
    ProfileFile("shim-sign.crt", "certificate of the key that signs shim, issued under db.crt"),
    ProfileFile("shim-sign.key", "signs shim", secret=True),
    ProfileFile("code-sign.crt", "certificate of the key that signs GRUB and kernel, issued under vendor.crt"),
    ProfileFile("code-sign.key", "signs GRUB, MokManager and kernel", secret=True),
    ProfileFile("config-sign.key", "signs grub.cfg, and with it the root file system (GnuPG)", secret=True),
    ProfileFile("efi-vars.json", "the firmware's variables, to be read and changed with virt-fw-vars"),
    ProfileFile("efi-vars.aws", "the same as UEFI data for EC2: AMIs are registered with it"),
    ProfileFile("PK.key", "changes the firmware's keys on a machine that has them", secret=True, needed=False),
    ProfileFile("KEK.key", "changes the firmware's database on such a machine", secret=True, needed=False),
    ProfileFile("db.key", "issues another shim-sign.crt", secret=True, needed=False),
    ProfileFile("vendor.key", "issues another code-sign.crt", secret=True, needed=False),
)


def new_profile(folder: Path, *, name: str = NAME, days: int = DAYS) -> tuple[ProfileFile, ...]:
    """Make a profile; `name` is what the certificates' names begin with, `days` how long they are valid.

    It is made in a folder of mode 0700 beside, checked, and then gets its name: it is whole or not there. Raises
    ConfigurationError for a folder that has something in it, and ToolError for missing tools.
    """
    _check_wishes(name, days)
    _check_place(folder)
    with _beside(folder) as partial:
        _write_certificates(partial, name, days)
        _write_config_key(partial, f"{name} Config Signing Key")
        try:
            write_variables(partial, owner=str(uuid.uuid4()))
        except process.ProcessError as error:
            raise ToolError(
                "virt-fw-vars could not make the UEFI data", why=error.reason, todo="Try another virt-firmware."
            ) from error
        for file in FILES:
            (partial / file.name).chmod(0o600)
        load_keys(partial)
        _move(partial, folder)
    return FILES


def _write_certificates(folder: Path, name: str, days: int) -> None:
    def keep(stem: str, made: certificates.Authority) -> certificates.Authority:
        write_atomically(folder / f"{stem}.key", made.key_text, mode=0o600)
        write_atomically(folder / f"{stem}.crt", made.certificate_text, mode=0o600)
        return made

    keep("PK", certificates.new_authority(f"{name} Secure Boot Platform CA", days))
    keep("KEK", certificates.new_authority(f"{name} Secure Boot Key Exchange CA", days))
    db = keep("db", certificates.new_authority(f"{name} Secure Boot Database CA", days))
    vendor = keep("vendor", certificates.new_authority(f"{name} Secure Boot Vendor CA", days))
    keep("shim-sign", certificates.new_signing_key(f"{name} Shim Signing Key", days, db))
    keep("code-sign", certificates.new_signing_key(f"{name} Code Signing Key", days, vendor))


def _write_config_key(folder: Path, user_id: str) -> None:
    with gnupg() as gpg:
        fingerprint = gpg.make_key(user_id)
        write_atomically(folder / "config-sign.key", gpg.export_secret(fingerprint), mode=0o600)


def _check_wishes(name: str, days: int) -> None:
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"“{name}” cannot begin the names of certificates",
            why="Up to 31 letters (A to Z), digits, spaces and . _ @ + - are possible, the first a letter or digit.",
            todo="Give another --name.",
        )
    if not 1 <= days <= _MOST_DAYS:
        raise ConfigurationError(
            f"certificates cannot be valid for {days} days", todo=f"Give --days between 1 and {_MOST_DAYS}."
        )


def _check_place(folder: Path) -> None:
    if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
        raise ConfigurationError(
            f"{folder} is there already",
            why="Keys in it are never written over: images that need them could not be made any more.",
            todo="Name a folder that is not there, or an empty one.",
        )


@contextlib.contextmanager
def _beside(folder: Path) -> Iterator[Path]:
    try:
        folder.absolute().parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".partial", dir=folder.absolute().parent))
    except OSError as error:
        raise ConfigurationError(
            f"no folder can be made in {folder.absolute().parent}", why=str(error), todo="Name another place."
        ) from None
    try:
        yield partial
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _move(partial: Path, folder: Path) -> None:
    try:
        # Over an empty folder, but never over one that somebody filled in the meantime.
        os.rename(partial, folder)  # noqa: PTH104 - Path.rename promises nothing about folders
    except OSError as error:
        raise ConfigurationError(
            f"{folder} cannot be given its name", why=str(error), todo="Name a folder that is not there."
        ) from None
    descriptor = os.open(folder.absolute().parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
