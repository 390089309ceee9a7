"""What a build leaves: the images, known by the SHA-256 of their uncompressed bytes."""

from enum import StrEnum
from pathlib import Path

from pydantic import Field

from brqos.config.base import Model

# Beside the images of upstream's build, and below /usr/share/bottlerocket in each OS image (twoliter's rpm2img).
INVENTORY = "application-inventory.json"


class ImageRole(StrEnum):
    """What an image becomes: the root volume (`os`, /dev/xvda) or the data volume (`data`, /dev/xvdb)."""

    OS = "os"
    DATA = "data"


class Image(Model):
    """One disk image.

    `sha256` and `bytes` are those of the *uncompressed* image (its identity: compressing again changes nothing);
    `file_sha256` and `file_bytes` those of the file as it lies there, `.img` or `.img.lz4`.
    """

    role: ImageRole
    file: Path
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    bytes: int = Field(ge=1)
    file_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    file_bytes: int = Field(ge=1)


class BuildResult(Model):
    """The images of one build, and what registering them needs from the tree and the signing profile.

    `image_version` is `<release>-<short commit>`; `uefi_data` is the text of the profile's `efi-vars.aws` (base64) or
    None where the variant does not do Secure Boot; `ami_spec` is the text of the variant's `amispec.toml` or None;
    `inventory` is upstream's list of the packages (INVENTORY), None where there was none.
    """

    image_version: str
    images: tuple[Image, ...]
    secure_boot: bool
    uefi_data: str | None = None
    ami_spec: str | None = None
    sbkeys_profile: str | None = None
    inventory: Path | None = None
