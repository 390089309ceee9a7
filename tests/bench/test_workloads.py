"""The manifests that are measured are what they say."""

from bench.workloads import CONTAINERS, deployments
from brqos.explain.documents import documents_of
from brqos.explain.workloads import workloads_of


def test_there_are_as_many_containers_as_promised() -> None:
    found = workloads_of(documents_of("---\n".join(deployments()), "x")).items
    assert sum(len(each.pod.containers) for each in found) == CONTAINERS
    sizes = {tuple(each.resources.memory_limit for each in workload.pod.containers) for workload in found}
    assert len(sizes) > 500
