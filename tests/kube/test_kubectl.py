import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brqos.errors import ExitCode, ToolError
from brqos.kube import cluster as ask
from brqos.kube.kubectl import Access, Kubectl
from brqos.kube.refusals import KubeCallError, Refusal, refusal
from kube.fake import FakeCluster, FakeNode
from kube.faults import Fault, forbidden

pytestmark = [pytest.mark.processes, pytest.mark.loopback]


def test_nodes_pods_configz_and_metrics_are_read(cluster: FakeCluster, kubectl: Kubectl) -> None:
    cluster.add(FakeNode("a", labels={"pool": "x"}))
    cluster.add(FakeNode("b"))
    assert [item["metadata"]["name"] for item in ask.nodes(kubectl)] == ["a", "b"]
    assert [item["metadata"]["name"] for item in ask.nodes(kubectl, "pool=x")] == ["a"]
    assert ask.node(kubectl, "b")["status"]["nodeInfo"]["kernelVersion"] == "6.1.141"
    assert ask.configz(kubectl, "a")["featureGates"] == {"MemoryQoS": True}
    assert 'name="MemoryQoS",stage="ALPHA"} 1' in ask.metrics(kubectl, "a")
    assert ask.pods_on(kubectl, "a") == []


def test_lists_are_read_page_after_page(cluster: FakeCluster, kubectl: Kubectl) -> None:
    cluster.page = 2
    for number in range(5):
        cluster.add(FakeNode(f"n{number}"))
    assert len(ask.nodes(kubectl)) == 5


def test_a_page_that_expired_is_asked_for_again_without_pages(cluster: FakeCluster, kubectl: Kubectl) -> None:
    cluster.page = 2
    for number in range(5):
        cluster.add(FakeNode(f"n{number}"))
    cluster.faults.append(Fault("GET /api/v1/nodes", status=410, reason="Expired", skip=1, times=1))
    assert len(ask.nodes(kubectl)) == 5


def test_pods_are_created_and_deleted(cluster: FakeCluster, kubectl: Kubectl) -> None:
    made = kubectl.create(
        "/api/v1/namespaces/x/pods", {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c"}]}}
    )
    assert made["metadata"]["uid"]
    kubectl.delete("/api/v1/namespaces/x/pods/p", gracePeriodSeconds="0")
    assert not cluster.pods
    kubectl.delete("/api/v1/namespaces/x/pods/p")


def test_the_namespace_is_the_flag_s_or_the_context_s(kubeconfig: Path) -> None:
    assert Kubectl(Access(kubeconfig=kubeconfig)).namespace() == "team"
    assert Kubectl(Access(kubeconfig=kubeconfig, namespace="own")).namespace() == "own"


def test_without_a_kubeconfig_the_namespace_is_the_default(tool: Callable[[str], Path], tmp_path: Path) -> None:
    tool("kubectl")
    assert Kubectl(Access()).namespace() == "default"
    with pytest.raises(KubeCallError) as caught:
        Kubectl(Access(context="no-such")).namespace()
    assert caught.value.kind is Refusal.CONFIGURATION


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (forbidden("nodes/a/proxy/configz", "nodes/proxy"), Refusal.FORBIDDEN),
        (Fault("configz", status=401, reason="Unauthorized"), Refusal.UNAUTHORIZED),
        (Fault("configz", status=404, reason="NotFound"), Refusal.NOT_FOUND),
        (Fault("configz", status=503, reason="ServiceUnavailable"), Refusal.UNAVAILABLE),
        (Fault("configz", status=500, reason="InternalError", message="dial tcp: i/o timeout"), Refusal.TIMEOUT),
        (Fault("configz", status=422, reason="Invalid"), Refusal.INVALID),
        (Fault("configz", drop=True), Refusal.CONNECTION),
        (Fault("configz", body="<html>Please log in</html>"), Refusal.GARBLED),
        (Fault("configz", body="[1, 2]"), Refusal.GARBLED),
        (Fault("configz", body='{"kubeletconfig": 7}'), Refusal.GARBLED),
    ],
)
def test_each_failure_has_its_kind(cluster: FakeCluster, kubectl: Kubectl, fault: Fault, kind: Refusal) -> None:
    cluster.add(FakeNode("a"))
    cluster.faults.append(fault)
    with pytest.raises(KubeCallError) as caught:
        ask.configz(kubectl, "a")
    assert caught.value.kind is kind
    assert caught.value.exit_code == ExitCode.CLUSTER_UNREACHABLE
    assert caught.value.why


def test_a_slow_answer_is_a_timeout(cluster: FakeCluster, kubeconfig: Path) -> None:
    cluster.add(FakeNode("a"))
    cluster.faults.append(Fault("/api/v1/nodes/a", delay=5))
    started = time.monotonic()
    with pytest.raises(KubeCallError) as caught:
        ask.node(Kubectl(Access(kubeconfig=kubeconfig, timeout=1)), "a")
    assert caught.value.kind is Refusal.TIMEOUT
    assert time.monotonic() - started < 4


def test_no_server_no_context_no_configuration(tmp_path: Path, tool: Callable[[str], Path]) -> None:
    tool("kubectl")
    cluster = {"name": "c", "cluster": {"server": "http://127.0.0.1:9"}}
    config = {
        "clusters": [cluster],
        "contexts": [{"name": "x", "context": {"cluster": "c"}}],
        "current-context": "x",
    }
    (tmp_path / "config").write_text(json.dumps({"apiVersion": "v1", "kind": "Config", **config}))
    for access, kind in (
        (Access(kubeconfig=tmp_path / "config", timeout=3), Refusal.CONNECTION),
        (Access(kubeconfig=tmp_path / "config", context="other", timeout=3), Refusal.CONFIGURATION),
        (Access(kubeconfig=tmp_path / "absent", timeout=3), Refusal.CONFIGURATION),
        (Access(timeout=3), Refusal.CONFIGURATION),
    ):
        with pytest.raises(KubeCallError) as caught:
            ask.nodes(Kubectl(access))
        assert caught.value.kind is kind, caught.value


def test_without_kubectl_a_tool_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match="kubectl"):
        ask.nodes(Kubectl())


def test_exec_gives_output_and_status(cluster: FakeCluster, kubectl: Kubectl) -> None:
    cluster.add(FakeNode("a"))
    cluster.pods["ns", "p"] = {
        "metadata": {"name": "p", "namespace": "ns"},
        "spec": {"nodeName": "a", "containers": [{"name": "c"}]},
        "status": {"phase": "Running"},
    }
    cluster.files["ns", "p", "c"] = {"memory.min": "4096\n"}
    told = kubectl.execute("ns", "p", "c", ["cat", "/sys/fs/cgroup/memory.min"])
    assert (told.status, told.text) == (0, "4096\n")
    assert cluster.execs == [("ns", "p", "cat", "/sys/fs/cgroup/memory.min")]
    told = kubectl.execute("ns", "p", "c", ["cat", "/sys/fs/cgroup/memory.min", "/sys/fs/cgroup/absent"])
    assert (told.status, told.text) == (1, "4096\n")
    del cluster.files["ns", "p", "c"]
    assert kubectl.execute("ns", "p", "c", ["cat", "x"]).status != 0
    cluster.faults.append(forbidden("/exec", "pods/exec"))
    with pytest.raises(KubeCallError) as caught:
        kubectl.execute("ns", "p", "c", ["cat", "x"])
    assert caught.value.kind is Refusal.FORBIDDEN


@given(st.text(max_size=300))
def test_whatever_kubectl_says_has_a_kind_and_words(text: str) -> None:
    error = refusal("asking", text)
    assert error.what
    assert error.why
