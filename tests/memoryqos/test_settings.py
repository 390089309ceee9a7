import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brqos.errors import ConfigurationError
from brqos.memoryqos.settings import kubelet_settings, official_effect
from brqos.memoryqos.yaml_text import drop_in
from brqos.variant import KubernetesVersion

VERSIONS = st.integers(22, 60).map(lambda minor: KubernetesVersion(1, minor))
GATES = st.dictionaries(
    st.from_regex(r"[A-Z][A-Za-z0-9]{0,20}", fullmatch=True).filter(lambda name: name != "MemoryQoS"), st.booleans()
)
BEFORE_POLICY = KubernetesVersion(1, 36)


@given(VERSIONS, st.floats(0, 1, exclude_min=True), GATES)
def test_what_turns_it_on_is_always_said_explicitly(
    version: KubernetesVersion, factor: float, gates: dict[str, bool]
) -> None:
    fragment = kubelet_settings(version, throttling_factor=factor, feature_gates=gates).configuration()
    assert fragment["featureGates"] == {**gates, "MemoryQoS": True}
    assert fragment["memoryThrottlingFactor"] == factor
    assert fragment.get("memoryReservationPolicy") == (None if version < BEFORE_POLICY else "TieredReservation")


@given(VERSIONS, st.one_of(st.floats(max_value=0), st.floats(min_value=1, exclude_min=True), st.just(math.nan)))
def test_a_factor_out_of_range_is_refused(version: KubernetesVersion, factor: float) -> None:
    with pytest.raises(ConfigurationError, match="throttling factor"):
        kubelet_settings(version, throttling_factor=factor)


@pytest.mark.parametrize("minor", [22, 26, 27, 35])
def test_a_policy_is_refused_where_the_kubelet_has_no_such_field(minor: int) -> None:
    with pytest.raises(ConfigurationError, match="memoryReservationPolicy"):
        kubelet_settings(KubernetesVersion(1, minor), reservation_policy="TieredReservation")


def test_the_policy_none_is_kept_from_1_36_on() -> None:
    settings = kubelet_settings(KubernetesVersion(1, 36), reservation_policy="None")
    assert settings.fields()["memoryReservationPolicy"] == "None"
    assert "protects nothing" in settings.effect()


def test_a_kubernetes_without_the_feature_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"1\.21 has no MemoryQoS"):
        kubelet_settings(KubernetesVersion(1, 21))


@pytest.mark.parametrize("value", [True, False])
def test_the_gate_itself_cannot_be_given_a_second_time(value: bool) -> None:
    with pytest.raises(ConfigurationError, match="given twice"):
        kubelet_settings(KubernetesVersion(1, 29), feature_gates={"MemoryQoS": value})


@pytest.mark.parametrize("name", ["", "Memory QoS", "a: true\nb", "1Gate", "Ünder"])
def test_what_cannot_be_a_gate_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="feature gate"):
        kubelet_settings(KubernetesVersion(1, 29), feature_gates={name: True})


def test_the_official_image_does_nothing_on_any_version() -> None:
    assert official_effect(KubernetesVersion(1, 36)) == "off"
    assert "nothing" in official_effect(KubernetesVersion(1, 37))


def test_the_drop_in_reads_well() -> None:
    settings = kubelet_settings(KubernetesVersion(1, 36), feature_gates={"GracefulNodeShutdown": False})
    assert (
        drop_in(settings, "aws-k8s-1.36-memoryqos")
        == """\
# MemoryQoS (KEP-2570), made by brqos for aws-k8s-1.36-memoryqos.
# With it the kubelet
# protects requests by memory.min, memory.low and throttles by memory.high at 0.9 from request to limit.
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
featureGates:
  GracefulNodeShutdown: false
  MemoryQoS: true
memoryThrottlingFactor: 0.9
memoryReservationPolicy: TieredReservation
"""
    )


@given(VERSIONS, st.floats(0, 1, exclude_min=True), GATES, st.sampled_from([None, "None", "TieredReservation"]))
def test_the_drop_in_means_the_same_in_every_yaml(
    version: KubernetesVersion, factor: float, gates: dict[str, bool], policy: str | None
) -> None:
    from ruamel.yaml import YAML

    wish = None if version < BEFORE_POLICY else policy
    settings = kubelet_settings(version, throttling_factor=factor, feature_gates=gates, reservation_policy=wish)  # type: ignore[arg-type]
    text = drop_in(settings, "aws-k8s-1.36-memoryqos")
    for yaml_version in ("1.1", "1.2"):
        yaml = YAML(typ="safe", pure=True)
        yaml.version = yaml_version
        assert yaml.load(text) == settings.configuration()
