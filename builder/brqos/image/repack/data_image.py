"""The data image: taken as it is, since MemoryQoS has no part in it; looked at, hashed, and packed where it is raw."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from brqos.errors import ConfigurationError
from brqos.image.repack.gpt import read_table
from brqos.image.repack.pack import Packed, pack
from brqos.image.repack.working import copy_image
from brqos.monitor import Monitor

_OS_LABEL = "BOTTLEROCKET-ROOT-A"
_READ = 4 * 2**20


@dataclass(frozen=True, slots=True)
class DataImage:
    """A packed copy of it in the folder of the work, and what it is."""

    file: Path
    packed: Packed


def check_is_data_image(image: Path) -> None:
    """Refuse at once what is no file that can be read; raises ConfigurationError."""
    if not image.is_file():
        raise ConfigurationError(f"there is no data image {image}", todo="Correct --data-image.")
    if not os.access(image, os.R_OK):
        raise ConfigurationError(f"the data image {image} cannot be read", todo="Make it readable for you.")


def take_data_image(image: Path, folder: Path, monitor: Monitor, *, level: int) -> DataImage:
    """Copy it into a folder of its own; raises ConfigurationError for what is no data image."""
    folder.mkdir(mode=0o700)
    raw, target = copy_image(image, folder, monitor), folder / "data.img.lz4"
    with raw.path.open("rb") as disk:
        if read_table(disk).has(_OS_LABEL):
            raise ConfigurationError(
                f"{image} is an OS image, not a data image",
                why=f"It has a partition {_OS_LABEL}.",
                todo="Give the other file of the two: its name ends in -data.img.lz4.",
            )
    if image.suffix != ".lz4":
        packed = pack(raw.path, target, monitor, level=level)
    else:
        packed = Packed(raw.sha256, raw.bytes, *_copy(image, target))
    raw.path.unlink()
    return DataImage(target, packed)


def _copy(source: Path, target: Path) -> tuple[str, int]:
    """Copy a file, and return its SHA-256 and size."""
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as reader, target.open("xb") as writer:
        while part := reader.read(_READ):
            digest.update(part)
            writer.write(part)
            size += len(part)
        writer.flush()
        os.fsync(writer.fileno())
    return digest.hexdigest(), size
