"""A cgroup predicted against the cgroup observed. Pure."""

from collections.abc import Mapping
from typing import Any

from brqos.kube.refusals import garbled
from brqos.memoryqos.container import predict_container
from brqos.memoryqos.kubelet import Kubelet, Prediction
from brqos.memoryqos.objects import ObjectError, pod_of
from brqos.memoryqos.pod import Pod, qos_class
from brqos.verify.model import Compared, Status, Values


def pod_in(item: Mapping[str, Any]) -> Pod:
    """The pod of the formulas; raises KubeCallError where the API's answer is no pod."""
    try:
        return pod_of(item)
    except ObjectError as error:
        raise garbled(f"the pod {(item.get('metadata') or {}).get('name')}", str(error)) from None


def predictions(kubelet: Kubelet, pod: Pod) -> dict[str, Prediction]:
    """Container name to its prediction."""
    qos = qos_class(pod, kubelet.kubernetes)
    return {container.name: predict_container(kubelet, pod, container, qos) for container in pod.containers}


def compared(named: Compared, expected: Prediction | None, observed: Values | None) -> Compared:
    """`named` filled with the two sides and how they stand to each other; nothing observed is left as it is."""
    filled = named.model_copy(
        update={
            "expected": Values.of(expected.memory) if expected else None,
            "observed": observed,
            "why": expected.why if expected else "",
        }
    )
    if expected is None or observed is None:
        return filled
    same = not filled.differing
    return filled.model_copy(update={"status": Status.PASSED if same else Status.FAILED})


def named(pod: Pod, container: str, kubelet: Kubelet | None, status: Status, remark: str = "") -> Compared:
    """The entry of a container, nothing in it yet."""
    kinds = {each.name: each.kind.value for each in pod.containers}
    qos = pod.status_qos.value if pod.status_qos else ""
    if not qos and kubelet is not None:
        qos = qos_class(pod, kubelet.kubernetes).value
    return Compared(
        status=status,
        namespace=pod.namespace,
        pod=pod.name,
        container=container,
        kind=kinds.get(container, ""),
        qos_class=qos,
        remark=remark,
    )
