"""Workload kinds, lists, LimitRanges, and what is refused."""

import pytest

from brqos.errors import ConfigurationError
from brqos.explain.documents import documents_of
from brqos.explain.workloads import workloads_of
from explain.inputs import deployment, workloads

MIB = 2**20

TEMPLATE = "{spec: {containers: [{name: app, resources: {requests: {memory: 1Mi}}}]}}"


@pytest.mark.parametrize(
    ("kind", "body", "replicas"),
    [
        ("Deployment", f"spec: {{replicas: 3, template: {TEMPLATE}}}", 3),
        ("Deployment", f"spec: {{template: {TEMPLATE}}}", 1),
        ("StatefulSet", f"spec: {{replicas: 0, template: {TEMPLATE}}}", 0),
        ("ReplicaSet", f"spec: {{replicas: 2, template: {TEMPLATE}}}", 2),
        ("ReplicationController", f"spec: {{replicas: 2, template: {TEMPLATE}}}", 2),
        ("DaemonSet", f"spec: {{template: {TEMPLATE}}}", 1),
        ("Job", f"spec: {{parallelism: 4, template: {TEMPLATE}}}", 4),
        ("CronJob", f"spec: {{jobTemplate: {{spec: {{parallelism: 2, template: {TEMPLATE}}}}}}}", 2),
        ("PodTemplate", f"template: {TEMPLATE}", 1),
        ("Pod", "spec: {containers: [{name: app, resources: {requests: {memory: 1Mi}}}]}", 1),
    ],
)
def test_every_kind_of_workload(kind: str, body: str, replicas: int) -> None:
    (found,) = workloads(f"kind: {kind}\nmetadata: {{name: web, namespace: prod}}\n{body}\n")
    assert (found.kind, found.replicas) == (kind, replicas)
    assert (found.pod.namespace, found.pod.name) == ("prod", "web")
    assert found.pod.containers[0].resources.memory_request == MIB


def test_lists_hold_objects_and_typed_lists_need_no_kinds() -> None:
    pod = "{kind: Pod, metadata: {name: a}, spec: {containers: [{name: app}]}}"
    bare = "{metadata: {name: b}, spec: {containers: [{name: app}]}}"
    found = workloads(f"kind: List\nitems: [{pod}]\n---\nkind: PodList\nitems: [{bare}]\n")
    assert [each.pod.name for each in found] == ["a", "b"]


def test_what_makes_no_pods_is_passed_over_and_counted() -> None:
    text = "kind: Service\n---\nkind: Service\n---\nkind: ConfigMap\n---\n" + deployment("{}")
    found = workloads_of(documents_of(text, "x"))
    assert dict(found.passed_over) == {"Service": 2, "ConfigMap": 1}
    assert len(found.items) == 1


def test_a_namespace_is_taken_where_none_is_named() -> None:
    assert workloads(deployment("{}"))[0].pod.namespace == "default"
    assert workloads(deployment("{}"), namespace="team")[0].pod.namespace == "team"


def test_a_generated_name_is_shown_as_one() -> None:
    (found,) = workloads("kind: Pod\nmetadata: {generateName: job-}\nspec: {containers: [{name: app}]}\n")
    assert found.pod.name == "job-*"


LIMITS = """\
kind: LimitRange
metadata: {name: limits}
spec:
  limits:
  - type: Pod
    max: {memory: 1Mi}
  - type: Container
    default: {memory: 256Mi}
    defaultRequest: {memory: 64Mi}
    max: {memory: 512Mi}
    min: {memory: 32Mi}
---
"""


@pytest.mark.parametrize(
    ("resources", "request_", "limit", "remark"),
    [
        ("{}", 64, 256, ""),
        ("{requests: {memory: 100Mi}}", 100, 256, ""),
        ("{limits: {memory: 128Mi}}", 128, 128, ""),
        ("{requests: {memory: 300Mi}}", 300, 256, "below the request"),
        ("{limits: {memory: 1Gi}}", 1024, 1024, "above the LimitRange's max 512Mi"),
        ("{requests: {memory: 1Mi}, limits: {memory: 64Mi}}", 1, 64, "below the LimitRange's min 32Mi"),
    ],
)
def test_a_limit_range_is_applied(resources: str, request_: int, limit: int, remark: str) -> None:
    (found,) = workloads(LIMITS + deployment(resources))
    its = found.pod.containers[0].resources
    assert (its.memory_request, its.memory_limit) == (request_ * MIB, limit * MIB)
    remarks = "; ".join(found.remarks.get("app", ()))
    assert remark in remarks
    assert bool(remark) == bool(remarks)


def test_a_limit_range_without_defaults_has_its_bounds_as_defaults() -> None:
    (found,) = workloads(
        "kind: LimitRange\nspec: {limits: [{type: Container, max: {memory: 1Gi}}]}\n---\n" + deployment("{}")
    )
    its = found.pod.containers[0].resources
    assert (its.memory_request, its.memory_limit) == (1024 * MIB, 1024 * MIB)


def test_a_limit_range_counts_in_its_own_namespace_only() -> None:
    elsewhere = LIMITS.replace("{name: limits}", "{name: limits, namespace: other}")
    assert workloads(elsewhere + deployment("{}"))[0].pod.containers[0].resources.memory_limit == 0


def test_a_pod_from_an_api_server_has_been_through_its_limit_range() -> None:
    living = "kind: Pod\nmetadata: {name: a, uid: u}\nspec: {containers: [{name: app}]}\n"
    assert workloads(LIMITS + living)[0].pod.containers[0].resources.memory_limit == 0


POD = """\
kind: Pod
metadata: {name: a}
spec:
  containers:
  - name: app
    resources:
        limits:
"""


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (deployment("{requests: {memory: 2Gb}}"), "input.yaml line 10: “2Gb” is not an amount"),
        (f"kind: Service\n---\n{POD}          memory: 1 Gi\n", "input.yaml line 10: “1 Gi” is not an amount"),
        ("a: 1\n", "input.yaml line 1: this is no Kubernetes object"),
        ("- a\n", "input.yaml line 1: a list stands where a mapping belongs"),
        ("kind: Deployment\nspec: {}\n", "input.yaml line 1: a Deployment needs a name"),
        ("kind: Deployment\nmetadata: {name: a}\n", "a pod needs at least one container"),
        ("kind: Deployment\nmetadata: {name: a}\nspec:\n  replicas: x\n", "needs at least one container"),
        (deployment("{}", replicas=-1), "input.yaml line 5: “-1” is not a number of pods"),
        ("kind: Pod\nspec: {containers: [{name: a}]}\n", "a pod needs a name"),
        ("kind: LimitRange\nspec:\n  limits:\n  - type: Container\n    max:\n      memory: lots\n", "line 6: “lots”"),
    ],
)
def test_what_the_api_server_would_refuse_is_refused_with_its_line(text: str, what: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        workloads(text)
    assert what in caught.value.what
    assert caught.value.why


def test_the_error_names_the_object_and_the_path() -> None:
    with pytest.raises(ConfigurationError) as caught:
        workloads(deployment("{requests: {memory: 2Gb}}"))
    path = "spec.template.spec.containers[0].resources.requests.memory"
    assert caught.value.why == f"At {path} of Deployment web."


@pytest.mark.parametrize("text", ["", "kind: Service\n", "---\n---\n"])
def test_an_input_without_workloads_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="has no workload"):
        workloads(text)
