"""Names: what upstream calls an image's file, and what an AMI is called."""

import re
from dataclasses import dataclass
from pathlib import Path

from brqos.architecture import Architecture
from brqos.image.model import ImageRole

# Twoliter writes `bottlerocket-<variant>-<arch>-<version>-<build>[-data].img.lz4` (rpm2img); variants have dashes too.
_FILE = re.compile(
    r"bottlerocket-(?P<variant>[a-z0-9][a-z0-9.-]*?)-(?P<arch>x86_64|aarch64)"
    r"-v?(?P<version>\d+\.\d+\.\d+(?:-[0-9A-Za-z.]+)??-[0-9a-f]{7,40}(?:-dirty)?)(?P<data>-data)?\.img(?:\.lz4)?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class ImageName:
    """What the name of an image's file says; `version` is `<release>-<short commit>`."""

    variant: str
    arch: Architecture
    version: str
    role: ImageRole


def parse_image_name(file: Path) -> ImageName | None:
    """The parts of upstream's name, or None for a file that is called otherwise."""
    match = _FILE.fullmatch(file.name)
    if match is None:
        return None
    role = ImageRole.DATA if match["data"] else ImageRole.OS
    return ImageName(match["variant"], Architecture.parse(match["arch"]), match["version"], role)


def data_sibling(file: Path) -> Path | None:
    """The data image beside an OS image (`x.img.lz4` -> `x-data.img.lz4`), if it is there."""
    for suffix in (".img.lz4", ".img"):
        if file.name.endswith(suffix):
            sibling = file.with_name(file.name.removesuffix(suffix) + "-data" + suffix)
            return sibling if sibling.is_file() else None
    return None


def default_name(variant: str, arch: Architecture, image_version: str) -> str:
    """`bottlerocket-<variant>-<arch>-v<release>-<commit>`, as pubsys names it; Karpenter reads the release from it."""
    return f"bottlerocket-{variant}-{arch.value}-v{image_version.removeprefix('v')}"
