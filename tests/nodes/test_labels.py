"""Labels and taints: what may be set, and by whom."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from brqos.errors import ConfigurationError
from brqos.nodes.labels import EFFECTS, KUBELET_LABELS, Taint, check_labels, check_taints

# Kubernetes' own expression (IsQualifiedName, IsValidLabelValue), so that the property does not repeat our code.
NAME = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")


@pytest.mark.parametrize("managed", [True, False])
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("team", "data"),
        ("example.com/team", "a_b-c.d"),
        ("node.kubernetes.io/lifecycle", "spot"),
        ("sub.node.kubernetes.io/x", "y"),
        ("kubelet.kubernetes.io/x", "1"),
        ("notkubernetes.io/x", "1"),
        *((key, "x") for key in sorted(KUBELET_LABELS)),
    ],
)
def test_labels_that_pass(key: str, value: str, managed: bool) -> None:
    check_labels({key: value}, managed=managed)


@pytest.mark.parametrize("managed", [True, False])
@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("kubernetes.io/role", "x", "is Kubernetes' own"),
        ("k8s.io/role", "x", "is Kubernetes' own"),
        ("node-role.kubernetes.io/worker", "true", "is Kubernetes' own"),
        ("node-restriction.kubernetes.io/x", "true", "is Kubernetes' own"),
        ("topology.k8s.io/zone", "x", "is Kubernetes' own"),
        ("alpha.eksctl.io/cluster-name", "x", "is set by eksctl itself"),
        ("alpha.eksctl.io/nodegroup-name", "x", "is set by eksctl itself"),
        ("", "x", "cannot be the key"),
        ("-team", "x", "cannot be the key"),
        ("a/b/c", "x", "cannot be the key"),
        ("/team", "x", "cannot be the key"),
        ("Example.com/team", "x", "cannot be the key"),
        ("team", "a b", "cannot be the value"),
        ("team", "x" * 64, "cannot be the value"),
        ("team", "x\n", "cannot be the value"),
    ],
)
def test_labels_that_are_refused(key: str, value: str, message: str, managed: bool) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        check_labels({key: value}, managed=managed)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("eks.amazonaws.com/nodegroup", "x", "is EKS's own"),
        ("example.com/" + "x" * 60, "y", "has 72 characters"),
        ("team", "", "has no value"),
    ],
)
def test_labels_that_only_eks_refuses(key: str, value: str, message: str) -> None:
    check_labels({key: value}, managed=False)
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        check_labels({key: value}, managed=True)


@given(st.text(max_size=70), st.text(max_size=70), st.booleans())
@example("a.b", "1.30", True)
def test_no_label_gets_through_that_kubernetes_refuses(key: str, value: str, managed: bool) -> None:
    try:
        check_labels({key: value}, managed=managed)
    except ConfigurationError as refused:
        assert refused.why or refused.todo
        return
    assert NAME.fullmatch(key.rpartition("/")[2])
    assert not value or (NAME.fullmatch(value) and len(value) <= 63)


def test_a_taint_is_read_as_kubectl_writes_it() -> None:
    assert Taint.parse("dedicated=spark:NoSchedule") == Taint("dedicated", "spark", "NoSchedule")
    assert Taint.parse("example.com/gpu:NoExecute") == Taint("example.com/gpu", "", "NoExecute")
    assert Taint.parse("a=:PreferNoSchedule") == Taint("a", "", "PreferNoSchedule")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not a taint"),
        ("dedicated", "is not a taint"),
        ("dedicated=spark", "is not a taint"),
        (":NoSchedule", "is not a taint"),
        ("a=b:c:NoSchedule", "is not a taint"),
        ("a=b:noschedule", "unknown effect"),
        ("a b=c:NoSchedule", "cannot be the key"),
        ("a=b c:NoSchedule", "cannot be the value"),
    ],
)
def test_taints_that_are_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        Taint.parse(text)


def test_two_taints_on_one_key() -> None:
    two = ["a=b:NoSchedule", "a=b:NoExecute"]
    assert [taint.effect for taint in check_taints(two, managed=True)] == ["NoSchedule", "NoExecute"]
    with pytest.raises(ConfigurationError, match="two taints “a”") as refused:
        check_taints(two, managed=False)
    assert "all but the last are lost" in refused.value.why
    with pytest.raises(ConfigurationError, match="two taints “a” with the effect NoSchedule"):
        check_taints(["a=b:NoSchedule", "a=c:NoSchedule"], managed=True)


def test_eks_takes_fifty_taints_with_short_keys() -> None:
    many = [f"key{number}:NoSchedule" for number in range(51)]
    assert len(check_taints(many, managed=False)) == 51
    with pytest.raises(ConfigurationError, match="51 taints are too many"):
        check_taints(many, managed=True)
    with pytest.raises(ConfigurationError, match="has 72 characters"):
        check_taints(["example.com/" + "x" * 60 + ":NoSchedule"], managed=True)


@given(st.text(max_size=30))
def test_whatever_is_given_is_a_taint_or_is_refused(text: str) -> None:
    try:
        taint = Taint.parse(text)
    except ConfigurationError:
        return
    assert taint.effect in EFFECTS
    assert NAME.fullmatch(taint.key.rpartition("/")[2])
