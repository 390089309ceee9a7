"""The tags that say what made a snapshot or an AMI, and of what; reuse and pruning go by them and by nothing else."""

import hashlib
from collections.abc import Mapping

from brqos import __version__
from brqos.errors import ConfigurationError
from brqos.image.model import Image, ImageRole

PREFIX = "brqos:"
TOOL = "brqos:tool"
VERSION = "brqos:version"
BUILD = "brqos:build"
VARIANT = "brqos:variant"
ARCH = "brqos:arch"
IMAGE_VERSION = "brqos:image-version"
UPSTREAM = "brqos:upstream-commit"
ROLE = "brqos:image-role"
SHA256 = "brqos:image-sha256"
ZERO_BLOCKS = "brqos:zero-blocks"
KMS_KEY = "brqos:kms-key"
UEFI_DATA = "brqos:uefi-data-sha256"
SBOM = "brqos:sbom-sha256"
PROVENANCE = "brqos:provenance-sha256"
OF_DOCUMENTS = (SBOM, PROVENANCE)
"""What an AMI gets when all regions are done: there has to be room for it."""
NAME = "Name"

# EBS direct allows less than EC2 (127 and 255 against 128 and 256), and the snapshots get the same tags.
_LONGEST_KEY = 127
_LONGEST_VALUE = 255
_MOST = 50


def common_tags(
    *, build: str | None, variant: str, arch: str, image_version: str, upstream_commit: str | None
) -> dict[str, str]:
    """What AMI and snapshots have in common; what is not known is left out."""
    tags = {
        TOOL: "brqos",
        VERSION: __version__,
        BUILD: build,
        VARIANT: variant,
        ARCH: arch,
        IMAGE_VERSION: image_version,
        UPSTREAM: upstream_commit,
    }
    return {key: value for key, value in tags.items() if value}


def snapshot_tags(image: Image, *, omit_zeros: bool, kms_key: str | None) -> dict[str, str]:
    """The tags that say what a snapshot holds, and which key was asked for it."""
    tags = {ROLE: image.role.value, SHA256: image.sha256, ZERO_BLOCKS: "omitted" if omit_zeros else "sent"}
    return {**tags, KMS_KEY: kms_key} if kms_key else tags


def snapshot_identity(image: Image, *, omit_zeros: bool) -> dict[str, str]:
    """The tags by which a snapshot of this image is found again."""
    content = snapshot_tags(image, omit_zeros=omit_zeros, kms_key=None)
    return {TOOL: "brqos", SHA256: content[SHA256], ZERO_BLOCKS: content[ZERO_BLOCKS]}


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as AWS's APIs take them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def image_tag(role: ImageRole) -> str:
    """The AMI's tag for the SHA-256 of one of its images."""
    return f"{SHA256}-{role.value}"


def content_tags(images: Mapping[ImageRole, Image], uefi_data: str | None) -> dict[str, str]:
    """The AMI's tags for its content. DescribeImages does not tell UEFI data, so its hash goes into a tag."""
    tags = {image_tag(role): image.sha256 for role, image in images.items()}
    if uefi_data is not None:
        tags[UEFI_DATA] = hashlib.sha256(uefi_data.encode()).hexdigest()
    return tags


def check_tags(tags: Mapping[str, str], where: str) -> None:
    """Refuse a person's tags that AWS or brqos cannot take; raises ConfigurationError naming `where` they stand."""
    for key, value in tags.items():
        if not 1 <= len(key) <= _LONGEST_KEY or len(value) > _LONGEST_VALUE:
            raise ConfigurationError(
                f"the tag “{key}” in {where} is too long or has no key",
                why=f"A key has 1 to {_LONGEST_KEY} characters, a value at most {_LONGEST_VALUE}.",
                todo="Shorten it.",
            )
        if key.lower().startswith(("aws:", PREFIX)):
            raise ConfigurationError(
                f"the tag “{key}” in {where} has a prefix that is taken",
                why="AWS keeps “aws:” for itself; “brqos:” marks what brqos made, and pruning goes by it.",
                todo="Give it another key.",
            )


def check_count(tags: Mapping[str, str]) -> None:
    """Refuse more tags than a resource may have; raises ConfigurationError."""
    if len(tags) > _MOST:
        raise ConfigurationError(
            f"there are {len(tags)} tags, with brqos's own",
            why=f"AWS allows {_MOST} on each resource.",
            todo="Leave some out.",
        )
