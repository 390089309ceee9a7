"""From documents to the pods that they make: workload kinds, replicas, LimitRanges."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from brqos.errors import ConfigurationError
from brqos.explain.documents import Document
from brqos.explain.limit_ranges import ContainerLimits, applied, limit_range_of, merged, refusals
from brqos.memoryqos.objects import ObjectError, Path, dotted, mapping, pod_of, sequence, text
from brqos.memoryqos.pod import Pod

DEFAULT_NAMESPACE = "default"

# Where each kind keeps its pod template, and how many pods it asks for.
_TEMPLATES: Mapping[str, tuple[Path, Path | None]] = {
    "Deployment": (("spec", "template"), ("spec", "replicas")),
    "StatefulSet": (("spec", "template"), ("spec", "replicas")),
    "ReplicaSet": (("spec", "template"), ("spec", "replicas")),
    "ReplicationController": (("spec", "template"), ("spec", "replicas")),
    "DaemonSet": (("spec", "template"), None),
    "Job": (("spec", "template"), ("spec", "parallelism")),
    "CronJob": (("spec", "jobTemplate", "spec", "template"), ("spec", "jobTemplate", "spec", "parallelism")),
    "PodTemplate": (("template",), None),
}


@dataclass(frozen=True, slots=True)
class Workload:
    """A pod, the kind of object that makes it, and how many of it there are.

    `remarks` are by container name what the API server would object to.
    """

    kind: str
    pod: Pod
    replicas: int = 1
    remarks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Workloads:
    """All of the input; `passed_over` counts the objects of kinds that make no pods."""

    items: tuple[Workload, ...]
    passed_over: Mapping[str, int]


def workloads_of(documents: Iterable[Document], *, namespace: str | None = None) -> Workloads:
    """The workloads of documents, LimitRanges of the same namespace applied.

    `namespace` is taken where an object names none. Raises ConfigurationError with file, line and path for what the
    API server would refuse, and where there is no workload at all.
    """
    found: list[Workload] = []
    ranges: dict[str, list[ContainerLimits]] = {}
    passed_over: dict[str, int] = {}
    fallback = namespace or DEFAULT_NAMESPACE
    for document in documents:
        try:
            for kind, manifest, at in _objects(document.data, ()):
                if kind == "LimitRange":
                    where = _namespace_of(manifest, at) or fallback
                    ranges.setdefault(where, []).append(limit_range_of(manifest, at))
                elif (workload := _workload(kind, manifest, at, fallback)) is not None:
                    found.append(workload)
                else:
                    passed_over[kind] = passed_over.get(kind, 0) + 1
        except ObjectError as error:
            raise ConfigurationError(
                f"{document.place(error.path)}: {error.why}",
                why=f"At {dotted(error.path)}{_of_what(document)}.",
                todo="The API server would refuse it too; correct the manifest.",
            ) from None
    if not found:
        others = ", ".join(f"{count} x {kind}" for kind, count in sorted(passed_over.items()))
        raise ConfigurationError(
            "the input has no workload",
            why=f"It has only: {others}." if others else "It is empty.",
            todo=f"Give manifests of Pod, {', '.join(sorted(_TEMPLATES))} or List.",
        )
    limits = {name: merged(each) for name, each in ranges.items()}
    return Workloads(tuple(_limited(each, limits.get(each.pod.namespace)) for each in found), passed_over)


def _objects(data: object, at: Path) -> Iterator[tuple[str, Mapping[str, object], Path]]:
    manifest = mapping(data, at)
    kind = text(manifest.get("kind"), (*at, "kind"))
    if not kind:
        raise ObjectError(at, "this is no Kubernetes object: it has no “kind”")
    if kind == "List" or (kind.endswith("List") and isinstance(manifest.get("items"), list)):
        for number, item in enumerate(sequence(manifest.get("items"), (*at, "items"))):
            # A typed list (PodList) need not repeat the kind in every item.
            inner = mapping(item, (*at, "items", number))
            if kind != "List" and "kind" not in inner:
                inner = {**inner, "kind": kind.removesuffix("List")}
            yield from _objects(inner, (*at, "items", number))
        return
    yield kind, manifest, at


def _workload(kind: str, manifest: Mapping[str, object], at: Path, namespace: str) -> Workload | None:
    metadata = mapping(manifest.get("metadata"), (*at, "metadata"))
    name = text(metadata.get("name"), (*at, "metadata", "name"))
    if not name:
        prefix = text(metadata.get("generateName"), (*at, "metadata", "generateName"))
        name = f"{prefix}*" if prefix else None
    where = _namespace_of(manifest, at) or namespace
    if kind == "Pod":
        if not name:
            raise ObjectError((*at, "metadata"), "a pod needs a name")
        return Workload(kind, pod_of(manifest, at=at, name=name, namespace=where))
    if kind not in _TEMPLATES:
        return None
    if not name:
        raise ObjectError((*at, "metadata"), f"a {kind} needs a name")
    template_at, count_at = _TEMPLATES[kind]
    template, place = _walk(manifest, at, template_at)
    pod = pod_of(template, at=place, name=name, namespace=where)
    # The template's own namespace says nothing: its pods are made where their owner is.
    return Workload(kind, replace(pod, namespace=where, uid=None, status_qos=None), _count(manifest, at, count_at))


def _walk(manifest: Mapping[str, object], at: Path, path: Path) -> tuple[Mapping[str, object], Path]:
    for part in path:
        at = (*at, part)
        manifest = mapping(manifest.get(str(part)), at)
    return manifest, at


def _count(manifest: Mapping[str, object], at: Path, path: Path | None) -> int:
    if path is None:
        return 1
    parent, place = _walk(manifest, at, path[:-1])
    count = parent.get(str(path[-1]))
    if count is None:
        return 1
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise ObjectError((*place, path[-1]), f"“{count}” is not a number of pods")
    return count


def _namespace_of(manifest: Mapping[str, object], at: Path) -> str | None:
    metadata = mapping(manifest.get("metadata"), (*at, "metadata"))
    return text(metadata.get("namespace"), (*at, "metadata", "namespace"))


def _limited(workload: Workload, limits: ContainerLimits | None) -> Workload:
    # A pod with a uid comes from an API server, which has applied its LimitRanges already.
    if limits is None or workload.pod.uid is not None:
        return workload
    pod = applied(limits, workload.pod)
    remarks = {each.name: tuple(refusals(limits, each)) for each in pod.containers}
    return replace(workload, pod=pod, remarks={name: found for name, found in remarks.items() if found})


def _of_what(document: Document) -> str:
    data = document.data
    if not isinstance(data, Mapping) or not isinstance(data.get("kind"), str):
        return ""
    metadata = data.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    return f" of {data['kind']}" + (f" {name}" if isinstance(name, str) else "")
