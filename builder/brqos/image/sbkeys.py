"""Secure Boot signing profiles: whether one is complete, and the UEFI data that registering an AMI needs from it.

A profile is a folder of keys and certificates, made by upstream's `sbkeys/generate-local-sbkeys` (keys as files) or
`sbkeys/generate-aws-sbkeys` (keys in KMS). What has to be in it is said by twoliter's Makefile.toml, task
`build-sbkeys`, which refuses a partial profile only after the kits and the SDK are there: "Incomplete Secure Boot
signing profile found".
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from pathlib import Path

from brqos.errors import ConfigurationError
from brqos.image.order import BuildOrder
from brqos.monitor import Monitor

EFI_VARS = "efi-vars.aws"

_ALWAYS = ("PK.crt", "KEK.crt", "db.crt", "vendor.crt", "config-sign.key", "efi-vars.json", EFI_VARS)
_LOCAL_KEYS = ("shim-sign.key", "shim-sign.crt", "code-sign.key", "code-sign.crt")
_SIGNING_CERTIFICATES = ("shim-sign.crt", "code-sign.crt")
_KMS = "kms-sign.json"
# EC2's own form of a variable store, as virt-firmware writes it.
_MAGIC = b"AMZNUEFI"


@dataclass(frozen=True, slots=True)
class SigningProfile:
    """A complete profile. `uefi_data` is the text of `efi-vars.aws`, base64, as RegisterImage takes it."""

    folder: Path
    in_kms: bool
    uefi_data: str


def read_profile(folder: Path) -> SigningProfile:
    """The profile in a folder; raises ConfigurationError if it is not there or not complete."""
    if not folder.is_dir():
        raise ConfigurationError(
            f"there is no signing profile at {folder}",
            todo="Give the folder of a profile, or make one with upstream's sbkeys/generate-local-sbkeys or "
            "sbkeys/generate-aws-sbkeys (--output-dir).",
        )
    in_kms = _filled(folder / _KMS) and not all(_filled(folder / name) for name in _LOCAL_KEYS)
    needed = (*_ALWAYS, *(() if in_kms else _LOCAL_KEYS))
    if missing := [name for name in needed if not _filled(folder / name)]:
        raise ConfigurationError(
            f"the signing profile {folder} is not complete",
            why=f"Missing or empty: {', '.join(missing)}"
            + ("" if in_kms else f" (a profile with its keys in KMS has {_KMS} instead of the four signing files)"),
            todo="Make the profile again with upstream's sbkeys/generate-local-sbkeys or sbkeys/generate-aws-sbkeys.",
        )
    return SigningProfile(folder, in_kms, read_uefi_data(folder))


def public_digest(folder: Path) -> str:
    """SHA-256 over the profile's certificates and UEFI data: the same keys, the same digest, wherever they lie.

    Only what is public is read, so that it can be told where no secrets are. A profile with its keys in KMS has no
    certificates of the signing keys.
    """
    digest = hashlib.sha256()
    for name in ("PK.crt", "KEK.crt", "db.crt", "vendor.crt", EFI_VARS):
        digest.update((folder / name).read_bytes())
    for name in _SIGNING_CERTIFICATES:
        if (folder / name).is_file():
            digest.update((folder / name).read_bytes())
    return digest.hexdigest()


def read_uefi_data(folder: Path) -> str:
    """The text of the profile's `efi-vars.aws`; raises ConfigurationError if it is not what EC2 takes."""
    file = folder / EFI_VARS
    try:
        text = file.read_text(encoding="ascii").strip()
        data = base64.b64decode("".join(text.split()), validate=True)
    except (OSError, UnicodeDecodeError, binascii.Error) as error:
        raise ConfigurationError(
            f"the UEFI data of the signing profile cannot be read: {file}",
            why=str(error),
            todo="Make the profile again, or this file with `virt-fw-vars --set-json efi-vars.json --output-aws`.",
        ) from error
    if not data.startswith(_MAGIC):
        raise ConfigurationError(
            f"{file} is not UEFI data of EC2's form",
            why=f"Decoded, it has to begin with {_MAGIC.decode()}.",
            todo="Make it again with `virt-fw-vars --set-json efi-vars.json --output-aws efi-vars.aws`.",
        )
    return text


def announce(order: BuildOrder, monitor: Monitor) -> None:
    """Say which profile signs this build; raises ConfigurationError if the one given is not complete."""
    folder = order.profile_folder
    if order.sbkeys_profile is None:
        known = _filled(folder / EFI_VARS)
        monitor.warn(
            f"no signing profile is given: upstream {'uses the keys that it made earlier' if known else 'makes keys'} "
            f"in {folder}, which `brqos clean` throws away and another machine does not have. Images of other builds "
            "then have other Secure Boot keys and other UEFI data. For anything but a trial give a profile of your "
            "own, "
            "kept outside the work tree: --sbkeys-profile DIR."
        )
        return
    profile = read_profile(folder)
    if folder.is_relative_to(order.work_tree.absolute()):
        monitor.warn(
            f"the signing profile {folder} is inside the work tree, which may be thrown away: keep it elsewhere"
        )
    monitor.note(f"Signing profile: {folder} ({'keys in KMS' if profile.in_kms else 'keys in files'})")


def _filled(file: Path) -> bool:
    return file.is_file() and file.stat().st_size > 0
