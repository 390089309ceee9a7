"""What the first bytes of an image tell: whether it is a disk's, and whether a rehearsal made it."""

from contextlib import closing
from pathlib import Path

import lz4.frame

from brqos.errors import ConfigurationError

NOTICE = "BRQOS REHEARSAL: this is not a Bottlerocket image, it does not boot and must not be registered as one.\n"


def refuse_rehearsed_image(file: Path) -> None:
    """Raise ConfigurationError if the image (`.img` or `.img.lz4`) comes from a rehearsal."""
    if NOTICE.encode() in _beginning(file):
        raise ConfigurationError(
            f"{file} was made by a rehearsal: it does not boot",
            why="It says so in its first bytes.",
            todo="Build without --rehearse; to rehearse registering too: brqos build --rehearse --region REGION",
        )


def has_partition_table(file: Path) -> bool:
    """Whether the image begins like a disk with GPT (UEFI specification 5.3.2: “EFI PART” in the second sector)."""
    return _beginning(file)[512:520] == b"EFI PART"


def _beginning(file: Path) -> bytes:
    try:
        with file.open("rb") as raw:
            head = raw.read(4096)
        if head.startswith(b"\x04\x22\x4d\x18"):
            with closing(lz4.frame.open(file, "rb")) as unpacked:
                head = unpacked.read(4096)
    except (OSError, EOFError, RuntimeError):
        # What cannot be read is refused, in better words, when it is hashed.
        return b""
    return bytes(head)
