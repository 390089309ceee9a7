"""Finding what upstream's build has made.

twoliter's rpm2img writes into `build/images/<arch>-<variant>/<release>-<commit>/` the file
`bottlerocket-<variant>-<arch>-<release>-<commit>.img.lz4`, with `-data` before the suffix for the data image of a split
layout. The commit is what `git describe --always --dirty --exclude '*'` says in the work tree.
"""

from pathlib import Path

from brqos.architecture import Architecture
from brqos.errors import BuildError
from brqos.image.model import ImageRole

_DIRTY = "-dirty"


def image_folder(work_tree: Path, arch: Architecture, variant: str) -> Path:
    """Where upstream puts all versions of one variant for one architecture."""
    return work_tree / "build" / "images" / f"{arch.value}-{variant}"


def image_name(arch: Architecture, variant: str, image_version: str, role: ImageRole) -> str:
    """Upstream's file name; `image_version` is `<release>-<short commit>`."""
    data = "-data" if role is ImageRole.DATA else ""
    return f"bottlerocket-{variant}-{arch.value}-{image_version}{data}.img.lz4"


def find_images(
    work_tree: Path, arch: Architecture, variant: str, image_version: str, *, split: bool = True
) -> dict[ImageRole, Path]:
    """The images of exactly this version; raises BuildError with what was found instead."""
    versions = image_folder(work_tree, arch, variant)
    folder = versions / image_version
    if not folder.is_dir():
        raise _not_there(versions, image_version)
    wanted = (ImageRole.OS, ImageRole.DATA) if split else (ImageRole.OS,)
    found = {role: folder / image_name(arch, variant, image_version, role) for role in wanted}
    if missing := [file.name for file in found.values() if not file.is_file()]:
        there = sorted(path.name for path in folder.iterdir() if not path.is_symlink())
        raise BuildError(
            f"upstream's build ended well, but left no {' and no '.join(missing)}",
            why=f"In {folder}: {', '.join(there) or 'nothing'}",
            todo="Build again with --force; if it stays so, upstream has changed the names of its images: please "
            "report it.",
        )
    return found


def _not_there(versions: Path, image_version: str) -> BuildError:
    if (versions / (image_version + _DIRTY)).is_dir():
        return BuildError(
            f"the image was built from a changed tree ({image_version}{_DIRTY})",
            why="Something changed a file that git tracks in the work tree during the build or before it, so the "
            "image's "
            "version does not name its content; brqos does not register such an image.",
            todo="`git status` in the work tree shows the change. `brqos clean` throws the tree away; then build "
            "again.",
        )
    others = sorted(path.name for path in versions.glob("*") if path.is_dir() and not path.is_symlink())
    return BuildError(
        f"upstream's build ended well, but left no image of version {image_version}",
        why=f"In {versions}: {', '.join(others) or 'nothing'}",
        todo="If another abbreviation of the commit is there, core.abbrev of the work tree was changed; build "
        "again with "
        "--force.",
    )
