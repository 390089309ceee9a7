"""The worked table: what each version makes of the same five pods, and values that were seen on nodes."""

import pytest

from brqos.memoryqos.container import predict_container
from brqos.memoryqos.kubelet import CgroupMemory, Kubelet, kubelet
from brqos.memoryqos.levels import Level, predict_levels
from brqos.memoryqos.pod import Pod, QosClass, qos_class
from brqos.memoryqos.settings import ReservationPolicy
from brqos.variant import KubernetesVersion
from memoryqos.pods import one

ALLOCATABLE = 7 * 2**30
MIB = 2**20

GUARANTEED = one("200Mi", "200Mi", cpu="1")
BURSTABLE = one("100Mi", "200Mi")
NO_LIMIT = one("100Mi")
BEST_EFFORT = one()
EQUAL_MEMORY = one("100Mi", "100Mi")
PODS = {"guaranteed": GUARANTEED, "burstable": BURSTABLE, "no limit": NO_LIMIT, "best effort": BEST_EFFORT}

Expected = tuple[int, int, int | str]  # min, low, high

OLD = ("1.22", "1.23", "1.24", "1.25", "1.26")
MIDDLE = tuple(f"1.{minor}" for minor in range(27, 36))


def node(version: str, factor: float | None = None, policy: ReservationPolicy | None = None) -> Kubelet:
    return kubelet(
        KubernetesVersion.parse(version), allocatable=ALLOCATABLE, throttling_factor=factor, reservation_policy=policy
    )


def families() -> list[tuple[Kubelet, dict[str, Expected]]]:
    hundred, two = 100 * MIB, 200 * MIB
    rows: list[tuple[Kubelet, dict[str, Expected]]] = []
    for version in OLD:
        rows.append(
            (
                node(version, 0.8),
                {
                    "guaranteed": (two, 0, "max"),
                    "burstable": (hundred, 0, 167772160),
                    "no limit": (hundred, 0, 6012952576),
                    "best effort": (0, 0, 6012952576),
                    "equal memory": (hundred, 0, "max"),
                },
            )
        )
    for version in MIDDLE:
        rows.append(
            (
                node(version, 0.9),
                {
                    "guaranteed": (two, 0, "max"),
                    "burstable": (hundred, 0, 199229440),
                    "no limit": (hundred, 0, 6775058432),
                    "best effort": (0, 0, "max"),
                    "equal memory": (hundred, 0, "max"),
                },
            )
        )
    rows.append(
        (
            node("1.36", 0.9, "None"),
            {
                "guaranteed": (0, 0, "max"),
                "burstable": (0, 0, 199229440),
                "no limit": (0, 0, 6775058432),
                "best effort": (0, 0, "max"),
                "equal memory": (0, 0, "max"),
            },
        )
    )
    rows.append(
        (
            node("1.36", 0.9, "TieredReservation"),
            {
                "guaranteed": (two, 0, "max"),
                "burstable": (0, hundred, 199229440),
                "no limit": (0, hundred, 6775058432),
                "best effort": (0, 0, "max"),
                "equal memory": (0, hundred, "max"),
            },
        )
    )
    rows.append((node("1.37"), dict.fromkeys([*PODS, "equal memory"], (0, 0, "max"))))
    rows.append(
        (
            node("1.37", 0.9, "TieredReservation"),
            {
                "guaranteed": (two, 0, "max"),
                "burstable": (0, hundred, 199229440),
                "no limit": (0, hundred, 6775058432),
                "best effort": (0, 0, 6764572672),
                "equal memory": (0, hundred, "max"),
            },
        )
    )
    return rows


CASES = [(each, name, values) for each, row in families() for name, values in row.items()]


def case_name(value: object) -> str:
    if isinstance(value, Kubelet):
        return f"{value.kubernetes}-{value.reservation_policy}-{value.throttling_factor}"
    return str(value)


@pytest.mark.parametrize(("kubelet", "name", "expected"), CASES, ids=case_name)
def test_the_worked_table(kubelet: Kubelet, name: str, expected: Expected) -> None:
    pod = {**PODS, "equal memory": EQUAL_MEMORY}[name]
    limit = pod.containers[0].resources.memory_limit or "max"
    found = predict_container(kubelet, pod, pod.containers[0]).memory
    assert found == CgroupMemory(*expected, max=limit)


