"""The prediction that verifying compares with, held against a kubelet that was written apart from it."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from brqos.memoryqos.kubelet import Kubelet
from brqos.variant import KubernetesVersion
from brqos.verify.compare import compared, named, pod_in, predictions
from brqos.verify.model import Status, Values
from kube.kernel import Kernel, qos_class

MEBIBYTES = st.integers(1, 4096)


@st.composite
def pods(draw: Any) -> dict[str, Any]:
    request, limit = draw(st.none() | MEBIBYTES), draw(st.none() | MEBIBYTES)
    resources: dict[str, Any] = {}
    if limit is not None:
        request = min(request if request is not None else limit, limit)
        resources["limits"] = {"memory": f"{limit}Mi", "cpu": "10m"}
    if request is not None:
        resources["requests"] = {"memory": f"{request}Mi", "cpu": "10m"}
    pod: dict[str, Any] = {
        "metadata": {"name": "p", "namespace": "n"},
        "spec": {"containers": [{"name": "probe", "resources": resources}]},
    }
    pod["status"] = {"qosClass": qos_class(pod)}
    return pod


@given(
    pods(),
    st.integers(22, 37),
    st.sampled_from([0.5, 0.7, 0.8, 0.9, 1.0]),
    st.sampled_from(["None", "TieredReservation"]),
    st.booleans(),
    st.integers(2**22, 2**25).map(lambda kibibytes: kibibytes * 1024),
)
def test_prediction_and_a_kubelet_of_the_tests_agree(
    pod: dict[str, Any], minor: int, factor: float, policy: Any, gate: bool, allocatable: int
) -> None:
    policy = policy if minor >= 36 else None
    kernel = Kernel(minor=minor, gate=gate, factor=factor, policy=policy, allocatable=allocatable)
    kubelet = Kubelet(KubernetesVersion(1, minor), allocatable, gate, factor, policy)
    prediction = predictions(kubelet, pod_in(pod))["probe"]
    assert prediction.memory.files() == kernel.files(pod, pod["spec"]["containers"][0])


def test_a_difference_names_its_files() -> None:
    pod = pod_in(
        {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "resources": {"limits": {"memory": "1Gi"}}}]}}
    )
    kubelet = Kubelet(KubernetesVersion(1, 29), 7 * 2**30, True, 0.9)
    entry = named(pod, "c", kubelet, Status.SKIPPED)
    right = Values(memory_min=2**30, memory_low=0, memory_high="max", memory_max=2**30)
    assert compared(entry, predictions(kubelet, pod)["c"], right).status is Status.PASSED
    wrong = compared(
        entry, predictions(kubelet, pod)["c"], right.model_copy(update={"memory_min": 0, "memory_high": 1})
    )
    assert wrong.status is Status.FAILED
    assert wrong.differing == ("memory.min", "memory.high")
    assert compared(entry, None, right).status is Status.SKIPPED
    assert compared(entry, predictions(kubelet, pod)["c"], None).status is Status.SKIPPED
