"""The explanation as a whole: values, reasons, warnings, JSON."""

import json

import pytest

from brqos.explain.json_text import json_text
from brqos.explain.result import Explanation, as_json
from explain.inputs import FOUR_PODS, deployment, explained, node

MIB = 2**20


def warnings_of(explanation: Explanation) -> str:
    own = [warning for each in explanation.containers for warning in each.warnings]
    own += [warning for pod in explanation.pods for warning in pod.warnings]
    return "\n".join([*own, *explanation.warnings])


def test_the_document_has_the_promised_keys_and_values() -> None:
    found = as_json(explained(FOUR_PODS))
    assert found["kubernetes"] == "1.29"
    assert (found["gate"], found["factor"], found["policy"]) == ("on", 0.9, None)
    assert found["allocatable_bytes"] == 7516192768
    containers = found["containers"]
    assert isinstance(containers, list)
    burstable = containers[1]
    assert {key: burstable[key] for key in ("namespace", "pod", "container", "kind", "qos_class")} == {
        "namespace": "default",
        "pod": "burstable",
        "container": "app",
        "kind": "app",
        "qos_class": "Burstable",
    }
    values = [[each[f"memory_{name}"] for name in ("min", "low", "high", "max")] for each in containers]
    assert values == [
        [209715200, 0, "max", 209715200],
        [104857600, 0, 199229440, 209715200],
        [104857600, 0, 6775058432, "max"],
        [0, 0, "max", "max"],
    ]
    levels = found["qos"]
    assert isinstance(levels, dict)
    assert levels["kubepods"]["memory_min"] == 419430400
    assert levels["burstable"]["memory_min"] == 209715200
    assert levels["besteffort"]["memory_min"] == 0
    assert levels["burstable"]["cgroup"] == "/sys/fs/cgroup/kubepods.slice/kubepods-burstable.slice"


def test_the_text_is_the_document_with_a_line_for_each_container() -> None:
    document = as_json(explained(FOUR_PODS))
    text = json_text(document)
    assert json.loads(text) == document
    assert sum('"container": "app"' in line for line in text.splitlines()) == 4
    assert json.loads(json_text({"a": [], "b": [1], "c": "“é”"})) == {"a": [], "b": [1], "c": "“é”"}


def test_replicas_count_in_the_levels_and_not_in_the_containers() -> None:
    found = explained(deployment("{requests: {memory: 100Mi}}", replicas=3))
    assert len(found.containers) == 1
    assert as_json(found)["qos"]["burstable"]["memory_min"] == 300 * MIB  # type: ignore[index]
    assert found.requests == 300 * MIB


def test_the_reason_has_the_rule_and_the_numbers_in_it() -> None:
    why = explained(deployment("{requests: {memory: 100Mi}, limits: {memory: 200Mi}}")).containers[0].prediction.why
    assert "floor((104857600 + (209715200 - 104857600) * 0.9) / 4096) * 4096 = 199229440" in why
    assert "memory.min = request 100Mi (104857600)" in why
    assert "memory.max = limit 200Mi (209715200)" in why


@pytest.mark.parametrize(
    ("version", "resources", "warning"),
    [
        ("1.37", "{requests: {memory: 1Gi}}", "the gate is on and does nothing"),
        ("1.29", "{}", "kubernetes#137685"),
        ("1.36", "{}", "kubernetes#137685"),
        ("1.29", "{requests: {memory: 1000Mi}, limits: {memory: 1010Mi}}", "throttled at once"),
        ("1.26", "{requests: {memory: 795Mi}, limits: {memory: 1000Mi}}", "throttled at once"),
        ("1.29", "{limits: {memory: 1Gi, cpu: 1}}", "none of it may be reclaimed"),
        ("1.29", "{requests: {memory: 1Gi}, limits: {memory: 8Gi}}", "8 times the request"),
        ("1.29", "{limits: {memory: 512}}", "perhaps the unit is missing"),
        ("1.29", "{requests: {memory: 100m}}", "no whole number of bytes"),
        ("1.36", "{requests: {memory: 1Gi}}", "requests are not protected"),
        ("1.29", "{requests: {memory: 9Gi}}", "do not fit on it together"),
        ("1.29", "{requests: {memory: 6800Mi}}", "% of the node's 7Gi"),
    ],
)
def test_what_matters_is_warned_of(version: str, resources: str, warning: str) -> None:
    assert warning in warnings_of(explained(deployment(resources), node(version)))


@pytest.mark.parametrize(
    ("version", "resources"),
    [
        ("1.26", "{}"),
        ("1.29", "{requests: {memory: 1Gi}, limits: {memory: 2Gi}}"),
        ("1.29", "{requests: {memory: 1Gi}}"),
    ],
)
def test_what_is_fine_is_not_warned_of(version: str, resources: str) -> None:
    assert warnings_of(explained(deployment(resources), node(version))) == ""


def test_with_tiers_and_a_factor_1_37_is_fine() -> None:
    where = node("1.37", factor=0.9, policy="TieredReservation")
    assert warnings_of(explained(deployment("{requests: {memory: 1Gi}, limits: {memory: 2Gi}}"), where)) == ""
    where = node("1.37", policy="TieredReservation")
    assert "nothing is throttled" in warnings_of(explained(deployment("{requests: {memory: 1Gi}}"), where))


def test_settings_with_which_no_kubelet_starts_are_warned_of() -> None:
    resources = deployment("{}")
    for where in (
        node("1.36", policy="TieredReservation", gate=False),
        node("1.37", factor=0.8, gate=False),
    ):
        assert "does not start" in warnings_of(explained(resources, where))
    assert warnings_of(explained(resources, node("1.37", factor=0.9, gate=False))) == ""


def test_fields_that_the_version_does_not_heed_are_warned_of() -> None:
    sidecar = """\
        kind: Pod
        metadata: {name: a}
        spec:
          resources: {limits: {memory: 1Gi}}
          initContainers: [{name: proxy, restartPolicy: Always}]
          containers: [{name: app}]
        """
    found = warnings_of(explained(sidecar, node("1.28")))
    assert "no sidecars before 1.29" in found
    assert "not heeded before 1.34" in found
    assert "before" not in warnings_of(explained(sidecar, node("1.34")))
