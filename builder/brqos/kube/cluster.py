"""The questions that are asked of a cluster, by their names."""

from typing import Any
from urllib.parse import quote

from brqos.kube.kubectl import Kubectl
from brqos.kube.refusals import garbled


def node(kubectl: Kubectl, name: str) -> dict[str, Any]:
    """One v1.Node."""
    return kubectl.get(f"/api/v1/nodes/{quote(name)}")


def nodes(kubectl: Kubectl, selector: str = "") -> list[dict[str, Any]]:
    """The nodes that a label selector picks; all without one."""
    return kubectl.items("/api/v1/nodes", **({"labelSelector": selector} if selector else {}))


def pods_on(kubectl: Kubectl, node_name: str) -> list[dict[str, Any]]:
    """The pods of a node, of all namespaces; needs `list` on pods in the whole cluster."""
    return kubectl.items("/api/v1/pods", fieldSelector=f"spec.nodeName={node_name}")


def pods_in(kubectl: Kubectl, namespace: str | None, selector: str = "") -> list[dict[str, Any]]:
    """The pods of a namespace, or of all of them (None)."""
    path = "/api/v1/pods" if namespace is None else pods_path(namespace)
    return kubectl.items(path, **({"labelSelector": selector} if selector else {}))


def limit_ranges(kubectl: Kubectl, namespace: str) -> list[dict[str, Any]]:
    """The LimitRanges of a namespace."""
    return kubectl.items(f"/api/v1/namespaces/{quote(namespace)}/limitranges")


def configz(kubectl: Kubectl, node_name: str) -> dict[str, Any]:
    """The kubelet's running configuration, a KubeletConfiguration in camelCase; needs `get` on nodes/proxy."""
    path = f"/api/v1/nodes/{quote(node_name)}/proxy/configz"
    found = kubectl.get(path).get("kubeletconfig")
    if not isinstance(found, dict):
        raise garbled(f"GET {path}", "It holds no “kubeletconfig”.")
    return found


def metrics(kubectl: Kubectl, node_name: str) -> str:
    """The kubelet's own metrics in Prometheus' text format; needs `get` on nodes/proxy."""
    return kubectl.text(f"/api/v1/nodes/{quote(node_name)}/proxy/metrics")


def events_of(kubectl: Kubectl, namespace: str, pod: str) -> list[dict[str, Any]]:
    """The events about a pod, oldest first."""
    path = f"/api/v1/namespaces/{quote(namespace)}/events"
    found = kubectl.items(path, fieldSelector=f"involvedObject.kind=Pod,involvedObject.name={pod}")
    return sorted(found, key=lambda event: str(event.get("lastTimestamp") or event.get("eventTime") or ""))


def log_of(kubectl: Kubectl, namespace: str, pod: str, container: str) -> str:
    """All that a container printed."""
    return kubectl.text(f"{pods_path(namespace)}/{quote(pod)}/log", container=container)


def pods_path(namespace: str) -> str:
    """Where the pods of a namespace are."""
    return f"/api/v1/namespaces/{quote(namespace)}/pods"
