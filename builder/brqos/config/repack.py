"""The section `[repack]`: which built image is changed, and how."""

from pathlib import Path

from pydantic import Field

from brqos.config.base import Model

_URL = r"^(https://|http://(localhost|127\.0\.0\.1)[:/]|file:///|/)\S+$"


class RepackSpec(Model):
    """The image that the repack engine begins with, and what it does beside putting MemoryQoS in."""

    image: Path | None = None
    """The OS image, .img or .img.lz4; the official one of the release where none is given."""
    data_image: Path | None = None
    """Its data image; the one beside it where none is given."""
    release: str | None = Field(default=None, pattern=r"^(newest|[0-9]+\.[0-9]+\.[0-9]+)$")
    """Bottlerocket's release whose official image is taken: newest, or such as 1.50.0."""
    unsigned: bool = False
    """Take all signatures away instead of making new ones: no Secure Boot."""
    switch_updates_off: bool = False
    """Switch in-place updates off in the image's defaults."""
    stream: bool = False
    """Upload the image as it is, without packing it into a file that stays; needs regions."""
    lz4_level: int = Field(default=1, ge=1, le=12)
    """Compression of the image's file; upstream's is 9."""
    metadata_url: str | None = Field(default=None, pattern=_URL)
    """Where a mirror of the update repository has its metadata: URL or path, {variant} and {arch} stand for theirs."""
    targets_url: str | None = Field(default=None, pattern=_URL)
    """Where its targets are."""
    tuf_root: Path | None = None
    """The root of trust (root.json) of such a mirror, if it has one of its own."""
    tuf_root_sha512: str | None = Field(default=None, pattern=r"^[0-9a-f]{128}$")
    """The SHA-512 of that file."""
