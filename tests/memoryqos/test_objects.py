"""From a manifest's data to a pod, and what is refused on the way."""

import pytest

from brqos.memoryqos.objects import ObjectError, dotted, pod_of
from brqos.memoryqos.pod import ContainerKind, QosClass

MIB = 2**20


def manifest(**resources: object) -> dict[str, object]:
    return {
        "metadata": {"name": "web", "namespace": "prod"},
        "spec": {"containers": [{"name": "app", "resources": resources}]},
    }


def test_all_kinds_of_containers_are_read() -> None:
    found = pod_of(
        {
            "metadata": {"name": "web", "uid": "u-1"},
            "spec": {
                "initContainers": [{"name": "setup"}, {"name": "proxy", "restartPolicy": "Always"}],
                "containers": [{"name": "app"}],
                "ephemeralContainers": [{"name": "debug", "resources": {"requests": {"memory": "nonsense"}}}],
                "overhead": {"memory": "1Mi"},
            },
            "status": {"qosClass": "BestEffort"},
        },
        namespace="prod",
    )
    assert [(each.name, each.kind) for each in found.containers] == [
        ("setup", ContainerKind.INIT),
        ("proxy", ContainerKind.SIDECAR),
        ("app", ContainerKind.APP),
        ("debug", ContainerKind.EPHEMERAL),
    ]
    assert (found.namespace, found.name, found.uid) == ("prod", "web", "u-1")
    assert found.status_qos is QosClass.BEST_EFFORT
    assert found.overhead == {"memory": MIB * 10**9}


@pytest.mark.parametrize(
    ("value", "expected"), [("200Mi", 200 * MIB), (209715200, 200 * MIB), ("2e8", 200_000_000), (0.5, 1)]
)
def test_amounts_may_be_texts_or_numbers(value: object, expected: int) -> None:
    assert pod_of(manifest(requests={"memory": value})).containers[0].resources.memory_request == expected


@pytest.mark.parametrize(
    ("resources", "path", "why"),
    [
        ({"limits": {"memory": "2Gb"}}, "limits.memory", "“2Gb” is not an amount"),
        ({"limits": {"memory": "-1Mi"}}, "limits.memory", "negative"),
        ({"limits": {"cpu": "1c"}}, "limits.cpu", "“1c” is not an amount"),
        ({"limits": {"memory": True}}, "limits.memory", "“True” is not an amount"),
        ({"limits": {"memory": ["1"]}}, "limits.memory", "a list is not an amount"),
        ({"limits": {"nvidia.com/gpu": "x"}}, "limits.nvidia.com/gpu", "not an amount"),
        ({"limits": "1Gi"}, "limits", "where a mapping belongs"),
        ({"requests": {"memory": "2Gi"}, "limits": {"memory": "1Gi"}}, "requests.memory", "2Gi is above the limit 1Gi"),
        ({"requests": {"cpu": "2"}, "limits": {"cpu": "500m"}}, "requests.cpu", "2 is above the limit 0.5"),
    ],
)
def test_wrong_amounts_are_refused_with_their_place(resources: dict[str, object], path: str, why: str) -> None:
    with pytest.raises(ObjectError, match=why) as caught:
        pod_of(manifest(**resources))
    assert dotted(caught.value.path) == f"spec.containers[0].resources.{path}"


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({}, "spec.containers"),
        ({"spec": []}, "spec"),
        ({"spec": {"containers": {"name": "app"}}}, "spec.containers"),
        ({"spec": {"containers": ["app"]}}, "spec.containers[0]"),
        ({"spec": {"containers": [{}]}}, "spec.containers[0].name"),
        ({"spec": {"containers": [{"name": 3}]}}, "spec.containers[0].name"),
        ({"metadata": {"namespace": 3}, "spec": {"containers": [{"name": "a"}]}}, "metadata.namespace"),
    ],
)
def test_a_wrong_shape_is_refused_with_its_place(document: dict[str, object], path: str) -> None:
    with pytest.raises(ObjectError) as caught:
        pod_of(document)
    assert dotted(caught.value.path) == path


def test_nothing_has_a_name_too() -> None:
    assert dotted(()) == "the object"
