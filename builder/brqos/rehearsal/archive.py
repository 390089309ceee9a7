"""Unpacking a ZIP as CodeBuild unpacks a source: files with their modes, nothing outside of the folder."""

import io
import stat
import zipfile
from pathlib import Path, PurePosixPath

_MOST_BYTES = 1 << 30


class UnpackError(Exception):
    """The archive cannot be unpacked."""


def unpack(archive: bytes, folder: Path) -> None:
    """Unpack into a folder, which is made; raises UnpackError, OSError."""
    folder.mkdir(parents=True)
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > _MOST_BYTES:
                raise UnpackError("the source is larger than 1 GiB")
            for entry in packed.infolist():
                _unpack_entry(packed, entry, folder)
    except zipfile.BadZipFile as error:
        raise UnpackError(f"the source is no ZIP: {error}") from None


def _unpack_entry(packed: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path) -> None:
    name = PurePosixPath(entry.filename)
    if name.is_absolute() or ".." in name.parts:
        raise UnpackError(f"the source has a file outside of its folder: {entry.filename}")
    path, mode = folder / name, entry.external_attr >> 16
    if stat.S_ISLNK(mode):
        raise UnpackError(f"the source has a symbolic link: {entry.filename}")
    if entry.is_dir():
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(packed.read(entry))
    path.chmod(stat.S_IMODE(mode) & 0o777 or 0o644)
