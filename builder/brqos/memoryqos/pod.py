"""A pod as the formulas see it: containers with requests and limits, after the API server's defaulting."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from brqos.memoryqos.kubelet import FIRST_WITH_POD_RESOURCES, FIRST_WITH_SIDECARS
from brqos.memoryqos.quantity import whole
from brqos.memoryqos.settings import FIRST_BETWEEN_REQUEST_AND_LIMIT, FIRST_ON_BY_DEFAULT
from brqos.variant import KubernetesVersion

ResourceList = Mapping[str, int]
"""Resource name to amount in nano-units (see `quantity.parse_nano`); only `cpu` and `memory` matter here."""

_NOTHING: ResourceList = {}
COMPUTE = ("cpu", "memory")


class QosClass(StrEnum):
    """A pod's quality-of-service class, as `status.qosClass` has it."""

    GUARANTEED = "Guaranteed"
    BURSTABLE = "Burstable"
    BEST_EFFORT = "BestEffort"


class ContainerKind(StrEnum):
    """What a container is in its pod; a sidecar is an init container with `restartPolicy: Always`."""

    APP = "app"
    INIT = "init"
    SIDECAR = "sidecar"
    EPHEMERAL = "ephemeral"


@dataclass(frozen=True, slots=True)
class Resources:
    """Requests and limits in nano-units; an amount of 0 and one that is missing differ in defaulting only."""

    requests: ResourceList = field(default_factory=dict)
    limits: ResourceList = field(default_factory=dict)

    @property
    def memory_request(self) -> int:
        """In bytes; 0 where there is none."""
        return whole(self.requests.get("memory", 0))

    @property
    def memory_limit(self) -> int:
        """In bytes; 0 where there is none."""
        return whole(self.limits.get("memory", 0))

    def defaulted(self) -> "Resources":
        """As the API server stores it: a request that is missing becomes the limit (SetDefaults_Pod)."""
        if all(name in self.requests for name in self.limits):
            return self
        return Resources({**self.limits, **self.requests}, self.limits)


@dataclass(frozen=True, slots=True)
class Container:
    """One container of a pod."""

    name: str
    kind: ContainerKind = ContainerKind.APP
    resources: Resources = Resources()


@dataclass(frozen=True, slots=True)
class Pod:
    """One pod; make it with `brqos.memoryqos.objects.pod_of` from a manifest, or with `pod()`.

    `resources` are those of the pod itself (`spec.resources`), None where there are none. `uid` and `status_qos` are
    what the API server says of a living pod.
    """

    namespace: str
    name: str
    containers: tuple[Container, ...]
    resources: Resources | None = None
    overhead: ResourceList = field(default_factory=dict)
    uid: str | None = None
    status_qos: QosClass | None = None

    def own_resources(self, kubernetes: KubernetesVersion) -> Resources | None:
        """`spec.resources` where this version heeds them, else None (IsPodLevelResourcesSet)."""
        own = self.resources
        if own is None or kubernetes < FIRST_WITH_POD_RESOURCES:
            return None
        return own if any(_heeded(name) for name in (*own.requests, *own.limits)) else None


def _heeded(resource: str) -> bool:
    return resource in COMPUTE or resource.startswith("hugepages-")


def pod(
    namespace: str,
    name: str,
    containers: Iterable[Container],
    *,
    resources: Resources | None = None,
    overhead: ResourceList = _NOTHING,
    uid: str | None = None,
    status_qos: QosClass | None = None,
) -> Pod:
    """A pod after the API server's defaulting (SetDefaults_Pod, defaultPodRequests in pkg/apis/core/v1/defaults.go).

    A container's missing request becomes its limit. A pod's own missing request becomes the sum of its containers',
    where these have any, else its own limit.
    """
    defaulted = tuple(Container(each.name, each.kind, each.resources.defaulted()) for each in containers)
    if resources is not None and resources.limits:
        total = aggregate([(each.kind, each.resources.requests) for each in defaulted], FIRST_WITH_POD_RESOURCES)
        known = {key: value for key, value in total.items() if key in COMPUTE}
        resources = Resources({**resources.limits, **known, **resources.requests}, resources.limits)
    return Pod(namespace, name, defaulted, resources, overhead, uid, status_qos)


