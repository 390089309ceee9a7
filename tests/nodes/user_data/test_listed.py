"""The shipped list of Bottlerocket's settings, and what is read from it."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from brqos.config.variants import NEWEST_SEEN, shipped_variants
from brqos.nodes.quantities import EVICTION_SIGNALS, RESERVABLE
from brqos.nodes.user_data.known import check_settings, keys_for
from brqos.nodes.user_data.listed import Setting, complete_to, everything, order
from brqos.variant import VariantName
from nodes.user_data.keys import known_kubernetes_keys

PLAIN = VariantName.parse("aws-k8s-1.34")
NVIDIA = VariantName.parse("aws-k8s-1.34-nvidia")
NATIVE = VariantName.parse("aws-k8s-1.37")
OLD = VariantName.parse("aws-k8s-1.30")

SAMPLES = {"string": "x", "integer": 8, "float": 0.5, "boolean": True, "array": [], "table": {}}


def listed(setting: Setting | None = None, path: str = "settings") -> Iterator[tuple[str, Setting]]:
    setting = setting or everything()
    yield path, setting
    for name, member in setting.keys.items():
        yield from listed(member, f"{path}.{name}")
    if setting.each is not None:
        yield from listed(setting.each, f"{path}.<name>")


def test_every_entry_of_the_list_makes_sense() -> None:
    members = dict(listed())
    assert len(members) > 150
    for path, setting in members.items():
        assert setting.type, path
        assert order(setting.since) <= (1, 99, 0), path
        assert bool(setting.names) <= (setting.each is not None), path
        assert not (setting.keys and setting.each), path
        assert not setting.keys or setting.type == ("table",), path
        assert not setting.each or {"table", "array"} & set(setting.type), path
        assert not setting.values or "string" in setting.type, path
        assert set(setting.values_since) <= set(setting.values), path
        bounds = [bound for bound in (setting.least, setting.above, setting.most) if bound is not None]
        assert not bounds or {"integer", "float"} & set(setting.type), path
        assert bounds == sorted(bounds), path
        for version in (setting.only_from, setting.effect_from):
            assert version is None or re.fullmatch(r"1\.\d\d", version), path


def test_the_list_agrees_with_what_brqos_writes_itself() -> None:
    keys = everything().keys["kubernetes"].keys
    assert set(RESERVABLE) <= set(keys["kube-reserved"].keys)
    assert set(EVICTION_SIGNALS) == set(keys["eviction-hard"].names)
    assert order(complete_to()) >= order(NEWEST_SEEN)


def test_kubernetes_keys_of_a_release() -> None:
    oldest = known_kubernetes_keys("1.15.0")
    assert "max-pods" in oldest
    assert "reserved-cpus" not in oldest
    assert known_kubernetes_keys("1.65.0") ^ known_kubernetes_keys("1.66.0") == {
        "memory-throttling-factor",
        "memory-reservation-policy",
    }
    # The struct KubernetesSettingsV1 of bottlerocket-settings-models 0.16.0, which v1.50.0 pins, has this many fields.
    assert len(known_kubernetes_keys("1.50.0")) == 59


def test_the_keys_of_a_variant() -> None:
    native = {key.path: key for key in keys_for(NATIVE)}
    assert native["kubernetes.memory-throttling-factor"].types == ("float",)
    assert native["kubernetes.memory-throttling-factor"].since == "1.66.0"
    assert native["kubernetes.max-pods"].since == ""
    assert native["host-containers.<name>.enabled"].types == ("boolean",)
    assert native['kubernetes.eviction-hard."memory.available"'].types == ("string",)
    assert native["kubernetes.topology-manager-policy-options.max-allowable-numa-nodes"].since == "1.60.0"
    plain = {key.path for key in keys_for(PLAIN)}
    assert "kubernetes.memory-throttling-factor" not in plain
    assert {path for path in plain if path.startswith("kubelet-d")} == set()
    assert "kubelet-device-plugins.nvidia.enabled" in {key.path for key in keys_for(NVIDIA)}
    assert "kubernetes.container-runtime-endpoint" not in {key.path for key in keys_for(OLD)}
    assert "kubernetes.ids-per-pod" not in {key.path for key in keys_for(PLAIN, "1.50.0")}
    assert [key.path for key in keys_for(PLAIN)] == sorted(plain)


@pytest.mark.parametrize("variant", [shipped.name for shipped in shipped_variants()], ids=str)
def test_all_that_is_listed_for_a_variant_is_taken(variant: VariantName) -> None:
    for key in keys_for(variant):
        parts = re.findall(r'"[^"]*"|[^.]+', key.path)
        value: Any = sample(key.path)
        for part in reversed(parts):
            value = {part.strip('"').replace("<name>", "0"): value}
        for warning in check_settings(value, variant=variant, release=None):
            assert "is known from" in warning


def sample(path: str) -> object:
    """A value that the setting of this path takes."""
    setting = everything()
    for part in re.findall(r'"[^"]*"|[^.]+', path):
        setting = setting.member(part.strip('"').replace("<name>", "0")) or setting
    return setting.values[0] if setting.values else SAMPLES[setting.type[0]]
