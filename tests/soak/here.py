"""The same cgroups on this machine, where it has cgroup v2 with the memory controller and lets us make some."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

MOUNT = Path("/sys/fs/cgroup")


def delegated() -> Path | None:
    """The nearest cgroup around us whose children have the memory controller and may be made by us, if any."""
    if not (MOUNT / "cgroup.controllers").is_file():
        return None
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        number, _, own = line.split(":", 2)
        if number == "0":
            here = MOUNT / own.lstrip("/")
            for folder in (here, *here.parents):
                if folder.is_relative_to(MOUNT) and _usable(folder):
                    return folder
    return None


def _usable(folder: Path) -> bool:
    control = folder / "cgroup.subtree_control"
    try:
        return "memory" in control.read_text().split() and os.access(folder, os.W_OK)
    except OSError:
        return False


@contextmanager
def subtree(parent: Path) -> Iterator[Path]:
    """A cgroup of our own, with all below it gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="brqos-test-", dir=parent))
    try:
        yield folder
    finally:
        for path in sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True):
            with suppress(OSError):
                path.rmdir()
        folder.rmdir()


def make(root: Path, cgroups: dict[str, dict[str, str]]) -> None:
    """Make the cgroups and write their files."""
    (root / "cgroup.subtree_control").write_text("+memory")
    for path, files in cgroups.items():
        folder = root / path
        folder.mkdir(parents=True)
        if not path.endswith(".scope"):
            (folder / "cgroup.subtree_control").write_text("+memory")
        for name, text in files.items():
            (folder / name).write_text(text)


def copied(root: Path, into: Path) -> Path:
    """A copy of the tree's memory files, as a support case would have it."""
    for folder, _, names in os.walk(root):
        place = into / Path(folder).relative_to(root)
        place.mkdir(parents=True, exist_ok=True)
        for name in names:
            if name.startswith("memory."):
                with suppress(OSError):
                    (place / name).write_bytes((Path(folder) / name).read_bytes())
    return into
