"""Settings that an image knows, and those for which it would refuse all user data."""

import datetime
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from brqos.errors import ConfigurationError
from brqos.nodes.user_data.known import check_settings
from brqos.nodes.user_data.listed import complete_to, everything, order
from brqos.variant import KubernetesVersion, VariantName
from nodes.user_data.keys import known_kubernetes_keys

PLAIN = VariantName.parse("aws-k8s-1.34")
NVIDIA = VariantName.parse("aws-k8s-1.34-nvidia")
NATIVE = VariantName.parse("aws-k8s-1.37")
OLD = VariantName.parse("aws-k8s-1.30")


def check(settings: Any, variant: VariantName = PLAIN, release: str | None = "1.50.0") -> tuple[str, ...]:
    return check_settings(settings, variant=variant, release=release)


def kubernetes(**settings: Any) -> dict[str, Any]:
    return {"kubernetes": {name.replace("_", "-"): value for name, value in settings.items()}}


def refused(message: str, settings: Any, variant: VariantName = PLAIN, release: str | None = "1.50.0") -> str:
    """What the error says to do."""
    with pytest.raises(ConfigurationError, match=re.escape(message)) as error:
        check(settings, variant, release)
    assert error.value.why
    assert error.value.todo
    return error.value.todo


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"motd": "hello"},
        kubernetes(),
        kubernetes(max_pods=0),
        kubernetes(
            eviction_hard={"memory.available": "200Mi", "nodefs.inodesFree": "5%"},
            kube_reserved={"cpu": "80m", "memory": "500Mi", "pid": "1000"},
            node_labels={"example.com/team": "data"},
            node_taints={"a": "b:NoSchedule", "c": ["d:NoExecute"]},
            cluster_dns_ip=["10.0.0.10"],
            image_gc_high_threshold_percent=85,
            image_gc_low_threshold_percent="80",
            allowed_unsafe_sysctls=("net.core.somaxconn",),
            cpu_manager_policy_options=["full-pcpus-only"],
            memory_manager_reserved_memory={"0": {"enabled": True, "memory": "900Mi"}},
        ),
        kubernetes(cluster_dns_ip="10.0.0.10", cloud_provider=""),
        {"host-containers": {"admin": {"enabled": False, "superpowered": True, "source": "a", "user-data": "e30="}}},
        {"host-containers": {"mine": {"command": ["sh", "-c", "x"]}}},
        {"bootstrap-commands": {"x": {"commands": [["apiclient", "set", "motd=x"]], "mode": "once"}}},
        {"kernel": {"sysctl": {"vm.max_map_count": "262144"}, "modules": {"udf": {"allowed": False}}}},
        {"container-registry": {"mirrors": [{"registry": "*", "endpoint": ["https://a"]}]}},
        {"container-registry": {"mirrors": {"docker.io": ["https://a"]}}},
        {"network": {"hosts": [["10.0.0.1", ["a"]]]}},
    ],
)
def test_what_passes(settings: dict[str, Any]) -> None:
    assert check(settings) == ()


@pytest.mark.parametrize(
    ("settings", "message", "todo"),
    [
        (kubernetes(max_pod=1), "no setting settings.kubernetes.max-pod", "mean settings.kubernetes.max-pods?"),
        ({"kubernetes": {"max_pods": 1}}, "no setting settings.kubernetes.max_pods", "settings.kubernetes.max-pods?"),
        ({"kubernetes": {"maxPods": 1}}, "no setting settings.kubernetes.maxPods", "settings.kubernetes.max-pods?"),
        ({"kubernets": {}}, "no setting settings.kubernets", "Did you mean settings.kubernetes?"),
        (
            kubernetes(feature_gates={"MemoryQoS": True}),
            "no setting settings.kubernetes.feature-gates",
            "Leave it out.",
        ),
        ({"aws": {"zone": "a"}}, "no setting settings.aws.zone", "There are region, config, credentials, profile."),
        ({"ecs": {}}, "no setting settings.ecs", "Leave it out."),
        ({"host-containers": {"admin": {"enable": True}}}, "settings.host-containers.admin.enable", "admin.enabled?"),
        ({"kubernetes.max-pods": 1}, 'no setting settings."kubernetes.max-pods"', "a table of its own"),
        (kubernetes(kube_reserved={"cpus": "1"}), "no setting settings.kubernetes.kube-reserved.cpus", "reserved.cpu?"),
        (kubernetes(eviction_hard={"memory.free": "1Gi"}), 'settings.kubernetes.eviction-hard."memory.free"', ""),
        (kubernetes(eviction_hard={"memory": {}}), "settings.kubernetes.eviction-hard.memory is a table", '"memory.'),
    ],
)
def test_unknown_keys(settings: dict[str, Any], message: str, todo: str) -> None:
    assert todo in refused(message, settings)


