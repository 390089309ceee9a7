"""Where the cgroups are, below the mount of cgroup v2.

kubernetes, pkg/kubelet/cm: cgroup_manager_linux.go (ToSystemd, ToCgroupfs), pod_container_manager_linux.go; containerd
names a container's cgroup `cri-containerd-<id>.scope` under systemd.
"""

from functools import lru_cache
from pathlib import PurePosixPath
from typing import Literal

from brqos.memoryqos.levels import Level
from brqos.memoryqos.pod import QosClass

Driver = Literal["systemd", "cgroupfs"]
"""The kubelet's cgroupDriver; Bottlerocket's is systemd."""

MOUNT = PurePosixPath("/sys/fs/cgroup")
UNKNOWN_UID = "<uid>"
UNKNOWN_ID = "<id>"

_LEVEL_OF = {
    QosClass.GUARANTEED: Level.KUBEPODS,
    QosClass.BURSTABLE: Level.BURSTABLE,
    QosClass.BEST_EFFORT: Level.BEST_EFFORT,
}


@lru_cache(maxsize=1024)
def level_path(level: Level, *, driver: Driver = "systemd", root: str = "/") -> PurePosixPath:
    """The cgroup of a QoS level; `root` is the kubelet's cgroupRoot."""
    return _path(_parts(level, root), driver)


@lru_cache(maxsize=1024)
def pod_path(qos: QosClass, uid: str | None = None, *, driver: Driver = "systemd", root: str = "/") -> PurePosixPath:
    """The cgroup of a pod; `<uid>` stands for a uid that is not known yet (a static pod's has no dashes)."""
    return _path([*_parts(_LEVEL_OF[qos], root), f"pod{uid or UNKNOWN_UID}"], driver)


@lru_cache(maxsize=1024)
def container_path(pod: PurePosixPath, container_id: str | None = None, *, driver: Driver = "systemd") -> PurePosixPath:
    """The cgroup of a container in its pod's; the id is `containerd://<64 hex>`, or only what follows the `//`."""
    id_ = (container_id or UNKNOWN_ID).rpartition("://")[2]
    return pod / (f"cri-containerd-{id_}.scope" if driver == "systemd" else id_)


def _parts(level: Level, root: str) -> list[str]:
    parts = [part for part in root.split("/") if part]
    return [*parts, "kubepods"] if level is Level.KUBEPODS else [*parts, "kubepods", level.value]


def _path(parts: list[str], driver: Driver) -> PurePosixPath:
    if driver == "cgroupfs":
        return MOUNT.joinpath(*parts)
    # systemd's slices carry the names of all their parents, and a dash inside a name would look like one.
    escaped = [part.replace("-", "_") for part in parts]
    return MOUNT.joinpath(*("-".join(escaped[: end + 1]) + ".slice" for end in range(len(escaped))))
