"""The formulas against exact rational arithmetic, and their order."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from brqos.memoryqos.container import predict_container
from brqos.memoryqos.kubelet import PAGE, CgroupMemory, kubelet
from brqos.memoryqos.pod import Container, ContainerKind, Resources, pod, qos_class
from brqos.memoryqos.quantity import NANO
from brqos.memoryqos.throttling import on_the_way, share_of
from brqos.variant import KubernetesVersion

SIZES = st.integers(0, 2**45)
FACTORS = st.one_of(
    st.sampled_from([0.1, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0]), st.floats(0, 1, exclude_min=True, allow_subnormal=False)
)
VERSIONS = st.integers(22, 38).map(lambda minor: KubernetesVersion(1, minor))


@given(SIZES, SIZES, FACTORS)
def test_within_one_page_of_exact_arithmetic(one: int, other: int, factor: float) -> None:
    request, ceiling = sorted((one, other))
    exact = Fraction(request) + (ceiling - request) * Fraction(factor)
    found = on_the_way(request, ceiling, factor)
    assert found % PAGE == 0
    assert abs(found - exact // PAGE * PAGE) <= PAGE
    assert exact - 2 * PAGE < found <= exact + PAGE


@given(SIZES, FACTORS)
def test_the_old_formula_is_within_a_byte_of_exact_arithmetic(ceiling: int, factor: float) -> None:
    assert abs(share_of(ceiling, factor) - Fraction(ceiling) * Fraction(factor)) <= 1


@given(SIZES, SIZES, SIZES, FACTORS)
def test_more_limit_never_means_less_high(request: int, limit: int, more: int, factor: float) -> None:
    ceiling = request + limit
    assert on_the_way(request, ceiling, factor) <= on_the_way(request, ceiling + more, factor)
    assert share_of(ceiling, factor) <= share_of(ceiling + more, factor)


@given(SIZES, SIZES, FACTORS, FACTORS)
def test_a_larger_factor_never_means_less_high(request: int, limit: int, one: float, other: float) -> None:
    less, more = sorted((one, other))
    assert on_the_way(request, request + limit, less) <= on_the_way(request, request + limit, more)


@given(st.integers(0, 2**40), st.integers(1, 2**40), st.integers(0, 2**30), FACTORS)
def test_more_request_never_means_much_less_high(request: int, room: int, more: int, factor: float) -> None:
    """Exactly it is monotone in the request too; two roundings may cost a page."""
    limit = request + more + room
    assert on_the_way(request, limit, factor) <= on_the_way(request + more, limit, factor) + PAGE


@given(st.integers(0, 2**29), st.integers(0, 2**29), st.sampled_from([0.5, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.99]))
def test_rounding_once_as_on_arm64_gives_the_same(request: int, room: int, factor: float) -> None:
    request, limit = request * 2**16, (request + room) * 2**16
    assert on_the_way(request, limit, factor) == on_the_way(request, limit, factor, fused=True)


@given(
    VERSIONS,
    st.sampled_from(["None", "TieredReservation"]),
    st.none() | FACTORS,
    st.integers(2**24, 2**43),
    st.none() | st.integers(0, 2**41),
    st.none() | st.integers(0, 2**41),
    st.booleans(),
    st.booleans(),
)
def test_the_values_are_always_in_order(
    version: KubernetesVersion,
    policy: str,
    factor: float | None,
    allocatable: int,
    request: int | None,
    limit: int | None,
    gate: bool,
    guaranteed: bool,
) -> None:
    """Never min or low above max, never high at or below the request or above the ceiling, all whole pages."""
    if request is not None and limit is not None:
        request, limit = sorted((request, limit))
    tiers = "TieredReservation" if policy == "TieredReservation" and version >= KubernetesVersion(1, 36) else None
    one = kubelet(version, allocatable=allocatable, gate=gate, throttling_factor=factor, reservation_policy=tiers)  # type: ignore[arg-type]
    requests = {} if request is None else {"memory": request * NANO}
    limits = {} if limit is None else {"memory": limit * NANO}
    if guaranteed:
        requests["cpu"] = limits["cpu"] = NANO
    its_pod = pod("default", "one", [Container("app", ContainerKind.APP, Resources(requests, limits))])
    memory = predict_container(one, its_pod, its_pod.containers[0]).memory
    _in_order(memory, its_pod.containers[0].resources)
    assert not (memory.min and memory.low)
    if not gate:
        assert (memory.min, memory.low, memory.high) == (0, 0, "max")
    assert qos_class(its_pod, version)


def _in_order(memory: CgroupMemory, resources: Resources) -> None:
    for amount in (memory.min, memory.low, memory.high, memory.max):
        assert amount == "max" or amount % PAGE == 0
    if memory.max != "max":
        assert memory.min <= memory.max
        assert memory.low <= memory.max
        assert memory.high == "max" or memory.high <= memory.max
    if memory.high != "max":
        assert memory.high >= resources.memory_request // PAGE * PAGE
        assert memory.high >= max(memory.min, memory.low)