def test_a_signal_is_one_key() -> None:
    nested = kubernetes(eviction_hard={"nodefs": {"inodesFree": "5%"}})
    todo = refused("one key with a dot", nested)
    assert todo == 'Write the key in quotes, as "nodefs.inodesFree".'
    todo = refused("is a table, and Bottlerocket wants a string", kubernetes(node_labels={"example": {"com/a": "b"}}))
    assert "in quotes" in todo


@pytest.mark.parametrize(
    ("settings", "message", "todo"),
    [
        (kubernetes(kube_reserved={"memory": 500}), "memory is an integer", 'Write it in quotes: "500".'),
        (kubernetes(kube_reserved={"cpu": 0.5}), "cpu is a float, and Bottlerocket wants a string", '"0.5"'),
        (kubernetes(node_labels={"a": True}), "a is a boolean", 'Write it in quotes: "true".'),
        (kubernetes(max_pods="110"), "max-pods is a string", "Write an integer, without quotes."),
        (kubernetes(max_pods=True), "max-pods is a boolean", "Write an integer."),
        (kubernetes(max_pods=110.0), "max-pods is a float", "Write an integer."),
        (kubernetes(seccomp_default="true"), "seccomp-default is a string", "Write a boolean, without quotes."),
        (kubernetes(allowed_unsafe_sysctls="a"), "is a string, and Bottlerocket wants an array", "Write an array."),
        (kubernetes(allowed_unsafe_sysctls=[1]), "allowed-unsafe-sysctls[0] is an integer", '"1"'),
        (kubernetes(cluster_dns_ip=1), "wants an array or a string", 'Write it in quotes: "1".'),
        (kubernetes(provider_id=datetime.date(2026, 1, 1)), "provider-id is a date", "Write a string."),
        ({"kubernetes": "x"}, "settings.kubernetes is a string, and Bottlerocket wants a table", "Write a table."),
        ({"motd": {}}, "settings.motd is a table", "Write a string"),
        ({"kubernetes": {"max-pods": -1}}, "max-pods cannot be -1", "a number, at least 0"),
        (kubernetes(image_gc_high_threshold_percent=101), "cannot be 101", "at least 0 and at most 100"),
        (kubernetes(image_gc_high_threshold_percent="85%"), "cannot be 85%", "a number, at least 0"),
        (kubernetes(topology_manager_scope="node"), "topology-manager-scope cannot be “node”", "“container” or “pod”"),
        (kubernetes(cpu_manager_policy_options=["x"]), "cpu-manager-policy-options[0] cannot be “x”", "“full-pcpus"),
    ],
)
def test_wrong_values(settings: dict[str, Any], message: str, todo: str) -> None:
    assert todo in refused(message, settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"motd": None},
        {"kubernetes": None},
        kubernetes(max_pods=None),
        kubernetes(allowed_unsafe_sysctls=["a", None]),
        {"oci-defaults": {"resource-limits": {"x": {"y": None}}}},
        {"container-registry": {"credentials": [{"registry": None}]}},
    ],
)
def test_nothing_is_not_a_value(settings: dict[str, Any]) -> None:
    refused("has no value", settings)


@pytest.mark.parametrize(
    ("settings", "since"),
    [
        (kubernetes(hostname_override_source="instance-id"), "1.21.0"),
        (kubernetes(device_ownership_from_security_context=True), "1.30.0"),
        (kubernetes(single_process_oom_kill=True), "1.39.0"),
        (kubernetes(memory_swap_behavior="LimitedSwap"), "1.42.0"),
        (kubernetes(static_pods_enabled=False), "1.46.0"),
        (kubernetes(system_reserved={"pid": "1000"}), "1.50.0"),
        (kubernetes(ids_per_pod=65536), "1.51.0"),
        (kubernetes(cpu_manager_policy_options=["strict-cpu-reservation"]), "1.51.0"),
        (kubernetes(topology_manager_policy_options={"prefer-closest-numa-nodes": True}), "1.60.0"),
        (kubernetes(container_runtime_endpoint="unix:///x"), "1.64.0"),
        ({"host-containers": {"admin": {"command": ["x"]}}}, "1.47.0"),
        ({"container-runtime-plugins": {}}, "1.44.0"),
        ({"bootstrap-commands": {}}, "1.22.0"),
        ({"kernel": {"hugepages": {}}}, "1.64.0"),
    ],
)
def test_a_key_that_the_release_does_not_know_yet(settings: dict[str, Any], since: str) -> None:
    major, minor, patch = order(since)
    before = f"{major}.{minor - 1}.{patch}"
    todo = refused(f"Bottlerocket {before} does not know settings.", settings, release=before)
    assert since in todo
    assert check(settings, release=since) == ()
    assert check(settings, release=f"v{since}") == ()


