"""The programs that the work needs, and the Debian packages that they come from."""

from brqos import process
from brqos.errors import ToolError

# What each is for is told by the modules that start it.
PACKAGES = {
    "debugfs": "e2fsprogs",
    "e2fsck": "e2fsprogs",
    "resize2fs": "e2fsprogs",
    "fsck.erofs": "erofs-utils",
    "mcopy": "mtools",
    "mdel": "mtools",
    "mdir": "mtools",
    "mtype": "mtools",
    "sgdisk": "gdisk",
    "veritysetup": "cryptsetup-bin",
}
SIGNING_PACKAGES = {"gpg": "gnupg", "gpgconf": "gnupg", "sbsign": "sbsigntool", "sbverify": "sbsigntool"}


def require(*, signing: bool) -> None:
    """Raise ToolError, with all that is missing and how to get it, before anything is begun."""
    needed = PACKAGES | (SIGNING_PACKAGES if signing else {})
    missing = {program: package for program, package in needed.items() if process.find(program) is None}
    if missing:
        packages = " ".join(sorted(set(missing.values())))
        raise ToolError(
            f"not installed: {', '.join(missing)}",
            why="An image is changed, signed and checked with the distribution's own tools.",
            todo=f"On Debian and Ubuntu: apt-get install {packages}. `brqos doctor --engine repack` knows them all.",
        )
