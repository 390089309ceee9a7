"""Real cgroups on this machine; skipped where it has no cgroup v2 with the memory controller that we may use."""

import sys
from pathlib import Path

import pytest

from brqos import process
from brqos.memoryqos.kubelet import Kubelet
from brqos.variant import KubernetesVersion
from brqos.verify.model import Status
from brqos.verify.offline import verify_tree
from brqos.verify.tree import read_cgroup
from soak.here import copied, delegated, make, subtree
from soak.pods import Node, nodes

MIB = 2**20
# Joins the cgroup, reads a file of its own into the page cache, and holds on until it is told to end.
_READER = """
import os, sys
folder, file = sys.argv[1:]
with open(f"{folder}/cgroup.procs", "w") as procs:
    procs.write("0")
with open(file, "rb", buffering=0) as data:
    while data.read(1 << 20):
        pass
"""


@pytest.fixture
def parent() -> Path:
    found = delegated()
    if found is None:
        pytest.skip("no cgroup v2 with the memory controller to make cgroups in; scripts/soak does it in a guest")
    return found


@pytest.mark.parametrize("node", nodes(), ids=lambda node: node.title)
def test_a_real_kernel_reads_back_what_was_predicted(parent: Path, tmp_path: Path, node: Node) -> None:
    policy = "TieredReservation" if node.kernel.policy else None
    version = KubernetesVersion(1, node.kernel.minor)
    kubelet = Kubelet(version, node.kernel.allocatable, True, node.kernel.factor, policy)
    with subtree(parent) as root:
        make(root, node.cgroups())
        report = verify_tree(copied(root, tmp_path / "copy"), node.pods, kubelet, None)
    check = report.nodes[0].checks[0]
    assert check.status is Status.PASSED, check
    assert len(check.compared) == 2 * len(node.pods) + 3


@pytest.mark.processes
def test_memory_high_reclaims_page_cache(parent: Path, tmp_path: Path) -> None:
    if process.run(["stat", "-f", "-c", "%T", tmp_path]).text.strip() in ("tmpfs", "ramfs"):
        pytest.skip("the temporary folder is in memory, where there is no page cache to reclaim")
    data = tmp_path / "data"
    with data.open("wb") as file:
        for _ in range(64):
            file.write(b"x" * MIB)
    with subtree(parent) as root:
        (root / "memory.high").write_text(str(16 * MIB))
        # What is cached already was charged to whoever wrote it.
        process.run(["sync"])
        process.run([sys.executable, "-c", _DROP, data])
        ran = process.run([sys.executable, "-c", _READER, root, data], check=False)
        if "PermissionError" in ran.stderr:
            pytest.skip("processes may not be moved into a cgroup here")
        assert ran.status == 0, ran.stderr
        cgroup = read_cgroup(root)
    assert cgroup is not None
    assert cgroup.current is not None
    assert cgroup.current <= 16 * MIB
    assert cgroup.events["high"] > 0
    assert cgroup.events["oom_kill"] == 0


_DROP = """
import os, sys
handle = os.open(sys.argv[1], os.O_RDONLY)
os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
"""
