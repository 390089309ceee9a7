"""Pods and nodes of a cluster that runs, asked through kubectl."""

from collections.abc import Iterable, Mapping
from typing import Any

from brqos.errors import ConfigurationError
from brqos.explain.configuration import Configuration, of_kubelet_configuration
from brqos.explain.node_memory import NodeMemory
from brqos.explain.workloads import Workload
from brqos.kube import cluster
from brqos.kube.kubectl import Kubectl
from brqos.kube.kubelet import KubeletFacts, kubelet_facts
from brqos.memoryqos.objects import ObjectError, pod_of
from brqos.memoryqos.quantity import readable

_ENDED = frozenset({"Succeeded", "Failed"})


def live_node(kubectl: Kubectl, name: str) -> tuple[Configuration, NodeMemory]:
    """A node's settings and its memory for pods.

    Raises KubeCallError where the cluster cannot be asked.
    """
    node = cluster.node(kubectl, name)
    configz = cluster.configz(kubectl, name)
    facts = kubelet_facts(node, configz)
    source = f"the configz of node {name}"
    stated = of_kubelet_configuration(configz, source, running=True)
    configuration = Configuration(
        source,
        kubernetes=facts.kubernetes,
        gate=facts.gate,
        factor=facts.factor,
        policy=facts.policy,
        driver="cgroupfs" if facts.cgroup_driver == "cgroupfs" else "systemd",
        root=facts.cgroup_root,
        enforces_pods=stated.enforces_pods,
        running=True,
        fused=facts.fused,
    )
    return configuration, _memory(name, facts)


def _memory(name: str, facts: KubeletFacts) -> NodeMemory:
    source = (
        f"node {name}: status.allocatable {readable(facts.node_allocatable)} "
        f"+ eviction threshold {readable(facts.eviction)}"
    )
    return NodeMemory(facts.allocatable, source)


def live_workloads(
    kubectl: Kubectl, *, node: str | None, namespace: str | None, all_namespaces: bool
) -> tuple[Workload, ...]:
    """The pods of a node, or of a namespace; those that have ended are left out.

    `namespace` None is the context's own, unless a node is named: then all of its pods are meant.
    """
    if node is not None:
        found = cluster.pods_on(kubectl, node)
        if namespace is not None:
            found = [pod for pod in found if (pod.get("metadata") or {}).get("namespace") == namespace]
    else:
        found = cluster.pods_in(kubectl, None if all_namespaces else kubectl.namespace())
    return pods_of(found, f"node {node}" if node is not None else "the cluster")


def pods_of(found: Iterable[Mapping[str, Any]], source: str) -> tuple[Workload, ...]:
    """The pods of an answer; raises ConfigurationError where there is none that runs."""
    workloads = []
    for manifest in found:
        if (manifest.get("status") or {}).get("phase") in _ENDED:
            continue
        try:
            workloads.append(Workload("Pod", pod_of(manifest)))
        except ObjectError as error:
            name = (manifest.get("metadata") or {}).get("name")
            raise ConfigurationError(f"the pod {name} of {source} cannot be read: {error}") from None
    if not workloads:
        raise ConfigurationError(
            f"{source} has no pods that run", todo="Name another namespace with --namespace, or use --all-namespaces."
        )
    return tuple(workloads)
