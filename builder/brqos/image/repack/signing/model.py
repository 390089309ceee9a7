"""The files that the chain of signatures is made of, and where an image keeps them.

Names and places: bottlerocket-kernel-kit's packages/shim and packages/grub, and twoliter's rpm2img and imghelper
(`provide_certs`, `sign_vmlinuz`, `generate_hmac`, `sign_grubcfg`), the same from twoliter 0.0.6 to 0.5.0.
"""

from dataclasses import dataclass
from typing import Final

from brqos.architecture import Architecture


@dataclass(frozen=True, slots=True)
class BootFiles:
    """The contents of these files; None for one that is not there, or shall not be.

    On EFI-SYSTEM: `shim`, `grub`, `mokmanager` and the certificate of the firmware's database as PEM (`db_crt`) and DER
    (`db_cer`). On BOOT-A: `vmlinuz`, `vmlinuz_hmac`, `grub_cfg` and `grub_cfg_sig`.
    """

    architecture: Architecture
    shim: bytes
    grub: bytes
    mokmanager: bytes | None
    db_crt: bytes | None
    db_cer: bytes | None
    vmlinuz: bytes
    vmlinuz_hmac: bytes | None
    grub_cfg: bytes
    grub_cfg_sig: bytes | None


# Paths from the root of BOOT-A, by the field of BootFiles.
BOOT_PATHS: Final = {
    "vmlinuz": "vmlinuz",
    "vmlinuz_hmac": ".vmlinuz.hmac",
    "grub_cfg": "grub/grub.cfg",
    "grub_cfg_sig": "grub/grub.cfg.sig",
}


def efi_paths(architecture: Architecture) -> dict[str, str]:
    """Paths from the root of EFI-SYSTEM, by the field of BootFiles."""
    suffix = {Architecture.X86_64: "x64", Architecture.AARCH64: "aa64"}[architecture]
    return {
        "shim": f"EFI/BOOT/boot{suffix}.efi",
        "grub": f"EFI/BOOT/grub{suffix}.efi",
        "mokmanager": f"EFI/BOOT/mm{suffix}.efi",
        "db_crt": "EFI/BOOT/db.crt",
        "db_cer": "EFI/BOOT/db.cer",
    }


def file_name(field: str, architecture: Architecture) -> str:
    """What messages call a file: the last part of its path."""
    return {**BOOT_PATHS, **efi_paths(architecture)}[field].rpartition("/")[2]
