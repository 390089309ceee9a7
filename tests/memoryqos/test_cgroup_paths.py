"""Where the cgroups are."""

from brqos.memoryqos.cgroup_paths import container_path, level_path, pod_path
from brqos.memoryqos.levels import Level
from brqos.memoryqos.pod import QosClass

UID = "3f1c2d4e-0000-4000-8000-1234567890ab"
ESCAPED = UID.replace("-", "_")
ID = "ab" * 32
ROOT = "/sys/fs/cgroup"


def test_under_systemd() -> None:
    guaranteed = pod_path(QosClass.GUARANTEED, UID)
    assert str(guaranteed) == f"{ROOT}/kubepods.slice/kubepods-pod{ESCAPED}.slice"
    burstable = pod_path(QosClass.BURSTABLE, UID)
    level = f"{ROOT}/kubepods.slice/kubepods-burstable.slice"
    assert str(burstable) == f"{level}/kubepods-burstable-pod{ESCAPED}.slice"
    assert str(container_path(burstable, f"containerd://{ID}")) == f"{burstable}/cri-containerd-{ID}.scope"
    assert str(level_path(Level.BURSTABLE)) == level
    assert str(level_path(Level.KUBEPODS)) == f"{ROOT}/kubepods.slice"


def test_under_cgroupfs() -> None:
    found = pod_path(QosClass.BEST_EFFORT, UID, driver="cgroupfs")
    assert str(found) == f"{ROOT}/kubepods/besteffort/pod{UID}"
    assert str(container_path(found, ID, driver="cgroupfs")) == f"{found}/{ID}"


def test_below_another_root() -> None:
    assert str(level_path(Level.KUBEPODS, root="/a/b")) == f"{ROOT}/a.slice/a-b.slice/a-b-kubepods.slice"


def test_what_is_not_known_yet_is_named() -> None:
    found = str(container_path(pod_path(QosClass.GUARANTEED)))
    assert found.endswith("/kubepods-pod<uid>.slice/cri-containerd-<id>.scope")
