"""The tables and bars for people."""

import pytest

from brqos.explain import table
from brqos.explain.bars import bar, scale_of
from brqos.explain.compare import Side
from brqos.memoryqos.kubelet import CgroupMemory
from explain.inputs import FOUR_PODS, explained, node

HUNDRED = 100


@pytest.mark.parametrize(
    ("memory", "drawn"),
    [
        (CgroupMemory(min=40, high=80, max=100), "####----~~"),
        (CgroupMemory(low=40, high=80, max=100), "====----~~"),
        (CgroupMemory(min=20, max=50), "##---"),
        (CgroupMemory(min=50, max=50), "#####"),
        (CgroupMemory(), "--------->"),
        (CgroupMemory(high=50), "-----~~~~>"),
        (CgroupMemory(min=1, max=1), "#"),
        (CgroupMemory(min=200, max=300), "##########"),
    ],
)
def test_a_bar_shows_the_four_values(memory: CgroupMemory, drawn: str) -> None:
    assert bar(memory, HUNDRED, 10) == drawn


def test_the_scale_is_the_largest_limit_or_the_node() -> None:
    assert scale_of([CgroupMemory(max=10), CgroupMemory(max=30)], 100) == 30
    assert scale_of([CgroupMemory(max=10), CgroupMemory()], 100) == 100
    assert scale_of([CgroupMemory(max=500)], 100) == 100
    assert scale_of([], 100) == 100


def test_the_rows_of_the_containers() -> None:
    rows = table.container_rows(explained(FOUR_PODS), 14)
    assert rows[1] == ["default/burstable", "app", "Burstable", "100Mi", "-", "190Mi", "200Mi", "#"]
    assert rows[2][-1] == "#------------>"[: len(rows[2][-1])] or rows[2][-1].startswith("#")
    assert rows[3] == ["default/best-effort", "app", "BestEffort", "-", "-", "-", "-", "------------->"]


def test_the_headline_says_what_was_taken() -> None:
    first, second = table.headline(explained(FOUR_PODS, node("1.37")))
    assert first.startswith("Kubernetes 1.37, MemoryQoS on, memoryThrottlingFactor null, memoryReservationPolicy None")
    assert "7Gi (7516192768 bytes" in second


def test_levels_and_pods_name_their_cgroups() -> None:
    found = explained(FOUR_PODS)
    assert [row[0] for row in table.level_rows(found)] == ["kubepods", "burstable", "besteffort"]
    assert table.pod_rows(found)[0][-1].endswith("/kubepods.slice/kubepods-pod<uid>.slice")


def test_a_warning_is_said_once_for_all_whom_it_concerns() -> None:
    pods = "---\n".join(
        f"kind: Pod\nmetadata: {{name: p{number}}}\nspec: {{containers: [{{name: app}}]}}\n" for number in range(5)
    )
    (line,) = table.warning_lines(explained(pods))
    assert line.startswith("default/p0 app, default/p1 app, default/p2 app and 2 more: not throttled")


def test_what_concerns_all_is_not_repeated_for_each() -> None:
    (line,) = table.warning_lines(explained(FOUR_PODS, node("1.37")))
    assert line.startswith("the gate is on and does nothing")


def test_a_comparison_has_a_column_for_each_side() -> None:
    sides = [Side("gate off", explained(FOUR_PODS, node(gate=False))), Side("gate on", explained(FOUR_PODS))]
    assert table.comparison_columns(sides) == ["POD", "CONTAINER", "GATE OFF", "GATE ON"]
    rows = table.comparison_rows(sides)
    assert rows[1] == ["default/burstable", "app", "max 200Mi", "min 100Mi, high 190Mi, max 200Mi"]
    assert rows[3][2:] == ["-", "-"]
