"""Classes, sums and defaulting of pods."""

import pytest

from brqos.memoryqos.container import predict_container
from brqos.memoryqos.kubelet import CgroupMemory, kubelet
from brqos.memoryqos.levels import Level, pod_memory, predict_levels, predict_pod
from brqos.memoryqos.pod import (
    Container,
    ContainerKind,
    Pod,
    QosClass,
    Resources,
    memory_limit_declared,
    pod,
    pod_memory_limit,
    pod_memory_request,
    qos_class,
)
from brqos.memoryqos.settings import ReservationPolicy
from brqos.variant import KubernetesVersion
from memoryqos.pods import amounts, container, one, resources

MIB = 2**20
V29 = KubernetesVersion(1, 29)
INIT, SIDECAR = ContainerKind.INIT, ContainerKind.SIDECAR


def node(minor: int, policy: ReservationPolicy | None = None, factor: float | None = None) -> object:
    return kubelet(
        KubernetesVersion(1, minor), allocatable=7 * 2**30, reservation_policy=policy, throttling_factor=factor
    )


def test_a_limit_alone_becomes_the_request() -> None:
    found = one(None, "200Mi").containers[0].resources
    assert (found.memory_request, found.memory_limit) == (200 * MIB, 200 * MIB)


def test_a_request_of_0_stays_0() -> None:
    assert one("0", "200Mi").containers[0].resources.memory_request == 0


@pytest.mark.parametrize(
    ("containers", "qos"),
    [
        ([container()], QosClass.BEST_EFFORT),
        ([container("1Gi", "1Gi", cpu="1")], QosClass.GUARANTEED),
        ([container("1Gi", "1Gi")], QosClass.BURSTABLE),
        ([container("1Gi", "1Gi", cpu="1"), container()], QosClass.BURSTABLE),
        ([container("1Gi", "1Gi", cpu="1"), container(kind=INIT)], QosClass.BURSTABLE),
        ([container("1Gi", "1Gi", cpu="1"), container("1Mi", "1Mi", cpu="1", kind=SIDECAR)], QosClass.GUARANTEED),
        ([container("1Gi", "1Gi", cpu="1"), container(kind=ContainerKind.EPHEMERAL)], QosClass.GUARANTEED),
        ([container("0", "0", cpu="0")], QosClass.BEST_EFFORT),
    ],
)
def test_the_class_comes_from_all_containers_but_ephemeral_ones(containers: list[Container], qos: QosClass) -> None:
    assert qos_class(pod("a", "b", containers), V29) is qos


def test_what_the_api_server_says_of_the_class_counts() -> None:
    assert qos_class(pod("a", "b", [container()], status_qos=QosClass.GUARANTEED), V29) is QosClass.GUARANTEED


@pytest.mark.parametrize(
    ("minor", "request_"),
    # Before 1.29 the sidecar is an init container, which is over when the app runs.
    [(28, 500), (29, 600)],
)
def test_sidecars_run_beside_the_app_and_later_init_containers(minor: int, request_: int) -> None:
    its = pod(
        "a",
        "b",
        [
            container("100Mi", kind=SIDECAR, name="proxy"),
            container("500Mi", kind=INIT, name="setup"),
            container("300Mi"),
        ],
    )
    assert pod_memory_request(its, KubernetesVersion(1, minor)) == request_ * MIB


def test_an_init_container_before_a_sidecar_runs_alone() -> None:
    its = pod("a", "b", [container("350Mi", kind=INIT), container("100Mi", kind=SIDECAR), container("300Mi")])
    assert pod_memory_request(its, V29) == 400 * MIB


def test_overhead_is_added_to_the_request_and_to_a_limit() -> None:
    its = pod("a", "b", [container("100Mi", "200Mi")], overhead=amounts(memory="64Mi"))
    assert pod_memory_request(its, V29) == 164 * MIB
    assert pod_memory_limit(its, V29) == 264 * MIB
    assert pod_memory_limit(pod("a", "b", [container("100Mi")], overhead=amounts(memory="64Mi")), V29) == 0


def test_sums_are_exact_and_only_then_whole() -> None:
    its = pod("a", "b", [container("500m", name="a"), container("500m", name="b")])
    assert pod_memory_request(its, V29) == 1


def test_a_limit_is_declared_only_where_every_container_has_one() -> None:
    its = pod("a", "b", [container("1Mi", "2Mi"), container(kind=INIT)])
    assert not memory_limit_declared(its, KubernetesVersion(1, 27))
    assert memory_limit_declared(its, KubernetesVersion(1, 26))


