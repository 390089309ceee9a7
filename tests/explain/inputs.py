"""Workloads and nodes for the tests, in few words."""

from textwrap import dedent

from brqos.explain.documents import documents_of
from brqos.explain.node_memory import NodeMemory
from brqos.explain.result import Explanation, Node, explain
from brqos.explain.workloads import Workload, workloads_of
from brqos.memoryqos.kubelet import kubelet
from brqos.memoryqos.settings import ReservationPolicy
from brqos.variant import KubernetesVersion

ALLOCATABLE = 7 * 2**30

FOUR_PODS = """\
apiVersion: v1
kind: Pod
metadata: {name: guaranteed}
spec:
  containers:
  - name: app
    resources: {requests: {memory: 200Mi, cpu: 1}, limits: {memory: 200Mi, cpu: 1}}
---
apiVersion: v1
kind: Pod
metadata: {name: burstable}
spec:
  containers:
  - name: app
    resources: {requests: {memory: 100Mi}, limits: {memory: 200Mi}}
---
apiVersion: v1
kind: Pod
metadata: {name: no-limit}
spec:
  containers:
  - name: app
    resources: {requests: {memory: 100Mi}}
---
apiVersion: v1
kind: Pod
metadata: {name: best-effort}
spec:
  containers: [{name: app}]
"""


def workloads(text: str, namespace: str | None = None) -> tuple[Workload, ...]:
    return workloads_of(documents_of(dedent(text), "input.yaml"), namespace=namespace).items


def node(
    version: str = "1.29",
    *,
    factor: float | None = None,
    policy: ReservationPolicy | None = None,
    gate: bool = True,
    allocatable: int = ALLOCATABLE,
) -> Node:
    one = kubelet(
        KubernetesVersion.parse(version),
        allocatable=allocatable,
        gate=gate,
        throttling_factor=factor,
        reservation_policy=policy,
    )
    return Node(one, NodeMemory(allocatable, "given"), "the test")


def explained(text: str, where: Node | None = None) -> Explanation:
    return explain(workloads(text), where or node())


def deployment(resources: str, *, replicas: int = 1, name: str = "web") -> str:
    return dedent(
        f"""\
        apiVersion: apps/v1
        kind: Deployment
        metadata: {{name: {name}}}
        spec:
          replicas: {replicas}
          template:
            spec:
              containers:
              - name: app
                resources: {resources}
        """
    )
