"""Kits that an earlier, interrupted build fetched only in part.

twoliter takes a folder of `build/external-kits/cache` for a fetched kit as soon as it exists (project/lock/archive.rs,
pull_image; twoliter#351), and a kit for unpacked as soon as its `digest` file is written, which newer versions write
while they still unpack. A build that was stopped in between fails for ever after, or worse, builds with half a kit.
"""

import json
import shutil
from pathlib import Path

_KITS = Path("build/external-kits")
_UNDER_WAY = Path("build/.brqos-fetching-kits")


def repair(work_tree: Path) -> tuple[Path, ...]:
    """Throw away what is not whole, so that it is fetched or unpacked again; return what was thrown away."""
    kits = work_tree / _KITS
    broken = [folder for folder in sorted(kits.glob("cache/*")) if folder.is_dir() and not _whole(folder)]
    for folder in broken:
        shutil.rmtree(folder, ignore_errors=True)
    if (work_tree / _UNDER_WAY).exists():
        for digest in sorted(kits.glob("*/*/*/digest")):
            digest.unlink(missing_ok=True)
            broken.append(digest.parent)
    return tuple(broken)


def fetching(work_tree: Path) -> None:
    """Remember, in the tree, that kits may be in the middle of being fetched or unpacked."""
    marker = work_tree / _UNDER_WAY
    marker.parent.mkdir(parents=True, exist_ok=True)
    marker.touch()


def fetched(work_tree: Path) -> None:
    """Twoliter is past the kits: they are whole."""
    (work_tree / _UNDER_WAY).unlink(missing_ok=True)


def _whole(folder: Path) -> bool:
    # An OCI layout is begun with an index of no manifests, which is filled in when all blobs are there.
    try:
        return bool(json.loads((folder / "index.json").read_text(encoding="utf-8"))["manifests"])
    except (OSError, ValueError, KeyError, TypeError):
        return False
