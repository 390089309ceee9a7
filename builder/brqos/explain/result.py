"""The explanation: every container, pod and level with its values, its reasons and its warnings."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from brqos.explain import findings
from brqos.explain.configuration import Driver
from brqos.explain.node_memory import NodeMemory
from brqos.explain.workloads import Workload
from brqos.memoryqos.cgroup_paths import container_path, level_path, pod_path
from brqos.memoryqos.container import predict_container
from brqos.memoryqos.kubelet import Amount, CgroupMemory, Kubelet, Prediction
from brqos.memoryqos.levels import Level, PodMemory, pod_memory, predict_levels, predict_pod
from brqos.memoryqos.pod import Container, QosClass


@dataclass(frozen=True, slots=True)
class Node:
    """The node that is explained: its kubelet, its memory, and where its cgroups are.

    `settings` says where the settings are from.
    """

    kubelet: Kubelet
    memory: NodeMemory
    settings: str
    driver: Driver = "systemd"
    root: str = "/"
    enforces_pods: bool = True


@dataclass(frozen=True, slots=True)
class ExplainedContainer:
    """One container."""

    workload: Workload
    container: Container
    qos: QosClass
    prediction: Prediction
    warnings: tuple[str, ...]

    @property
    def memory(self) -> CgroupMemory:
        """Its four values."""
        return self.prediction.memory


@dataclass(frozen=True, slots=True)
class ExplainedPod:
    """One pod (of as many as its workload asks for) and its containers."""

    workload: Workload
    known: PodMemory
    prediction: Prediction
    containers: tuple[ExplainedContainer, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Explanation:
    """All of it, on one node."""

    node: Node
    pods: tuple[ExplainedPod, ...]
    levels: Mapping[Level, CgroupMemory]
    warnings: tuple[str, ...]

    @cached_property
    def containers(self) -> tuple[ExplainedContainer, ...]:
        """The containers of all pods, in order."""
        return tuple(container for pod in self.pods for container in pod.containers)

    @cached_property
    def requests(self) -> int:
        """The memory that all pods ask for, in bytes, replicas counted."""
        return sum(pod.known.request * pod.workload.replicas for pod in self.pods)


def explain(workloads: Iterable[Workload], node: Node) -> Explanation:
    """Predict everything for these workloads, all of their replicas on one node."""
    pods = tuple(_explained(workload, node.kubelet) for workload in workloads)
    all_pods = [PodMemory(pod.known.qos, pod.known.request * pod.workload.replicas) for pod in pods]
    levels = predict_levels(node.kubelet, all_pods, enforces_pods=node.enforces_pods)
    requests = sum(each.request for each in all_pods)
    warnings = findings.of_node(node.kubelet, levels[Level.KUBEPODS], requests)
    return Explanation(node, pods, levels, tuple(warnings))


def _explained(workload: Workload, kubelet: Kubelet) -> ExplainedPod:
    known = pod_memory(workload.pod, kubelet)
    containers = []
    for container in workload.pod.containers:
        prediction = predict_container(kubelet, workload.pod, container, known.qos)
        warnings = (
            *workload.remarks.get(container.name, ()),
            *findings.of_container(kubelet, container, prediction.memory),
        )
        containers.append(ExplainedContainer(workload, container, known.qos, prediction, warnings))
    prediction = predict_pod(kubelet, workload.pod, known)
    return ExplainedPod(workload, known, prediction, tuple(containers), tuple(findings.of_pod(kubelet, workload.pod)))


def as_json(explanation: Explanation) -> dict[str, object]:
    """The document that `--json` prints: values are bytes as the kernel reads them back, or `max`."""
    node = explanation.node
    kubelet = node.kubelet
    return {
        "kubernetes": str(kubelet.kubernetes),
        "gate": "on" if kubelet.gate else "off",
        "factor": kubelet.throttling_factor,
        "policy": kubelet.reservation_policy,
        "settings": node.settings,
        "allocatable_bytes": kubelet.allocatable,
        "memory": node.memory.source,
        "estimate": node.memory.estimate,
        "warnings": list(explanation.warnings),
        "containers": [_container(node, each) for pod in explanation.pods for each in pod.containers],
        "pods": [_pod(node, each) for each in explanation.pods],
        "qos": {
            level.value: {
                **values(memory),
                "cgroup": str(level_path(level, driver=node.driver, root=node.root)),
            }
            for level, memory in explanation.levels.items()
        },
        "requests_bytes": explanation.requests,
    }


def values(memory: CgroupMemory) -> dict[str, Amount]:
    """The four values, by the names that JSON has for them."""
    return {
        "memory_min": memory.min,
        "memory_low": memory.low,
        "memory_high": memory.high,
        "memory_max": memory.max,
    }


def cgroup_of(node: Node, pod: ExplainedPod) -> str:
    """The path of the pod's cgroup."""
    return str(pod_path(pod.known.qos, pod.workload.pod.uid, driver=node.driver, root=node.root))


def _container(node: Node, each: ExplainedContainer) -> dict[str, object]:
    pod = each.workload.pod
    parent = pod_path(each.qos, pod.uid, driver=node.driver, root=node.root)
    return {
        "namespace": pod.namespace,
        "pod": pod.name,
        "container": each.container.name,
        "kind": each.container.kind.value,
        "qos_class": each.qos.value,
        **values(each.memory),
        "request_bytes": each.container.resources.memory_request,
        "limit_bytes": each.container.resources.memory_limit or None,
        "cgroup": str(container_path(parent, driver=node.driver)),
        "why": each.prediction.why,
        "warnings": list(each.warnings),
    }


def _pod(node: Node, each: ExplainedPod) -> dict[str, object]:
    return {
        "namespace": each.workload.pod.namespace,
        "pod": each.workload.pod.name,
        "kind": each.workload.kind,
        "replicas": each.workload.replicas,
        "qos_class": each.known.qos.value,
        **values(each.prediction.memory),
        "request_bytes": each.known.request,
        "cgroup": cgroup_of(node, each),
        "why": each.prediction.why,
        "warnings": list(each.warnings),
    }