def qos_class(pod: Pod, kubernetes: KubernetesVersion) -> QosClass:
    """The class that the kubelet takes (pkg/apis/core/v1/helper/qos/qos.go: GetPodQOS).

    What the pod's status says, else computed from CPU and memory of all app, init and sidecar containers, or, where
    there are any that the version heeds, from the pod's own resources.
    """
    if pod.status_qos is not None:
        return pod.status_qos
    own = pod.own_resources(kubernetes)
    parts = [own] if own else [each.resources for each in pod.containers if each.kind is not ContainerKind.EPHEMERAL]
    classes = {_resource_class(resources, name) for resources in parts for name in COMPUTE}
    if not classes:
        return QosClass.BEST_EFFORT
    return classes.pop() if len(classes) == 1 else QosClass.BURSTABLE


def _resource_class(resources: Resources, name: str) -> QosClass:
    request, limit = resources.requests.get(name, 0), resources.limits.get(name, 0)
    if request != limit:
        return QosClass.BURSTABLE
    return QosClass.GUARANTEED if request else QosClass.BEST_EFFORT


def aggregate(parts: Iterable[tuple[ContainerKind, ResourceList]], kubernetes: KubernetesVersion) -> dict[str, int]:
    """The sum over a pod's containers: max(app + sidecars, peak while the init containers run).

    k8s.io/component-helpers/resource/helpers.go: aggregateContainerResourcesByFn (KEP-753). While an init container
    runs, the sidecars before it run too. Before 1.29 there are no sidecars: they count as init containers.
    """
    total: dict[str, int] = {}
    sidecars: dict[str, int] = {}
    peak: dict[str, int] = {}
    for kind, amounts in parts:
        if kind is ContainerKind.EPHEMERAL:
            continue
        if kind is ContainerKind.APP:
            _add(total, amounts)
        elif kind is ContainerKind.SIDECAR and kubernetes >= FIRST_WITH_SIDECARS:
            _add(total, amounts)
            _add(sidecars, amounts)
            _raise(peak, sidecars)
        else:
            running = dict(amounts)
            _add(running, sidecars)
            _raise(peak, running)
    _raise(total, peak)
    return total


def _add(total: dict[str, int], amounts: ResourceList) -> None:
    for name, amount in amounts.items():
        total[name] = total.get(name, 0) + amount


def _raise(total: dict[str, int], amounts: ResourceList) -> None:
    for name, amount in amounts.items():
        total[name] = max(total.get(name, 0), amount)


def pod_memory_request(pod: Pod, kubernetes: KubernetesVersion) -> int:
    """The pod's memory request in bytes, its overhead included (PodRequests)."""
    own = pod.own_resources(kubernetes)
    if own is not None and "memory" in own.requests:
        amount = own.requests["memory"]
    else:
        amount = aggregate([(c.kind, c.resources.requests) for c in pod.containers], kubernetes).get("memory", 0)
    return whole(amount + pod.overhead.get("memory", 0))


def pod_memory_limit(pod: Pod, kubernetes: KubernetesVersion) -> int:
    """The pod's memory limit in bytes, its overhead included; 0 where nothing has a limit (PodLimits)."""
    own = pod.own_resources(kubernetes)
    if own is not None and "memory" in own.limits:
        amount = own.limits["memory"]
    else:
        amount = aggregate([(c.kind, c.resources.limits) for c in pod.containers], kubernetes).get("memory", 0)
    return whole(amount + pod.overhead.get("memory", 0)) if amount else 0


def memory_limit_declared(pod: Pod, kubernetes: KubernetesVersion) -> bool:
    """Whether every container has a memory limit, or the pod itself has one (ResourceConfigForPod).

    Up to 1.26 only the app containers are asked, from 1.27 the init containers too. While there is a sidecar with a
    limit, 1.29 to 1.36 take that for the limit of every init container after it (PodLimits' ContainerFn).
    """
    own = pod.own_resources(kubernetes)
    if own is not None and own.limits.get("memory", 0):
        return True
    lends = FIRST_WITH_SIDECARS <= kubernetes < FIRST_ON_BY_DEFAULT
    lent = False
    for each in pod.containers:
        has_limit = bool(each.resources.limits.get("memory", 0))
        if each.kind is ContainerKind.EPHEMERAL:
            continue
        if each.kind is ContainerKind.APP:
            if not has_limit:
                return False
        elif kubernetes >= FIRST_BETWEEN_REQUEST_AND_LIMIT:
            lent = lent or (lends and each.kind is ContainerKind.SIDECAR and has_limit)
            if not (has_limit or lent):
                return False
    return True