@pytest.mark.parametrize(
    ("pod", "qos"),
    [
        (GUARANTEED, QosClass.GUARANTEED),
        (BURSTABLE, QosClass.BURSTABLE),
        (NO_LIMIT, QosClass.BURSTABLE),
        (BEST_EFFORT, QosClass.BEST_EFFORT),
        (EQUAL_MEMORY, QosClass.BURSTABLE),
    ],
)
def test_the_classes_of_the_table(pod: Pod, qos: QosClass) -> None:
    assert qos_class(pod, KubernetesVersion(1, 29)) is qos


def test_old_versions_write_a_value_that_reads_back_otherwise() -> None:
    why = predict_container(node("1.26", 0.8), NO_LIMIT, NO_LIMIT.containers[0]).why
    assert "6012954214, reads 6012952576" in why


@pytest.mark.parametrize(
    ("request_", "limit", "allocatable", "high"),
    [
        ("64Mi", "128Mi", ALLOCATABLE, 127504384),
        ("256Mi", "512Mi", ALLOCATABLE, 510025728),
        ("1Gi", "4Gi", ALLOCATABLE, 3972841472),
        ("100Mi", None, ALLOCATABLE + 100 * MIB, 6869430272),
    ],
)
def test_values_seen_on_nodes(request_: str, limit: str | None, allocatable: int, high: int) -> None:
    one_node = kubelet(KubernetesVersion(1, 34), allocatable=allocatable, throttling_factor=0.9)
    pod = one(request_, limit)
    assert predict_container(one_node, pod, pod.containers[0]).memory.high == high


def test_the_eviction_threshold_counts_for_best_effort_on_1_37() -> None:
    one_node = kubelet(KubernetesVersion(1, 37), allocatable=ALLOCATABLE + 100 * MIB, throttling_factor=0.9)
    assert predict_container(one_node, BEST_EFFORT, BEST_EFFORT.containers[0]).memory.high == 6858944512


def test_a_factor_of_1_puts_high_at_the_limit() -> None:
    assert predict_container(node("1.29", 1.0), BURSTABLE, BURSTABLE.containers[0]).memory.high == 200 * MIB


def test_float64_in_the_written_order_not_exact_arithmetic() -> None:
    pod = one(None, None)
    nothing = one("0", "45Mi")
    found = predict_container(node("1.29", 0.7), nothing, nothing.containers[0]).memory
    assert found.high == 33026048
    assert predict_container(node("1.29", 0.7), pod, pod.containers[0]).memory.high == "max"


@pytest.mark.parametrize(
    ("one_node", "kubepods", "burstable"),
    [
        (node("1.26"), CgroupMemory(min=419430400, max=ALLOCATABLE), CgroupMemory(min=209715200)),
        (node("1.35"), CgroupMemory(min=419430400, max=ALLOCATABLE), CgroupMemory(min=209715200)),
        (node("1.36"), CgroupMemory(max=ALLOCATABLE), CgroupMemory()),
        (
            node("1.36", policy="TieredReservation"),
            CgroupMemory(min=419430400, max=ALLOCATABLE),
            CgroupMemory(low=209715200),
        ),
        # From 1.37 kubepods has the sum of the Burstable pods as memory.low too (qos_container_manager_linux.go).
        (
            node("1.37", policy="TieredReservation"),
            CgroupMemory(min=419430400, low=209715200, max=ALLOCATABLE),
            CgroupMemory(low=209715200),
        ),
    ],
    ids=case_name,
)
def test_the_levels_with_the_first_four_pods(
    one_node: Kubelet, kubepods: CgroupMemory, burstable: CgroupMemory
) -> None:
    assert predict_levels(one_node, PODS.values()) == {
        Level.KUBEPODS: kubepods,
        Level.BURSTABLE: burstable,
        Level.BEST_EFFORT: CgroupMemory(),
    }


def test_without_enforcement_kubepods_has_no_limit() -> None:
    assert predict_levels(node("1.29"), [], enforces_pods=False)[Level.KUBEPODS] == CgroupMemory()


@pytest.mark.parametrize("version", ["1.22", "1.29", "1.36", "1.37"])
@pytest.mark.parametrize("pod", [*PODS.values(), EQUAL_MEMORY])
def test_with_the_gate_off_only_the_limit_is_left(version: str, pod: Pod) -> None:
    off = kubelet(KubernetesVersion.parse(version), allocatable=ALLOCATABLE, gate=False)
    found = predict_container(off, pod, pod.containers[0])
    assert found.memory == CgroupMemory(max=pod.containers[0].resources.memory_limit or "max")
    assert "gate MemoryQoS is off" in found.why
