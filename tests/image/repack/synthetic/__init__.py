"""Bottlerocket images of the real layout, made without Bottlerocket: nothing in them is upstream's.

`make_image(ImageOptions(...), folder)` makes one, `make_profile(folder)` the keys for a signed one; `broken` damages
copies, `bootable` makes one that boots under QEMU and OVMF. From a checkout: `python -m tests.image.repack.synthetic`.
"""

from .maker import compress, copy, make_image
from .model import (
    LAYOUTS,
    MIDDLE,
    REAL,
    SMALL,
    Binaries,
    Filesystem,
    ImageOptions,
    Layout,
    MissingError,
    Partition,
    SyntheticImage,
    Verity,
)
from .profile import make_profile

__all__ = [
    "LAYOUTS",
    "MIDDLE",
    "REAL",
    "SMALL",
    "Binaries",
    "Filesystem",
    "ImageOptions",
    "Layout",
    "MissingError",
    "Partition",
    "SyntheticImage",
    "Verity",
    "compress",
    "copy",
    "make_image",
    "make_profile",
]
