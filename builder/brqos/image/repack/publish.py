"""The names of the results, and how a finished file gets its own: whole, and never in the place of another."""

import contextlib
import errno
import hashlib
import os
import re
from pathlib import Path

from brqos.architecture import Architecture
from brqos.errors import ConfigurationError
from brqos.image.model import ImageRole
from brqos.image.repack.os_release import OsRelease
from brqos.variant import VariantName

# What os-release says becomes a part of a file's name.
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}")
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


def image_version(release: OsRelease, commit: str | None = None) -> str:
    """`<release>-<short commit>`, as twoliter names images, and AMIs are named too.

    `commit` stands for what was done with the image, as the overlay's commit does in a build from source: images of
    other settings or keys have other names. Without one it is upstream's. Raises ConfigurationError.
    """
    for value in (release.version_id, release.build_id):
        if not _VERSION.fullmatch(value):
            raise ConfigurationError(
                "the os-release of the image is not as expected",
                why=f"“{value[:80]}” cannot be a version.",
                todo="Give an OS image of Bottlerocket's own; one that was changed otherwise is not known here.",
            )
    return f"{release.version_id}-{commit or release.build_id}"


def file_name(
    variant: VariantName, architecture: Architecture, version: str, role: ImageRole, *, suffix: str = ".img.lz4"
) -> str:
    """Like twoliter's `bottlerocket-<variant>-<arch>-<version>-<build>[-data].img.lz4`, of the changed variant."""
    data = "-data" if role is ImageRole.DATA else ""
    return f"bottlerocket-{variant.memory_qos}-{architecture}-{version}{data}{suffix}"


def check_free(target: Path, file_sha256: str) -> None:
    """Refuse a name that something else has; raises ConfigurationError."""
    if target.is_symlink() or target.exists():
        if target.is_file() and not target.is_symlink() and _sha256(target) == file_sha256:
            return
        raise ConfigurationError(
            f"{target} is there already, and it is another file",
            why="It may be the result of other settings, keys, or another image; nothing is written over.",
            todo="Move it away, or name another output folder.",
        )


def publish(file: Path, target: Path, file_sha256: str) -> None:
    """Give a finished file, whose bytes are on the disk, its name; what is there with the same content stays.

    Raises ConfigurationError where another file has it.
    """
    umask = os.umask(0)
    os.umask(umask)
    file.chmod(0o644 & ~umask)
    _name(file, target, file_sha256)
    sync_folder(target.parent)


def _name(file: Path, target: Path, file_sha256: str) -> None:
    check_free(target, file_sha256)
    try:
        # A link is never made in the place of a file that came up meanwhile; a rename would be.
        os.link(file, target)
    except FileExistsError:
        check_free(target, file_sha256)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        file.rename(target)
    with contextlib.suppress(FileNotFoundError):
        file.unlink()


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
