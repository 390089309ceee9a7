"""A copied or mounted cgroup tree: where in it the pods and containers are, and what their files say."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from brqos.errors import ConfigurationError
from brqos.memoryqos.levels import Level
from brqos.verify.cgroup_text import BESIDES, Cgroup, cgroup_of
from brqos.verify.model import FILES

# cri-containerd-<id>.scope, crio-<id>.scope, or the bare id with the cgroupfs driver.
_CONTAINER = re.compile(r"(?:[a-z-]+-)?(?P<id>[0-9a-f]{64})(?:\.scope)?")
# kubepods-burstable-pod<uid with _>.slice, or pod<uid> with the cgroupfs driver.
_POD = re.compile(r"(?:.*-)?pod(?P<uid>[0-9a-f]{8}(?:[_-]?[0-9a-f]{4}){3}[_-]?[0-9a-f]{12})(?:\.slice)?")
_LEVELS = {
    "kubepods.slice": Level.KUBEPODS,
    "kubepods-burstable.slice": Level.BURSTABLE,
    "kubepods-besteffort.slice": Level.BEST_EFFORT,
    "kubepods": Level.KUBEPODS,
    "burstable": Level.BURSTABLE,
    "besteffort": Level.BEST_EFFORT,
}


@dataclass(frozen=True, slots=True)
class Tree:
    """The folders of a tree; `pods` by uid without dashes, `containers` by id."""

    levels: dict[Level, Path] = field(default_factory=dict)
    pods: dict[str, Path] = field(default_factory=dict)
    containers: dict[str, Path] = field(default_factory=dict)


def plain_uid(uid: str) -> str:
    """A pod's uid as the keys of a tree have it."""
    return uid.replace("-", "").replace("_", "")


def read_tree(root: Path) -> Tree:
    """Find the pods' cgroups below `root`; raises ConfigurationError where there are none."""
    if not root.is_dir():
        raise ConfigurationError(f"{root} is not a folder", todo="Give a copy of a node's /sys/fs/cgroup.")
    tree = Tree()
    for folder, names, _ in os.walk(root):
        for name in names:
            path = Path(folder, name)
            if name in _LEVELS:
                tree.levels.setdefault(_LEVELS[name], path)
            elif match := _POD.fullmatch(name):
                tree.pods[plain_uid(match["uid"])] = path
            elif match := _CONTAINER.fullmatch(name):
                tree.containers[match["id"]] = path
    if not tree.pods and Level.KUBEPODS not in tree.levels:
        raise ConfigurationError(
            f"{root} holds no cgroups of pods",
            why="There is no kubepods.slice (systemd) and no kubepods (cgroupfs) anywhere below it.",
            todo="Copy all of a node's /sys/fs/cgroup, for example: tar -C /sys/fs -cf cgroup.tar cgroup",
        )
    return tree


def read_cgroup(folder: Path) -> Cgroup | None:
    """What the files of a cgroup say; None where one of the four is missing or holds no value."""
    files = {}
    for name in (*FILES, *BESIDES):
        try:
            files[name] = (folder / name).read_text(encoding="utf-8", errors="replace")
        except OSError:
            # A copy may lack files, and of a living cgroup memory.pressure cannot be read where PSI is off.
            continue
    return cgroup_of(files)
