"""Settings that Karpenter hands on, and those that it would drop or choke on."""

import re
from typing import Any

import pytest

from brqos.errors import ConfigurationError
from brqos.nodes.karpenter.modelled import MODELLED, OWNED, Each, Kind, Members, Model, check_modelled
from nodes.user_data.keys import known_kubernetes_keys

IN_KUBELET = {"max-pods", "kube-reserved", "system-reserved", "eviction-hard", "cluster-dns-ip"}
NEWEST = "1.66.0"


def sample(model: Model) -> Any:
    """A value of the model, with all its members."""
    match model:
        case Each():
            return {"a": sample(model.model)}
        case Members():
            return {name: sample(member) for name, member in model.models.items()}
    return {
        Kind.TEXT: "text",
        Kind.AMOUNT: "1Gi",
        Kind.NUMBER: 8,
        Kind.SWITCH: True,
        Kind.TEXTS: ["text"],
        Kind.COMMANDS: [["apiclient", "get"]],
    }[model]


@pytest.mark.parametrize("key", MODELLED)
def test_what_is_modelled_may_be_there(key: str) -> None:
    check_modelled({"kubernetes": {key: sample(MODELLED[key])}})


@pytest.mark.parametrize("key", MODELLED)
def test_another_type_is_refused(key: str) -> None:
    with pytest.raises(ConfigurationError, match="takes nothing but"):
        check_modelled({"kubernetes": {key: None}})


@pytest.mark.parametrize("key", OWNED)
def test_what_karpenter_sets_is_refused(key: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(f"Karpenter sets settings.kubernetes.{key} itself")):
        check_modelled({"kubernetes": {key: "x"}})


@pytest.mark.parametrize("key", sorted(known_kubernetes_keys(NEWEST) - set(MODELLED) - set(OWNED) - IN_KUBELET))
def test_what_only_bottlerocket_knows_is_refused(key: str) -> None:
    with pytest.raises(ConfigurationError, match=f"Karpenter drops settings.kubernetes.{key}"):
        check_modelled({"kubernetes": {key: "x"}})


def test_memory_qos_is_baked_and_not_told() -> None:
    for key in ("memory-throttling-factor", "memory-reservation-policy"):
        with pytest.raises(ConfigurationError) as refused:
            check_modelled({"kubernetes": {key: 0.9}})
        assert "--bake" in refused.value.todo and "8126" in refused.value.why


def test_bottlerocket_knows_all_that_is_modelled() -> None:
    assert set(MODELLED) | set(OWNED) | IN_KUBELET <= known_kubernetes_keys(NEWEST)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kubernetes": {"image-gc-high-threshold-percent": 85}}, "takes nothing but a text in quotes"),
        ({"kubernetes": {"event-qps": "5"}}, "takes nothing but a whole number"),
        ({"kubernetes": {"event-qps": True}}, "takes nothing but a whole number"),
        ({"kubernetes": {"seccomp-default": 1}}, "takes nothing but true or false"),
        ({"kubernetes": {"allowed-unsafe-sysctls": "a"}}, "takes nothing but a list of texts"),
        ({"kubernetes": {"allowed-unsafe-sysctls": [1]}}, "takes nothing but a list of texts"),
        ({"kubernetes": {"static-pods": [1]}}, "takes nothing but a table"),
        ({"kubernetes": {"allowed-unsafe-sysctls": []}}, "settings.kubernetes.allowed-unsafe-sysctls is empty"),
        ({"kubernetes": {"eviction-soft": {}}}, "settings.kubernetes.eviction-soft is empty"),
        ({"kubernetes": {"memory-manager-reserved-memory": {"0": {"enabled": True, "memory": ""}}}}, "an amount"),
        ({"kubernetes": {"static-pods": {"a": {"manifest": 1}}}}, "for settings.kubernetes.static-pods.a.manifest"),
        ({"kubernetes": {"static-pods": {"a": {"more": 1}}}}, "drops settings.kubernetes.static-pods.a.more"),
        ({"kubernetes": {"topology-manager-policy-options": {"a": 1}}}, "drops settings.kubernetes.topology"),
        ({"kubernetes": {"memory-manager-reserved-memory": {"0": {"memory": "1Gi"}}}}, "enabled is missing"),
        ({"bootstrap-commands": {"a": {"commands": [["b"]]}}}, "settings.bootstrap-commands.a.mode is missing"),
        ({"bootstrap-commands": {"a": {"mode": "once"}}}, "settings.bootstrap-commands.a.commands is missing"),
        ({"bootstrap-commands": {"a": {"commands": ["a"], "mode": "once"}}}, "takes nothing but a list of commands"),
    ],
)
def test_what_would_not_arrive_as_written(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(message)) as refused:
        check_modelled(settings)
    assert refused.value.why and refused.value.todo


def test_what_stands_beside_kubernetes_is_handed_on() -> None:
    check_modelled({"kernel": {"anything": {"at": ["all", 1, None]}}, "host-containers": {"x": {"more": 1}}})
    check_modelled({"bootstrap-commands": {"a": {"commands": [["apiclient"]], "mode": "once"}}})
