"""What a repacking leaves behind: the images, what is in them, what was changed, and who checked it.

All of it is data, for a record and for `--json`; `told` puts it into a short list that a person can check.
"""

from enum import StrEnum
from pathlib import Path

from pydantic import Field

from brqos.architecture import Architecture
from brqos.config.base import Model
from brqos.config.model import Delivery
from brqos.errors import BrqosError
from brqos.image.model import Image, ImageRole

_DIGEST = r"^[0-9a-f]{64}$"


class RefusedResultError(BrqosError):
    """The result is not what it should be: a bug of ours or of a tool, never the user's mistake."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(
            what,
            why=why,
            todo="Nothing was kept. Please report it as a bug of brqos, with the versions that `brqos doctor --engine "
            "repack` shows.",
        )


class Happened(StrEnum):
    """What became of a file."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


class FileFacts(Model):
    """A file in an image; `mode` is octal (`0644`), `owner` is `uid:gid`; FAT has no modes, owners and labels."""

    bytes: int
    sha256: str = Field(pattern=_DIGEST)
    mode: str | None = None
    owner: str | None = None
    label: str | None = None


class FileDifference(Model):
    """A file that is not as it was; `path` is absolute in the partition with that label, `why` is for a reader."""

    partition: str
    path: str
    what: Happened
    why: str
    before: FileFacts | None = None
    after: FileFacts | None = None


class PartitionDifference(Model):
    """How much of a partition is not as it was, in blocks of 4096 bytes."""

    number: int
    label: str
    blocks: int
    changed_blocks: int


class Difference(Model):
    """The result against the input: these partitions, these files, and nothing else (`difference.compare`)."""

    partitions: tuple[PartitionDifference, ...]
    files: tuple[FileDifference, ...]
    folders: tuple[str, ...] = ()
    """Folders that were made in the root file system."""


class Verified(Model):
    """Something that was checked and found right, and the tool that says so."""

    what: str
    tool: str


class Input(Model):
    """An image that was read; `sha256` and `bytes` are those of the uncompressed image."""

    role: ImageRole
    file: Path
    sha256: str = Field(pattern=_DIGEST)
    bytes: int


class VerityFacts(Model):
    """The parameters of the hash tree over the root file system."""

    data_blocks: int
    root_hash: str
    salt: str


class Facts(Model):
    """What was found in the input; `kernel` is None where the image does not say it in the usual place."""

    release: str
    build_id: str
    variant: str
    architecture: Architecture
    kubelet: str
    kernel: str | None
    filesystem: str
    delivery: Delivery
    was_signed: bool
    """Whether the input was made for Secure Boot."""
    verity_before: VerityFacts
    verity_after: VerityFacts


class Repacked(Model):
    """The result; `image_version` is `<release>-<short commit>`, `steps` the seconds that each step took."""

    images: tuple[Image, ...]
    image_version: str
    variant: str
    secure_boot: bool
    uefi_data: str | None
    inputs: tuple[Input, ...]
    facts: Facts
    difference: Difference
    verified: tuple[Verified, ...]
    updates_off: bool
    remarks: tuple[str, ...]
    steps: dict[str, float]
    inventory: str | None = None
    """Upstream's list of the packages, as it lies in the image; None where it has none that can be read."""


def told(repacked: Repacked) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The result in sections: a heading, and lines below it."""
    difference = repacked.difference
    changed = [item for item in difference.partitions if item.changed_blocks]
    same = [item.label or f"(number {item.number})" for item in difference.partitions if not item.changed_blocks]
    partitions = [f"{item.label}: {item.changed_blocks} of {item.blocks} blocks" for item in changed]
    return (
        ("Read", tuple(f"{item.file.name}: SHA-256 {item.sha256}" for item in repacked.inputs)),
        ("Found", (_found(repacked.facts),)),
        ("Files", tuple(_file(item) for item in difference.files)),
        ("Partitions", (*partitions, f"unchanged: the partition table, {', '.join(same)}")),
        ("Checked", tuple(f"{item.what} ({item.tool})" for item in repacked.verified)),
        ("Written", tuple(f"{item.file}: SHA-256 {item.sha256}" for item in repacked.images)),
        *((("Note", repacked.remarks),) if repacked.remarks else ()),
    )


def _found(facts: Facts) -> str:
    kernel = f", kernel {facts.kernel}" if facts.kernel else ""
    return (
        f"Bottlerocket {facts.release} ({facts.variant}, {facts.architecture}), kubelet {facts.kubelet}{kernel}, root "
        f"file system {facts.filesystem}, {'signed' if facts.was_signed else 'not signed'}"
    )


def _file(item: FileDifference) -> str:
    before, after = item.before, item.after
    if before is None or after is None:
        known = after or before
        size = f"{known.bytes} bytes" if known else ""
    else:
        size = f"{before.bytes} -> {after.bytes} bytes"
    return f"{item.what} {item.partition}{item.path}, {size}: {item.why}"
