from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from brqos.kube.kubectl import Access, Kubectl
from kube.fake import FakeCluster, serving


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster()


@pytest.fixture
def kubeconfig(cluster: FakeCluster, tmp_path: Path, tool: Callable[[str], Path]) -> Iterator[Path]:
    """A kubeconfig for the fake cluster; only with a real kubectl."""
    tool("kubectl")
    with serving(cluster, tmp_path) as file:
        yield file


@pytest.fixture
def kubectl(kubeconfig: Path) -> Kubectl:
    return Kubectl(Access(kubeconfig=kubeconfig, timeout=5))
