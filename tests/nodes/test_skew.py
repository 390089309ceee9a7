"""Kubelets and control planes that go together."""

import pytest

from brqos.nodes.skew import goes_with
from brqos.variant import KubernetesVersion


@pytest.mark.parametrize(("control_plane", "good"), [("1.28", False), ("1.29", True), ("1.32", True), ("1.33", False)])
def test_a_kubelet_is_never_newer_and_at_most_three_minors_older(control_plane: str, good: bool) -> None:
    assert goes_with(KubernetesVersion.parse("1.29"), KubernetesVersion.parse(control_plane)) is good
