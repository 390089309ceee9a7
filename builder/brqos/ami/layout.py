"""The volumes of an AMI: which device each image becomes, and how large it is. Pure."""

from collections.abc import Mapping

from brqos.image.model import ImageRole

DEVICES = {ImageRole.OS: "/dev/xvda", ImageRole.DATA: "/dev/xvdb"}
BLOCK = 524288
"""Bytes of a block of EBS direct."""
GIB = 1 << 30
# twoliter's manifest.rs (DEFAULT_PUBLISH_IMAGE_SIZE_HINT_GIB); a `publish-image-size-hint-gib` of a variant is its own.
DEFAULT_PUBLISH_GIB = 22


def volume_sizes(images: Mapping[ImageRole, int], publish_gib: int = DEFAULT_PUBLISH_GIB) -> dict[ImageRole, int]:
    """GiB of each volume, from the images' bytes (twoliter, ImageLayout::publish_image_sizes_gib).

    An image is as large as its layout says, so its own size stands for `os-image-size-gib` and `data-image-size-gib`:
    with a data image the OS volume has the image's size and the data volume the rest, else the OS volume has all.
    """
    least = {role: -(-size // GIB) for role, size in images.items()}
    whole = max(publish_gib, sum(least.values()))
    if ImageRole.DATA in least:
        return {ImageRole.OS: least[ImageRole.OS], ImageRole.DATA: whole - least[ImageRole.OS]}
    return {ImageRole.OS: whole}


def image_gib(size: int) -> int:
    """GiB of the snapshot for an image of so many bytes."""
    return -(-size // GIB)


def placeholder(role: ImageRole) -> str:
    """What stands for a snapshot's id until there is one."""
    return f"<snapshot of {role.value}>"
