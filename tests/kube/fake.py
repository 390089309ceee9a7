"""An API server on loopback for the real kubectl: nodes, pods, logs, events, configz, metrics, exec, and faults."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from kube.faults import Fault
from kube.kernel import Kernel, qos_class
from kube.stream import serve_exec

Object = dict[str, Any]
KUBELET_STARTED = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
_POD = re.compile(r"/api/v1/namespaces/(?P<ns>[^/]+)/pods(?:/(?P<name>[^/]+)(?:/(?P<sub>log|exec))?)?")
_NODE = re.compile(r"/api/v1/nodes(?:/(?P<name>[^/]+)(?:/proxy/(?P<proxy>.+))?)?")


@dataclass
class FakeNode:
    """A node: what the API says of it, what its kubelet says, and what its kernel does."""

    name: str = "node-1"
    kernel: Kernel = field(default_factory=Kernel)
    os_image: str = "Bottlerocket OS 1.50.0 (aws-k8s-1.29-memoryqos)"
    kubelet_version: str = "v1.29.15-eks-473151a"
    kernel_version: str = "6.1.141"
    runtime: str = "containerd://1.7.27+bottlerocket"
    labels: dict[str, str] = field(default_factory=dict)
    ready: bool = True
    configz: Object | None = None
    gate_metric: int | None = None
    provider_id: str = ""

    def object(self) -> Object:
        condition = {"type": "Ready", "status": "True" if self.ready else "Unknown"}
        if not self.ready:
            condition |= {"reason": "NodeStatusUnknown", "message": "Kubelet stopped posting node status."}
        allocatable = self.kernel.allocatable - 100 * 2**20
        return {
            "kind": "Node",
            "apiVersion": "v1",
            "metadata": {"name": self.name, "labels": {"kubernetes.io/hostname": self.name, **self.labels}},
            "spec": {"providerID": self.provider_id} if self.provider_id else {},
            "status": {
                "capacity": {"cpu": "2", "memory": f"{8 * 2**20}Ki", "pods": "29"},
                "allocatable": {"cpu": "1930m", "memory": str(allocatable), "pods": "29"},
                "conditions": [{"type": "MemoryPressure", "status": "False"}, condition],
                "nodeInfo": {
                    "osImage": self.os_image,
                    "kubeletVersion": self.kubelet_version,
                    "kernelVersion": self.kernel_version,
                    "containerRuntimeVersion": self.runtime,
                    "operatingSystem": "linux",
                    "architecture": "amd64",
                },
            },
        }

    def kubelet_configuration(self) -> Object:
        if self.configz is not None:
            return self.configz
        found: Object = {
            "cgroupDriver": "systemd",
            "cgroupRoot": "/",
            "evictionHard": {"memory.available": "100Mi", "nodefs.available": "10%"},
            "enforceNodeAllocatable": ["pods"],
            "featureGates": {"MemoryQoS": True} if self.kernel.gate else {},
        }
        if self.kernel.factor is not None:
            found["memoryThrottlingFactor"] = self.kernel.factor
        if self.kernel.policy is not None:
            found["memoryReservationPolicy"] = self.kernel.policy
        return found

    def metrics(self) -> str:
        enabled = int(self.kernel.gate) if self.gate_metric is None else self.gate_metric
        stage = "BETA" if self.kernel.minor >= 37 else "ALPHA"
        return (
            "# HELP kubernetes_feature_enabled [BETA] This metric records the data about the stage\n"
            "# TYPE kubernetes_feature_enabled gauge\n"
            f'kubernetes_feature_enabled{{name="MemoryManager",stage="BETA"}} 1\n'
            f'kubernetes_feature_enabled{{name="MemoryQoS",stage="{stage}"}} {enabled}\n'
            f"process_start_time_seconds {KUBELET_STARTED.timestamp():.11e}\n"
        )


class FakeCluster:
    """The state of the cluster; a test changes it freely. `requests` are the `METHOD path` that came in."""

    def __init__(self) -> None:
        self.nodes: dict[str, FakeNode] = {}
        self.pods: dict[tuple[str, str], Object] = {}
        self.events: dict[str, list[Object]] = {}
        self.files: dict[tuple[str, str, str], dict[str, str]] = {}
        """What exec reads: (namespace, pod, container) -> file -> text."""
        self.execs: list[tuple[str, ...]] = []
        self.logs: dict[str, str] = {}
        self.faults: list[Fault] = []
        self.requests: list[str] = []
        self.created: list[Object] = []
        self.stuck: dict[str, Object] = {}
        """Name ending -> the containerStatuses' state that its pod never leaves."""
        self.failing: dict[str, Object] = {}
        """Name ending -> the status that its pod ends with."""
        self.seconds_to_end = 0.1
        self.page = 0
        self.lingers = False
        """Pods of nodes that are gone stay there until they are deleted by force."""
        self.on_request: Callable[[str], None] = lambda _request: None
        """Called with each `METHOD path` before it is answered: here a test changes the world in the middle."""
        self.allows: Callable[[str, str], bool] = lambda _method, _path: True
        self.lock = threading.RLock()

    def add(self, node: FakeNode) -> FakeNode:
        self.nodes[node.name] = node
        return node

    def left(self) -> list[str]:
        """The probe pods that are still there."""
        return [
            name
            for (_, name), pod in self.pods.items()
            if pod["metadata"].get("labels", {}).get("app.kubernetes.io/managed-by") == "brqos"
        ]

    def run(self, pod: Object) -> Object:
        """A pod as it stands after the time that has passed."""
        name, made = pod["metadata"]["name"], pod["metadata"].get("creationTimestamp", "")
        node = self.nodes.get(pod["spec"].get("nodeName", ""))
        ours = pod["metadata"].get("labels", {}).get("app.kubernetes.io/managed-by") == "brqos"
        if not ours or node is None or not node.ready:
            return pod
        container = pod["spec"]["containers"][0]["name"]
        for ending, state in self.stuck.items():
            if name.endswith(ending):
                pod["status"] |= {"containerStatuses": [{"name": container, "state": state}]}
                return pod
        for ending, status in self.failing.items():
            if name.endswith(ending):
                pod["status"] |= status
                return pod
        if datetime.now(UTC) - datetime.fromisoformat(made) >= timedelta(seconds=self.seconds_to_end):
            state = {"terminated": {"exitCode": 0, "reason": "Completed"}}
            pod["status"] |= {"phase": "Succeeded", "containerStatuses": [{"name": container, "state": state}]}
        return pod

    def log(self, pod: Object) -> str:
        name = pod["metadata"]["name"]
        for ending, text in self.logs.items():
            if name.endswith(ending):
                return text
        node = self.nodes[pod["spec"]["nodeName"]]
        if node.kernel.cgroup_version == 1:
            return "=== brqos-probe 1\n=== end\n"
        files = {
            "cgroup.controllers": "cpuset cpu io memory pids\n",
            **{file: f"{text}\n" for file, text in node.kernel.files(pod, pod["spec"]["containers"][0]).items()},
            "memory.events": "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\noom_group_kill 0\n",
            "memory.stat": "anon 65536\nfile 8192\nkernel 4096\n",
            "memory.pressure": "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
        }
        return "=== brqos-probe 1\n" + "".join(f"=== {file}\n{text}" for file, text in files.items()) + "=== end\n"


