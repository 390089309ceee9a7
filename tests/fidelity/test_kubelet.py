"""The rules by which the kubelet's configuration is judged, without any process."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brqos.variant import KubernetesVersion
from fidelity.case import CheckError
from fidelity.handlebars import parted
from fidelity.kubelet import compare, merged, strict_yaml
from fidelity.settings import SETTINGS, uncovered

K131, K136 = KubernetesVersion(1, 31), KubernetesVersion(1, 36)
FIELDS = {
    "1.31": frozenset({"featureGates", "memoryThrottlingFactor", "maxPods"}),
    "1.36": frozenset({"featureGates", "memoryThrottlingFactor", "maxPods", "memoryReservationPolicy"}),
}
HEAD = "kind: KubeletConfiguration\napiVersion: kubelet.config.k8s.io/v1beta1\n"
BEFORE = {"maxPods": 110, "featureGates": {"A": True}}
AFTER = {"maxPods": 110, "featureGates": {"A": True, "MemoryQoS": True}, "memoryThrottlingFactor": 0.9}


def test_right_configuration_passes() -> None:
    compare(BEFORE, AFTER, K131, FIELDS)
    compare(BEFORE, {**AFTER, "memoryReservationPolicy": "TieredReservation"}, K136, FIELDS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"featureGates": {"MemoryQoS": True}}, "featureGates are"),
        ({"featureGates": {"A": True}}, "featureGates are"),
        ({"featureGates": {"A": True, "MemoryQoS": False}}, "featureGates are"),
        ({"featureGates": {"A": True, "MemoryQoS": True, "B": True}}, "featureGates are"),
        ({"memoryThrottlingFactor": None}, "memoryThrottlingFactor is None"),
        ({"memoryReservationPolicy": "TieredReservation"}, "1.31 does not know"),
        ({"maxPods": 29}, r"upstream's own settings changed: \['maxPods'\]"),
        ({"surprise": True}, "1.31 does not know"),
    ],
)
def test_wrong_configuration_is_caught(change: dict[str, Any], message: str) -> None:
    with pytest.raises(CheckError, match=message):
        compare(BEFORE, {**AFTER, **change}, K131, FIELDS)


def test_missing_policy_is_caught_on_136() -> None:
    with pytest.raises(CheckError, match="memoryReservationPolicy is None, not TieredReservation"):
        compare(BEFORE, AFTER, K136, FIELDS)


def test_duplicate_key_is_caught() -> None:
    text = f"{HEAD}featureGates:\n  A: true\nfeatureGates:\n  MemoryQoS: true\n"
    with pytest.raises(CheckError, match="duplicate key"):
        strict_yaml(text)


@pytest.mark.parametrize("text", ["kind: Pod\n", "- a\n", "kind: KubeletConfiguration\n", "a: b: c\n", ""])
def test_other_documents_are_refused(text: str) -> None:
    with pytest.raises(CheckError):
        strict_yaml(text)


VALUES = st.recursive(
    st.integers() | st.booleans() | st.text(max_size=3) | st.lists(st.integers(), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(st.sampled_from("abcd"), VALUES, max_size=4)


@given(DOCUMENTS, DOCUMENTS)
def test_merge_keeps_what_the_patch_does_not_name(document: dict, patch: dict) -> None:
    result = merged(document, patch)
    assert result.keys() == document.keys() | patch.keys()
    assert {key: result[key] for key in document.keys() - patch.keys()} == {
        key: document[key] for key in document.keys() - patch.keys()
    }
    assert merged(result, patch) == result


def test_merge_follows_rfc_7386() -> None:
    document = {"a": "b", "c": {"d": "e", "f": "g"}, "l": [1, 2]}
    assert merged(document, {"a": "z", "c": {"f": None}, "l": [3]}) == {"a": "z", "c": {"d": "e"}, "l": [3]}


def test_settings_that_are_not_tried_are_named() -> None:
    template = "{{#if settings.kubernetes.max-pods}}{{settings.kubernetes.kube-reserved.gpu}}{{settings.motd}}{{/if}}"
    assert uncovered(template) == {"kubernetes.kube-reserved.gpu", "motd"}
    assert {"minimal", "standalone", "gpu", "zeros", "everything", "native"} == SETTINGS.keys()


def test_front_matter_is_parted_from_the_template() -> None:
    front, body = parted('[required-extensions]\nstd = "v1"\n+++\nkind: {{a}}\n')
    assert (front, body) == ({"required-extensions": {"std": "v1"}}, "kind: {{a}}\n")
    with pytest.raises(CheckError, match="no front matter"):
        parted("kind: {{a}}\n")
