"""From a manifest's plain data to the pod of the formulas.

Everything that the API server would refuse of what matters here is refused, with the path of the place and its text.
"""

from collections.abc import Iterator, Mapping, Sequence

from brqos.memoryqos.pod import Container, ContainerKind, Pod, QosClass, ResourceList, Resources, pod
from brqos.memoryqos.quantity import parse_nano, readable, whole

Path = tuple[str | int, ...]
"""Where something stands in a manifest: `("spec", "containers", 0, "resources", "limits", "memory")`."""

_LISTS = (
    ("initContainers", ContainerKind.INIT),
    ("containers", ContainerKind.APP),
    ("ephemeralContainers", ContainerKind.EPHEMERAL),
)


class ObjectError(ValueError):
    """Something in a manifest is not what the API server takes; `path` is where."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{dotted(path)}: {why}")
        self.path = path
        self.why = why


def dotted(path: Path) -> str:
    """`spec.containers[0].resources.limits.memory`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.lstrip(".") or "the object"


def pod_of(manifest: Mapping[str, object], *, at: Path = (), name: str | None = None, namespace: str = "") -> Pod:
    """A pod from its manifest (as YAML or the API gives it), or from a pod template.

    `at` is where the manifest stands in its document, for errors. `name` and `namespace` stand in for what a template's
    metadata lack. Raises ObjectError. Sizes that are being changed in place are taken as wanted (`spec`), not as given.
    """
    metadata = mapping(manifest.get("metadata"), (*at, "metadata"))
    spec = mapping(manifest.get("spec"), (*at, "spec"))
    status = mapping(manifest.get("status"), (*at, "status"))
    own = mapping(spec.get("resources"), (*at, "spec", "resources")) or None
    overhead = resource_list(spec.get("overhead"), (*at, "spec", "overhead"))
    containers = list(_containers(spec, (*at, "spec")))
    if not containers:
        raise ObjectError((*at, "spec", "containers"), "a pod needs at least one container")
    uid, qos = metadata.get("uid"), status.get("qosClass")
    return pod(
        text(metadata.get("namespace"), (*at, "metadata", "namespace")) or namespace,
        name or text(metadata.get("name"), (*at, "metadata", "name")) or "",
        containers,
        resources=resources_of(own, (*at, "spec", "resources")) if own else None,
        overhead=overhead,
        uid=uid if isinstance(uid, str) else None,
        status_qos=QosClass(qos) if qos in {each.value for each in QosClass} else None,
    )


def _containers(spec: Mapping[str, object], at: Path) -> Iterator[Container]:
    for key, kind in _LISTS:
        for number, item in enumerate(sequence(spec.get(key), (*at, key))):
            place = (*at, key, number)
            container = mapping(item, place)
            name = text(container.get("name"), (*place, "name"))
            if not name:
                raise ObjectError((*place, "name"), "a container needs a name")
            given = mapping(container.get("resources"), (*place, "resources"))
            # The API server refuses resources of an ephemeral container; they belong to the pod that it is put into.
            resources = Resources() if kind is ContainerKind.EPHEMERAL else resources_of(given, (*place, "resources"))
            sidecar = kind is ContainerKind.INIT and container.get("restartPolicy") == "Always"
            yield Container(name, ContainerKind.SIDECAR if sidecar else kind, resources)


def resources_of(resources: Mapping[str, object], at: Path) -> Resources:
    """Requests and limits of a `resources` block, not defaulted; raises ObjectError, also for request above limit."""
    if not resources:
        return Resources()
    requests = resource_list(resources.get("requests"), (*at, "requests"))
    limits = resource_list(resources.get("limits"), (*at, "limits"))
    for name, request in requests.items():
        limit = limits.get(name)
        if limit is not None and request > limit:
            above = f"the {name} request {_shown(name, request)} is above the limit {_shown(name, limit)}"
            raise ObjectError((*at, "requests", name), above)
    return Resources(requests, limits)


def _shown(name: str, nano: int) -> str:
    return readable(whole(nano)) if name == "memory" else f"{nano / 10**9:g}"


def resource_list(value: object, at: Path) -> ResourceList:
    """A list of resources; of the names that are not needed here only the notation of the amounts is checked."""
    found = mapping(value, at)
    return {name: quantity(amount, (*at, name)) for name, amount in found.items() if amount is not None}


def quantity(value: object, at: Path) -> int:
    """An amount in nano-units; raises ObjectError where it is none, or negative."""
    if isinstance(value, str):
        written = value
    elif isinstance(value, bool) or not isinstance(value, int | float):
        raise ObjectError(at, f"{_kind(value)} is not an amount")
    else:
        written = repr(value)
    nano = parse_nano(written)
    if nano is None:
        raise ObjectError(at, f"“{written}” is not an amount in Kubernetes' notation")
    if nano < 0:
        raise ObjectError(at, f"“{written}” is negative")
    return nano


def mapping(value: object, at: Path) -> Mapping[str, object]:
    """The value, or an empty mapping for nothing; raises ObjectError for anything else."""
    if isinstance(value, dict):
        return value
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ObjectError(at, f"{_kind(value)} stands where a mapping belongs")
    return value


def sequence(value: object, at: Path) -> Sequence[object]:
    """The value, or an empty list for nothing; raises ObjectError for anything else."""
    if value is None:
        return ()
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise ObjectError(at, f"{_kind(value)} stands where a list belongs")
    return value


def text(value: object, at: Path) -> str | None:
    """The text, or None for nothing; raises ObjectError for anything else."""
    if value is None or isinstance(value, str):
        return value
    raise ObjectError(at, f"{_kind(value)} stands where a text belongs; put it in quotes")


def _kind(value: object) -> str:
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    return f"“{value}”"
