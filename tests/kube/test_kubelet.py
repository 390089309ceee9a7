from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brqos.kube.kubelet import gate_in_metrics, kubelet_facts, samples, started_at, version_of
from brqos.kube.refusals import KubeCallError, Refusal
from brqos.variant import KubernetesVersion
from kube.fake import KUBELET_STARTED, FakeNode
from kube.kernel import Kernel


def facts(node: FakeNode, configz: Any = None) -> Any:
    return kubelet_facts(node.object(), node.kubelet_configuration() if configz is None else configz)


def test_the_formulas_allocatable_has_the_eviction_threshold_back() -> None:
    found = facts(FakeNode(kernel=Kernel(allocatable=7 * 2**30)))
    assert found.allocatable == 7 * 2**30
    assert found.node_allocatable == 7 * 2**30 - 100 * 2**20
    assert found.kubelet().allocatable == 7 * 2**30


@pytest.mark.parametrize(
    ("eviction", "expected"),
    [
        (None, 100 * 2**20),
        ({}, 0),
        ({"memory.available": "5%"}, 429496736),
        ({"memory.available": "0%"}, 0),
        ({"memory.available": "1Gi"}, 2**30),
        ({"nodefs.available": "10%"}, 0),
    ],
)
def test_eviction_thresholds(eviction: Any, expected: int) -> None:
    found = facts(FakeNode(), {"evictionHard": eviction} if eviction is not None else {})
    assert found.eviction == expected


def test_huge_pages_are_not_taken_out_of_the_formulas() -> None:
    node = FakeNode().object()
    node["status"]["allocatable"]["hugepages-2Mi"] = "512Mi"
    found = kubelet_facts(node, {"evictionHard": {}})
    assert found.allocatable == found.node_allocatable + 512 * 2**20


def test_each_version_has_its_defaults() -> None:
    for version, gate, factor, policy in (
        ("v1.26.3", False, 0.8, None),
        ("v1.29.3-eks-1", False, 0.9, None),
        ("v1.36.0", False, 0.9, "None"),
        ("v1.37.0", True, None, "None"),
    ):
        found = facts(FakeNode(kubelet_version=version), {})
        assert (found.gate, found.factor, found.policy) == (gate, factor, policy)
    assert facts(FakeNode(kubelet_version="v1.37.0"), {"memoryThrottlingFactor": None}).factor is None


@pytest.mark.parametrize(
    "configz",
    [
        {"memoryThrottlingFactor": "0.9"},
        {"memoryThrottlingFactor": True},
        {"featureGates": ["MemoryQoS"]},
        {"evictionHard": {"memory.available": "much"}},
        {"evictionHard": "100Mi"},
    ],
)
def test_a_configz_of_a_wrong_shape_is_garbled(configz: Any) -> None:
    with pytest.raises(KubeCallError) as caught:
        facts(FakeNode(), configz)
    assert caught.value.kind is Refusal.GARBLED


def test_a_policy_that_nobody_knows_is_garbled() -> None:
    with pytest.raises(KubeCallError, match="cannot be understood"):
        facts(FakeNode(kubelet_version="v1.36.0"), {"memoryReservationPolicy": "All"})


def test_nodes_that_lack_what_is_needed_are_garbled() -> None:
    for node in ({}, {"metadata": {"name": "n"}, "status": {"nodeInfo": {"kubeletVersion": "new"}}}):
        with pytest.raises(KubeCallError):
            version_of(node)
    node = FakeNode().object()
    del node["status"]["allocatable"]
    with pytest.raises(KubeCallError):
        kubelet_facts(node, {})


def test_arm64_is_computed_as_arm64_does() -> None:
    node = FakeNode().object()
    node["status"]["nodeInfo"]["architecture"] = "arm64"
    assert kubelet_facts(node, {}).kubelet().fused
    assert version_of(node) == KubernetesVersion(1, 29)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('kubernetes_feature_enabled{name="MemoryQoS",stage="ALPHA"} 1\n', True),
        ('kubernetes_feature_enabled{name="MemoryQoS",stage="BETA"} 0\n', False),
        ('kubernetes_feature_enabled{stage="",name="MemoryQoS"} 1 1700000000\n', True),
        ('kubernetes_feature_enabled{name="MemoryQoSExtra",stage="ALPHA"} 1\n', None),
        ("", None),
    ],
)
def test_the_gate_in_the_metrics(text: str, expected: bool | None) -> None:
    assert gate_in_metrics(text) is expected


def test_when_the_kubelet_started() -> None:
    assert started_at(FakeNode().metrics()) == KUBELET_STARTED.timestamp()
    assert started_at("") is None


@given(st.text(max_size=300))
def test_no_metrics_are_too_strange(text: str) -> None:
    for labels, value in samples(text, "up"):
        assert isinstance(labels, dict)
        assert isinstance(value, float)