@pytest.mark.parametrize(("minor", "declared"), [(28, False), (29, True), (36, True), (37, False)])
def test_a_sidecars_limit_once_counted_for_the_init_containers_after_it(minor: int, declared: bool) -> None:
    sidecar = container("1Mi", "2Mi", kind=SIDECAR)
    version = KubernetesVersion(1, minor)
    app, setup = container("1Mi", "2Mi"), container(kind=INIT)
    assert memory_limit_declared(pod("a", "b", [sidecar, setup, app]), version) is declared
    assert not memory_limit_declared(pod("a", "b", [setup, sidecar, app]), version)


OWN = resources("500Mi", "1Gi", cpu="1")


@pytest.mark.parametrize(("minor", "qos", "request_"), [(33, QosClass.BEST_EFFORT, 0), (34, QosClass.BURSTABLE, 500)])
def test_resources_of_the_pod_count_from_1_34(minor: int, qos: QosClass, request_: int) -> None:
    its = pod("a", "b", [container()], resources=OWN)
    version = KubernetesVersion(1, minor)
    assert qos_class(its, version) is qos
    assert pod_memory_request(its, version) == request_ * MIB


def test_a_pods_missing_request_is_the_sum_of_its_containers() -> None:
    own = Resources({}, amounts(memory="1Gi"))
    assert pod_memory_request(pod("a", "b", [container("100Mi")], resources=own), KubernetesVersion(1, 34)) == 100 * MIB
    assert pod_memory_request(pod("a", "b", [container()], resources=own), KubernetesVersion(1, 34)) == 1024 * MIB


def test_a_container_without_limit_gets_the_pods_limit_from_1_34() -> None:
    its = pod("a", "b", [container("100Mi")], resources=OWN)
    for minor, expected in ((33, "max"), (34, 2**30), (36, 2**30), (37, 2**30)):
        assert predict_container(node(minor), its, its.containers[0]).memory.max == expected  # type: ignore[arg-type]


def test_on_1_37_the_pod_throttles_for_a_container_without_limit() -> None:
    its = pod("a", "b", [container("100Mi")], resources=OWN)
    old, new = node(36, factor=0.9), node(37, factor=0.9)
    assert predict_container(old, its, its.containers[0]).memory.high == 6775058432  # type: ignore[arg-type]
    assert predict_container(new, its, its.containers[0]).memory.high == "max"  # type: ignore[arg-type]
    assert predict_pod(old, its).memory.high == "max"  # type: ignore[arg-type]
    # floor((500Mi + (1Gi - 500Mi) * 0.9) / 4096) * 4096
    assert predict_pod(new, its).memory.high == 1018793984  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("its", "memory"),
    [
        (pod("a", "b", [container("1Gi", "1Gi", cpu="1")]), CgroupMemory(min=2**30, max=2**30)),
        (pod("a", "b", [container("100Mi", "200Mi")]), CgroupMemory(min=100 * MIB, max=200 * MIB)),
        (pod("a", "b", [container("100Mi", "200Mi"), container()]), CgroupMemory(min=100 * MIB)),
        (pod("a", "b", [container()]), CgroupMemory()),
    ],
)
def test_the_cgroup_of_a_pod_before_tiers(its: Pod, memory: CgroupMemory) -> None:
    assert predict_pod(node(35), its).memory == memory  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("its", "memory"),
    [
        (pod("a", "b", [container("1Gi", "1Gi", cpu="1")]), CgroupMemory(min=2**30, max=2**30)),
        (pod("a", "b", [container("100Mi", "200Mi")]), CgroupMemory(low=100 * MIB, max=200 * MIB)),
        # What is written for any pod with a request that is not Guaranteed; overhead is one.
        (pod("a", "b", [container()], overhead=amounts(memory="64Mi")), CgroupMemory(low=64 * MIB)),
    ],
)
def test_the_cgroup_of_a_pod_with_tiers(its: Pod, memory: CgroupMemory) -> None:
    assert predict_pod(node(36, "TieredReservation"), its).memory == memory  # type: ignore[arg-type]
    nothing = CgroupMemory(max=memory.max)
    assert predict_pod(node(36, "None"), its).memory == nothing  # type: ignore[arg-type]


def test_best_effort_pods_add_nothing_to_the_levels() -> None:
    its = pod("a", "b", [container()], overhead=amounts(memory="64Mi"))
    one_node = node(29)
    assert pod_memory(its, one_node).request == 64 * MIB  # type: ignore[arg-type]
    assert predict_levels(one_node, [its])[Level.KUBEPODS].min == 0  # type: ignore[arg-type]
