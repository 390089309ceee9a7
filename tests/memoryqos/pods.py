"""Pods for the tests, in few words."""

from collections.abc import Mapping

from brqos.memoryqos.objects import resource_list
from brqos.memoryqos.pod import Container, ContainerKind, Pod, Resources, pod


def amounts(**texts: str) -> Mapping[str, int]:
    return resource_list(dict(texts), ())


def resources(request: str | None = None, limit: str | None = None, cpu: str | None = None) -> Resources:
    """Memory as given; `cpu` is request and limit."""
    requests = {"memory": request} if request else {}
    limits = {"memory": limit} if limit else {}
    if cpu:
        requests["cpu"] = limits["cpu"] = cpu
    return Resources(resource_list(requests, ()), resource_list(limits, ()))


def container(
    request: str | None = None,
    limit: str | None = None,
    cpu: str | None = None,
    kind: ContainerKind = ContainerKind.APP,
    name: str = "app",
) -> Container:
    return Container(name, kind, resources(request, limit, cpu))


def one(request: str | None = None, limit: str | None = None, cpu: str | None = None) -> Pod:
    """A pod with one container."""
    return pod("default", "one", [container(request, limit, cpu)])
