"""The kubelet's settings, by where people have them from."""

import json
from pathlib import Path

import pytest

from brqos.errors import ConfigurationError
from brqos.explain.configuration import (
    NOTHING,
    Configuration,
    kubelet_of,
    of_configz,
    of_kubelet_configuration,
    policy_of,
)
from brqos.variant import KubernetesVersion

V29, V36, V37 = KubernetesVersion(1, 29), KubernetesVersion(1, 36), KubernetesVersion(1, 37)

CONFIGZ = {
    "kubeletconfig": {
        "featureGates": {"MemoryQoS": True},
        "memoryThrottlingFactor": 0.8,
        "memoryReservationPolicy": "TieredReservation",
        "kubeReserved": {"memory": "574Mi"},
        "systemReserved": None,
        "evictionHard": {"memory.available": "5%"},
        "cgroupDriver": "systemd",
        "cgroupRoot": "/",
        "enforceNodeAllocatable": ["pods"],
    }
}


def test_a_configz_is_read(tmp_path: Path) -> None:
    file = tmp_path / "configz.json"
    file.write_text(json.dumps(CONFIGZ), encoding="utf-8")
    found = of_configz(file)
    assert (found.gate, found.factor, found.policy) == (True, 0.8, "TieredReservation")
    assert (found.kube_reserved, found.system_reserved, found.eviction) == ("574Mi", None, "5%")
    assert (found.driver, found.enforces_pods, found.running) == ("systemd", True, True)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"kubeletconfig": []}', "nonsense", "[" * 100000])
def test_what_is_no_configz_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "configz.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError):
        of_configz(file)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        of_configz(tmp_path / "no.json")


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"memoryThrottlingFactor": "0.9"}, "not a number"),
        ({"featureGates": []}, "not a mapping"),
        ({"memoryReservationPolicy": "Tiered"}, "not a memoryReservationPolicy"),
    ],
)
def test_wrong_fields_are_refused(fields: dict[str, object], why: str) -> None:
    with pytest.raises(ConfigurationError, match=why):
        of_kubelet_configuration(fields, "x")


def test_an_eviction_without_memory_is_none() -> None:
    assert of_kubelet_configuration({"evictionHard": {"nodefs.available": "10%"}}, "x").eviction == "0"
    assert of_kubelet_configuration({}, "x").eviction is None


@pytest.mark.parametrize(
    ("version", "gate"),
    [(V29, False), (V36, False), (V37, True)],
)
def test_a_running_kubelet_that_names_no_gate_has_the_versions_own(version: KubernetesVersion, gate: bool) -> None:
    assert kubelet_of(Configuration("x", running=True), allocatable=2**33, kubernetes=version).gate is gate
    assert kubelet_of(NOTHING, allocatable=2**33, kubernetes=version).gate


def test_flags_win_over_the_configuration_over_the_defaults() -> None:
    stated = Configuration("x", kubernetes=V36, gate=False, factor=0.8, policy="TieredReservation")
    found = kubelet_of(stated, allocatable=2**33)
    assert (found.gate, found.throttling_factor, found.reservation_policy) == (False, 0.8, "TieredReservation")
    found = kubelet_of(stated, allocatable=2**33, gate=True, factor=0.5, policy="None")
    assert (found.gate, found.throttling_factor, found.reservation_policy) == (True, 0.5, "None")
    assert kubelet_of(stated, allocatable=2**33, kubernetes=V29).reservation_policy is None


def test_a_version_is_never_guessed() -> None:
    with pytest.raises(ConfigurationError, match="version is not known"):
        kubelet_of(NOTHING, allocatable=2**33)


def test_policies_are_written_just_so() -> None:
    assert policy_of("None") == "None"
    with pytest.raises(ConfigurationError, match="not a memoryReservationPolicy"):
        policy_of("none")