def test_an_unknown_release_of_the_image() -> None:
    key = kubernetes(ids_per_pod=65536)
    (warning,) = check(key, release=None)
    assert "settings.kubernetes.ids-per-pod is known from Bottlerocket 1.51.0 on" in warning
    assert check(kubernetes(static_pods_enabled=True), release=None) == ()
    assert check(key, VariantName.parse("aws-k8s-1.35"), None) == ()
    refused(
        "no image of aws-k8s-1.30 knows settings.kubernetes.container-runtime-endpoint",
        kubernetes(container_runtime_endpoint="unix:///x"),
        OLD,
        None,
    )
    refused("no setting settings.kubernetes.max-pod", kubernetes(max_pod=1), release=None)
    unlisted = VariantName(KubernetesVersion(1, 27))
    assert len(check(kubernetes(static_pods_enabled=True, max_pods=1), unlisted, None)) == 1


def test_a_release_newer_than_the_list_may_know_more() -> None:
    newer = "99.0.0"
    (warning,) = check(kubernetes(unheard_of=1), release=newer)
    assert complete_to() in warning
    refused("no setting settings.kubernetes.max-podz", kubernetes(max_podz=1), release=newer)
    refused("has no setting settings.kubernetes.unheard-of", kubernetes(unheard_of=None), release=newer)
    refused("no setting settings.kubernetes.unheard-of", kubernetes(unheard_of=1), release=complete_to())


def test_what_is_no_release() -> None:
    for wrong in ("1.50", "latest", ""):
        with pytest.raises(ConfigurationError, match="not a release of Bottlerocket"):
            check({}, release=wrong)


@pytest.mark.parametrize(("key", "value"), [("memory-throttling-factor", 0.9), ("memory-reservation-policy", "None")])
def test_the_native_settings_of_memory_qos(key: str, value: object) -> None:
    settings = {"kubernetes": {key: value}}
    assert check(settings, NATIVE, "1.66.0") == ()
    assert check(settings, NATIVE, None) == ()
    for release in ("1.50.0", "1.66.0", None):
        todo = refused(f"settings.kubernetes.{key} does nothing on aws-k8s-1.34", settings, PLAIN, release)
        assert "baked in" in todo
    refused("Bottlerocket 1.65.0 does not know", settings, NATIVE, "1.65.0")


def test_the_throttling_factor_is_a_number_from_above_nothing_to_one() -> None:
    for right in (0.0001, 0.9, 1.0, 1):
        assert check(kubernetes(memory_throttling_factor=right), NATIVE, None) == ()
    for wrong in (0, 0.0, -0.1, 1.1, 2, float("nan"), float("inf")):
        refused("memory-throttling-factor cannot be", kubernetes(memory_throttling_factor=wrong), NATIVE, None)
    refused("is a string, and Bottlerocket wants a float", kubernetes(memory_throttling_factor="0.9"), NATIVE, None)
    refused("cannot be “Tiered”", kubernetes(memory_reservation_policy="Tiered"), NATIVE, None)


def test_a_setting_that_older_kubelets_are_not_told() -> None:
    (warning,) = check(kubernetes(single_process_oom_kill=True), VariantName.parse("aws-k8s-1.31"))
    assert "does nothing on aws-k8s-1.31" in warning
    assert check(kubernetes(single_process_oom_kill=True), VariantName.parse("aws-k8s-1.32")) == ()


def test_nvidia_images_have_a_model_of_their_own() -> None:
    plugins = {"kubelet-device-plugins": {"nvidia": {"pass-device-specs": True, "device-list-strategy": "envvar"}}}
    assert check(plugins, NVIDIA) == ()
    refused("images of aws-k8s-1.34 do not know settings.kubelet-device-plugins", plugins)
    assert check(plugins, VariantName.parse("aws-k8s-1.34-nvidia-fips"), "1.66.0") == ()
    verifier = {"image-verifier-plugins": {"enabled": True, "notation": {"trustpolicy": "e30="}}}
    assert check(verifier, release="1.66.0") == ()
    refused("images of aws-k8s-1.34-nvidia do not know settings.image-verifier-plugins", verifier, NVIDIA, "1.66.0")
    refused("does nothing on aws-k8s-1.32", verifier, VariantName.parse("aws-k8s-1.32"), "1.66.0")


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(sorted(everything().keys["kubernetes"].keys)) | st.text(max_size=12)


@given(
    st.dictionaries(NAMES, VALUES, max_size=3),
    st.sampled_from([PLAIN, NVIDIA, NATIVE, OLD]),
    st.sampled_from([None, "1.21.0", "1.50.0", "1.66.0", "2.0.0"]),
)
@example({"max-pods": 10**400}, PLAIN, None)
def test_whatever_comes_is_judged(settings: dict[str, Any], variant: VariantName, release: str | None) -> None:
    try:
        warnings = check({"kubernetes": settings}, variant, release)
    except ConfigurationError as error:
        assert error.what
        assert error.why
        assert error.todo
    else:
        assert len(warnings) == len(set(warnings))
        if release == "1.50.0":
            assert set(settings) <= known_kubernetes_keys(release)