@contextmanager
def serving(cluster: FakeCluster, folder: Path) -> Iterator[Path]:
    """Serve the cluster; what is given is a kubeconfig for it, whose context works in the namespace `team`."""

    class Handler(_Handler):
        state = cluster

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "fake", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
        "users": [{"name": "tester", "user": {"token": "not-a-secret"}}],
        "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "tester", "namespace": "team"}}],
        "current-context": "fake",
    }
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(json.dumps(config))
    try:
        yield kubeconfig
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: FakeCluster

    def log_message(self, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def do_DELETE(self) -> None:
        self._serve("DELETE")

    def _serve(self, method: str) -> None:
        url = urlsplit(self.path)
        pairs = parse_qsl(url.query)
        body = self._body()
        with self.state.lock:
            self.state.requests.append(f"{method} {url.path}")
            self.state.on_request(f"{method} {url.path}")
            fault = next((fault for fault in self.state.faults if fault.takes(method, url.path)), None)
        try:
            if fault is not None and not self._spoil(fault):
                return
            if self.state.allows(method, url.path):
                self._answer(method, url.path, pairs, body)
            else:
                verb = {"GET": "get", "POST": "create", "DELETE": "delete"}[method]
                what = url.path.rpartition("/")[2]
                self._status(403, "Forbidden", f'{what} is forbidden: User "tester" cannot {verb} resource "{what}"')
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _spoil(self, fault: Fault) -> bool:
        """Do what the fault says; true where the right answer is to follow."""
        time.sleep(fault.delay)
        if fault.drop:
            self.close_connection = True
        elif fault.body is not None:
            self._send(fault.status or 200, fault.body, "application/json")
        elif fault.status:
            self._status(fault.status, fault.reason, fault.message)
        else:
            return True
        return False

    def _answer(self, method: str, path: str, pairs: list[tuple[str, str]], body: bytes) -> None:
        query = dict(pairs)
        if match := _POD.fullmatch(path):
            self._pods(method, match["ns"], match["name"], match["sub"], pairs, body)
        elif match := _NODE.fullmatch(path):
            self._node(match["name"], match["proxy"], query)
        elif path == "/api/v1/pods":
            self._list("PodList", list(self.state.pods.values()), query)
        elif match := re.fullmatch(r"/api/v1/namespaces/([^/]+)/events", path):
            name = re.search(r"involvedObject.name=([^,]+)", query.get("fieldSelector", ""))
            self._list("EventList", self.state.events.get(name[1] if name else "", []), {})
        elif (found := _DISCOVERY.get(path)) is not None:
            self._json(found)
        else:
            self._status(404, "NotFound", f"the server could not find the requested resource {path}")

    def _node(self, name: str | None, proxy: str | None, query: dict[str, str]) -> None:
        if name is None:
            self._list("NodeList", [node.object() for node in self.state.nodes.values()], query)
            return
        node = self.state.nodes.get(name)
        if node is None:
            self._status(404, "NotFound", f'nodes "{name}" not found')
        elif proxy is None:
            self._json(node.object())
        elif not node.ready:
            self._status(503, "ServiceUnavailable", "error trying to reach service: dial tcp 10.0.0.1: i/o timeout")
        elif proxy == "configz":
            self._json({"kubeletconfig": node.kubelet_configuration()})
        else:
            self._send(200, node.metrics(), "text/plain; version=0.0.4")

    def _pods(
        self, method: str, namespace: str, name: str | None, sub: str | None, pairs: list[tuple[str, str]], body: bytes
    ) -> None:
        query, key = dict(pairs), (namespace, name or "")
        if name is None:
            if method == "POST":
                self._create(namespace, json.loads(body))
            elif method == "DELETE":
                for key, pod in list(self.state.pods.items()):
                    if key[0] == namespace and _selected(pod, query):
                        self._forget(key, pod, query)
                self._list("PodList", [], {})
            else:
                pods = [self.state.run(pod) for (ns, _), pod in list(self.state.pods.items()) if ns == namespace]
                self._list("PodList", pods, query)
            return
        pod = self.state.pods.get(key)
        if pod is None:
            self._status(404, "NotFound", f'pods "{name}" not found')
        elif method == "DELETE":
            self._delete(key, pod, query)
        elif sub == "log":
            self._log(pod)
        elif sub == "exec":
            command = [value for word, value in pairs if word == "command"]
            self.state.execs.append((namespace, name, *command))
            serve_exec(self, self.state.files.get((*key, query.get("container", ""))), command)
        else:
            self._json({"kind": "Pod", "apiVersion": "v1", **self.state.run(pod)})

    def _create(self, namespace: str, pod: Object) -> None:
        name = pod["metadata"]["name"]
        if (namespace, name) in self.state.pods:
            self._status(409, "AlreadyExists", f'pods "{name}" already exists')
            return
        pod["metadata"] |= {
            "namespace": namespace,
            "uid": f"{len(self.state.created):08d}-0000-0000-0000-000000000000",
            "creationTimestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        }
        pod["status"] = {"phase": "Pending", "qosClass": qos_class(pod)}
        self.state.pods[namespace, name] = pod
        self.state.created.append(json.loads(json.dumps(pod)))
        self._json(pod, 201)

    def _delete(self, key: tuple[str, str], pod: Object, query: dict[str, str]) -> None:
        self._forget(key, pod, query)
        self._json(pod)

    def _forget(self, key: tuple[str, str], pod: Object, query: dict[str, str]) -> None:
        node = self.state.nodes.get(pod["spec"].get("nodeName", ""))
        alive = node is not None and node.ready
        if alive or not self.state.lingers or query.get("gracePeriodSeconds") == "0":
            self.state.pods.pop(key, None)
        else:
            pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"

    def _log(self, pod: Object) -> None:
        node = self.state.nodes.get(pod["spec"]["nodeName"])
        if node is None or not node.ready:
            self._status(500, "InternalError", 'Get "https://10.0.0.1:10250/": dial tcp 10.0.0.1:10250: i/o timeout')
        else:
            self._send(200, self.state.log(pod), "text/plain")

    def _list(self, kind: str, items: list[Object], query: dict[str, str]) -> None:
        items = [item for item in items if _selected(item, query)]
        metadata = {"resourceVersion": "1"}
        if self.state.page:
            start = int(query.get("continue") or 0)
            if start + self.state.page < len(items):
                metadata["continue"] = str(start + self.state.page)
            items = items[start : start + self.state.page]
        self._json({"kind": kind, "apiVersion": "v1", "metadata": metadata, "items": items or None})

    def _status(self, code: int, reason: str, message: str) -> None:
        status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": message}
        self._json({**status, "code": code}, code)

    def _json(self, value: Object, code: int = 200) -> None:
        self._send(code, json.dumps(value), "application/json")

    def _send(self, code: int, text: str, kind: str) -> None:
        body = text.encode()
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _selected(item: Object, query: dict[str, str]) -> bool:
    labels = item["metadata"].get("labels", {})
    for part in filter(None, query.get("labelSelector", "").split(",")):
        key, _, value = part.partition("=")
        if labels.get(key) != value:
            return False
    if match := re.search(r"spec\.nodeName=([^,]+)", query.get("fieldSelector", "")):
        return bool(item["spec"].get("nodeName") == match[1])
    return True


_DISCOVERY: dict[str, Object] = {
    "/version": {"major": "1", "minor": "32", "gitVersion": "v1.32.9-eks-473151a"},
    "/api": {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
    "/api/v1": {
        "kind": "APIResourceList",
        "groupVersion": "v1",
        "resources": [
            {"name": "pods", "singularName": "pod", "namespaced": True, "kind": "Pod", "verbs": ["get", "list"]},
            {
                "name": "pods/exec",
                "singularName": "",
                "namespaced": True,
                "kind": "PodExecOptions",
                "verbs": ["create"],
            },
            {"name": "nodes", "singularName": "node", "namespaced": False, "kind": "Node", "verbs": ["get", "list"]},
        ],
    },
}
