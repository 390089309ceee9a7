"""What registering needs to know; for image files on the disk their names tell much of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from brqos.ami.layout import DEFAULT_PUBLISH_GIB
from brqos.ami.names import ImageName, data_sibling, parse_image_name
from brqos.architecture import Architecture
from brqos.config.ami import AmiSpec
from brqos.config.base import Model
from brqos.config.shown import shortened
from brqos.errors import ConfigurationError, UsageError
from brqos.image.model import Image, ImageRole

_VARIANT = re.compile(r"[a-z0-9][a-z0-9.-]*", re.ASCII)
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+_-]*", re.ASCII)


class AmiRequest(Model):
    """All that registering needs to know.

    `variant` is the image's own (`aws-k8s-1.29-memoryqos`), `image_version` `<release>-<short commit>`. `uefi_data` is
    the text of `efi-vars.aws` (base64) and counts with `secure_boot` only; `ami_spec` is the text of the variant's
    `amispec.toml`. `publish_gib` is what the volumes have together at least (the variant's image layout).
    """

    images: tuple[Image, ...]
    variant: str
    arch: Architecture
    image_version: str
    spec: AmiSpec = AmiSpec()
    secure_boot: bool = False
    uefi_data: str | None = None
    ami_spec: str | None = None
    build: str | None = None
    upstream_commit: str | None = None
    publish_gib: int = Field(default=DEFAULT_PUBLISH_GIB, ge=1, le=65536)


@dataclass(frozen=True, slots=True)
class ImageFiles:
    """Images to be registered; `found` is true if the data image was found beside the OS image and not named."""

    os: Path
    data: Path | None
    found: bool
    variant: str
    arch: Architecture
    version: str

    @property
    def by_role(self) -> dict[ImageRole, Path]:
        """The files by what they hold."""
        return {ImageRole.OS: self.os} | ({ImageRole.DATA: self.data} if self.data else {})


def image_files(
    image: Path,
    data_image: Path | None = None,
    *,
    variant: str | None = None,
    arch: str | None = None,
    version: str | None = None,
) -> ImageFiles:
    """What is given, filled up from the names of the files.

    Raises UsageError naming every flag that is still missing, ConfigurationError where names and flags contradict.
    """
    told = parse_image_name(image)
    if told is not None and told.role is ImageRole.DATA:
        raise ConfigurationError(
            f"{image} is a data image by its name",
            why="--image wants the OS image, which becomes the root volume.",
            todo="Give the file without “-data” as --image, and this one as --data-image.",
        )
    data = data_image or data_sibling(image)
    _check_missing(image, told, {"--arch": arch, "--variant": variant, "--image-version": version})
    named = Architecture.parse(arch) if arch else None
    if told is not None:
        _check_agrees(image, "--arch", named and named.value, told.arch.value)
        _check_agrees(image, "--variant", variant, told.variant)
        _check_agrees(image, "--image-version", version and version.removeprefix("v"), told.version)
    _check_pair(image, told, data)
    return ImageFiles(
        os=image,
        data=data,
        found=data is not None and data_image is None,
        variant=_checked(told.variant if told else variant or "", _VARIANT, "--variant", "aws-k8s-1.29-memoryqos"),
        arch=named or (told.arch if told else Architecture.of_this_machine()),
        version=_checked(told.version if told else version or "", _VERSION, "--image-version", "1.50.0-0123abcd"),
    )


def _check_missing(image: Path, told: ImageName | None, given: Mapping[str, str | None]) -> None:
    missing = [flag for flag, value in given.items() if not value]
    if told is None and missing:
        raise UsageError(
            f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} needed for {image.name}",
            why="Its name does not tell: upstream's pattern is bottlerocket-VARIANT-ARCH-VERSION-COMMIT.img.lz4.",
            todo=f"Add {' '.join(f'{flag} …' for flag in missing)}.",
        )


def _check_agrees(image: Path, flag: str, given: str | None, told: str) -> None:
    if given and given != told:
        raise ConfigurationError(
            f"{flag} says {shortened(given)}, the name of {image} says {told}",
            why="The AMI's architecture, name and tags follow from it, so one of the two is wrong.",
            todo=f"Leave {flag} out. If the name is wrong, rename the file (and the data image beside it).",
        )


def _check_pair(image: Path, told: ImageName | None, data: Path | None) -> None:
    beside = parse_image_name(data) if data else None
    if told is None or beside is None:
        return
    same = (told.variant, told.arch, told.version) == (beside.variant, beside.arch, beside.version)
    if not same or beside.role is not ImageRole.DATA:
        raise ConfigurationError(
            f"{data} is not the data image of {image}, by their names",
            why="OS and data image have to come from one build.",
            todo=f"Give the file that is called like {image.name}, with “-data” before “.img”.",
        )


def _checked(value: str, pattern: re.Pattern[str], flag: str, example: str) -> str:
    if not pattern.fullmatch(value):
        raise ConfigurationError(f"“{value}” cannot stand for {flag}", todo=f"Give something like {example}.")
    return value


def require_files(*files: Path | None) -> None:
    """Raise ConfigurationError for an image that is not there or no file."""
    for file in files:
        if file is not None and not file.is_file():
            raise ConfigurationError(
                _why_no_image(file),
                todo="Give the file of an image, .img or .img.lz4.",
            )


def _why_no_image(file: Path) -> str:
    if file.is_dir():
        return f"{file} is a folder, not an image"
    return f"{file} is not a regular file" if file.exists() else f"there is no image {file}"


def read_uefi_data(file: Path) -> str:
    """The text of an `efi-vars.aws`; raises ConfigurationError if it cannot be read."""
    try:
        return file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"the UEFI data {file} cannot be read",
            why=str(error),
            todo="Give the signing profile's file efi-vars.aws, which is one line of base64.",
        ) from error
