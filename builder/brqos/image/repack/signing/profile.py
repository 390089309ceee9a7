"""A signing profile whose keys can sign here: complete, its keys in files, and all of one piece."""

from dataclasses import dataclass
from pathlib import Path

from brqos.errors import ConfigurationError
from brqos.image.repack.signing import certificates
from brqos.image.repack.signing.uefi import check_uefi_data
from brqos.image.sbkeys import EFI_VARS, read_profile

_SECRET = ("shim-sign.key", "code-sign.key", "config-sign.key")
# What the firmware is told to trust: variables of the same names.
_TRUSTED = ("PK", "KEK", "db")
_CERTIFICATES = ("PK.crt", "KEK.crt", "db.crt", "vendor.crt", "shim-sign.crt", "code-sign.crt")


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """A checked profile. `remarks` are worth a warning; `uefi_data` is base64, as RegisterImage takes it."""

    folder: Path
    db_der: bytes
    vendor_der: bytes
    uefi_data: str
    remarks: tuple[str, ...]

    @property
    def db_certificate(self) -> Path:
        """What the firmware trusts (PEM)."""
        return self.folder / "db.crt"

    @property
    def vendor_certificate(self) -> Path:
        """What shim trusts (PEM)."""
        return self.folder / "vendor.crt"

    @property
    def shim_pair(self) -> tuple[Path, Path]:
        """Key and certificate that sign shim."""
        return self.folder / "shim-sign.key", self.folder / "shim-sign.crt"

    @property
    def code_pair(self) -> tuple[Path, Path]:
        """Key and certificate that sign GRUB, MokManager and the kernel."""
        return self.folder / "code-sign.key", self.folder / "code-sign.crt"

    @property
    def config_key(self) -> Path:
        """The GnuPG key that signs grub.cfg."""
        return self.folder / "config-sign.key"


def load_keys(folder: Path) -> SigningKeys:
    """Read and check a profile.

    Raises ConfigurationError for one that is incomplete, has its keys in KMS, or mixes files of several profiles, and
    ToolError without the extra `repack`.
    """
    profile = read_profile(folder)
    if profile.in_kms:
        raise ConfigurationError(
            f"the keys of the signing profile {folder} are in KMS",
            why="Repacking signs with keys in files; those in KMS are used by upstream's build in its container.",
            todo="Make a profile with `brqos keys new`, or build with --engine source, which takes this one.",
        )
    certificates.check_pair(folder / "shim-sign.key", folder / "shim-sign.crt")
    certificates.check_pair(folder / "code-sign.key", folder / "code-sign.crt")
    certificates.check_issued(folder / "shim-sign.crt", folder / "db.crt")
    certificates.check_issued(folder / "code-sign.crt", folder / "vendor.crt")
    trusted = {name: certificates.der(certificates.read_certificate(folder / f"{name}.crt")) for name in _TRUSTED}
    remarks = check_uefi_data(folder / EFI_VARS, trusted)
    dated = (certificates.outside_validity(folder / name) for name in _CERTIFICATES)
    open_to_others = (_open_to_others(folder / name) for name in _SECRET)
    return SigningKeys(
        folder,
        db_der=trusted["db"],
        vendor_der=certificates.der(certificates.read_certificate(folder / "vendor.crt")),
        uefi_data=profile.uefi_data,
        remarks=(*remarks, *(remark for remark in (*dated, *open_to_others) if remark)),
    )


def _open_to_others(file: Path) -> str | None:
    if file.stat().st_mode & 0o077:
        return f"others may read {file}: chmod 600 it"
    return None
