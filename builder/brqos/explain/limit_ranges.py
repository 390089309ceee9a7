"""LimitRanges in the input, applied as the API server's admission does.

kubernetes, pkg/apis/core/v1/defaults.go (SetDefaults_LimitRangeItem), plugin/pkg/admission/limitranger/admission.go.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from brqos.memoryqos.objects import Path, mapping, resource_list, sequence, text
from brqos.memoryqos.pod import Container, ContainerKind, Pod, ResourceList, Resources
from brqos.memoryqos.quantity import readable, whole


@dataclass(frozen=True, slots=True)
class ContainerLimits:
    """What a namespace's LimitRanges say of containers, the defaults filled in."""

    default: ResourceList
    default_request: ResourceList
    least: ResourceList
    most: ResourceList


def limit_range_of(manifest: Mapping[str, object], at: Path = ()) -> ContainerLimits:
    """The limits of type Container of one LimitRange; raises ObjectError."""
    default: dict[str, int] = {}
    request: dict[str, int] = {}
    least: dict[str, int] = {}
    most: dict[str, int] = {}
    spec = mapping(manifest.get("spec"), (*at, "spec"))
    for number, item in enumerate(sequence(spec.get("limits"), (*at, "spec", "limits"))):
        place = (*at, "spec", "limits", number)
        entry = mapping(item, place)
        if text(entry.get("type"), (*place, "type")) != "Container":
            continue
        own_most = resource_list(entry.get("max"), (*place, "max"))
        own_least = resource_list(entry.get("min"), (*place, "min"))
        own_default = {**own_most, **resource_list(entry.get("default"), (*place, "default"))}
        own_request = resource_list(entry.get("defaultRequest"), (*place, "defaultRequest"))
        default.update(own_default)
        request.update({**own_least, **own_default, **own_request})
        least.update(own_least)
        most.update(own_most)
    return ContainerLimits(default, request, least, most)


def merged(ranges: Iterable[ContainerLimits]) -> ContainerLimits:
    """Several LimitRanges of one namespace: what an earlier one gives, a later one does not change."""
    default: dict[str, int] = {}
    request: dict[str, int] = {}
    least: dict[str, int] = {}
    most: dict[str, int] = {}
    for each in ranges:
        default = {**each.default, **default}
        request = {**each.default_request, **request}
        for name, amount in each.least.items():
            least[name] = max(least.get(name, 0), amount)
        for name, amount in each.most.items():
            most[name] = min(most.get(name, amount), amount)
    return ContainerLimits(default, request, least, most)


def applied(limits: ContainerLimits, pod: Pod) -> Pod:
    """The pod with the defaults in its app, init and sidecar containers."""
    containers = tuple(_with_defaults(limits, each) for each in pod.containers)
    return Pod(pod.namespace, pod.name, containers, pod.resources, pod.overhead, pod.uid, pod.status_qos)


def _with_defaults(limits: ContainerLimits, container: Container) -> Container:
    if container.kind is ContainerKind.EPHEMERAL:
        return container
    # A limit without a request has become the request already, before admission.
    own = container.resources.defaulted()
    resources = Resources({**limits.default_request, **own.requests}, {**limits.default, **own.limits})
    return Container(container.name, container.kind, resources)


def refusals(limits: ContainerLimits, container: Container) -> list[str]:
    """Why the API server would refuse this container's memory under these limits."""
    if container.kind is ContainerKind.EPHEMERAL:
        return []
    own = container.resources
    request, limit = own.requests.get("memory"), own.limits.get("memory")
    found = []
    if request is not None and limit is not None and request > limit:
        found.append(
            f"the LimitRange makes the limit {_shown(limit)}, below the request {_shown(request)}: "
            "the API server refuses this pod"
        )
    least, most = limits.least.get("memory"), limits.most.get("memory")
    if least is not None and (request or 0) < least:
        found.append(f"the request is below the LimitRange's min {_shown(least)}: the API server refuses this pod")
    if most is not None and (limit or 0) > most:
        found.append(f"the limit is above the LimitRange's max {_shown(most)}: the API server refuses this pod")
    return found


def _shown(nano: int) -> str:
    return readable(whole(nano))
