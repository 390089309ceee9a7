"""Kill -9 at the first and the last call of every operation and at every hundredth block; scripts/soak has all."""

import time
from collections.abc import Callable, Iterable

import pytest

from publishing.kills import (
    PUT,
    Point,
    Tally,
    all_points,
    block_points,
    calls_of_a_clean_run,
    some_points,
    try_point,
    try_points,
)
from publishing.processes import Zygote
from publishing.scene import REGIONS, Picture, Scene

pytestmark = [pytest.mark.processes, pytest.mark.loopback]
MAKING = (
    "GetCallerIdentity", "DescribeImages", "DescribeSnapshots", "StartSnapshot", PUT, "CompleteSnapshot",
    "RegisterImage", "CopyImage", "CreateTags",
)  # fmt: skip
Tell = Callable[[str], None]


def tried(zygote: Zygote, scene: Scene, points: Iterable[Point], tell: Tell) -> Tally:
    """The points, none of which has a problem, and nearly all of which were reached."""
    began = time.monotonic()
    tally = try_points(zygote, scene, points)
    tell(f"kill -9: {tally.words} in {time.monotonic() - began:.0f} s ({scene.title})")
    assert tally.problems == []
    assert tally.reached > 0.8 * len(tally.tried)
    return tally


@pytest.mark.slow
@pytest.mark.parametrize("making", [True, False], ids=["while the AMIs are made", "while they are published"])
def test_killed_at_a_call(zygote: Zygote, little: dict[str, Picture], tell: Tell, making: bool) -> None:
    scene = Scene(little)
    calls = calls_of_a_clean_run(zygote, scene)
    assert {"StartSnapshot", "RegisterImage", "CopyImage", "CreateTags", "PutParameter"} <= set(calls)
    chosen = {operation: count for operation, count in calls.items() if (operation in MAKING) is making}
    tried(zygote, scene, some_points(chosen), tell)


@pytest.mark.slow
def test_killed_at_every_hundredth_block(zygote: Zygote, large: dict[str, Picture], tell: Tell) -> None:
    scene = Scene(large, REGIONS[:1])
    tally = tried(zygote, scene, block_points({PUT: 320}), tell)
    assert len(tally.tried) == tally.reached == 6


@pytest.mark.slow
def test_killed_while_two_regions_are_uploaded_to(zygote: Zygote, little: dict[str, Picture], tell: Tell) -> None:
    scene = Scene(little, direct=True, encrypted=False)
    tried(zygote, scene, some_points({"StartSnapshot": 4, PUT: 14, "CompleteSnapshot": 4, "RegisterImage": 2}), tell)


@pytest.mark.slow
def test_killed_where_aws_does_not_know_at_once_what_it_has_made(zygote: Zygote, little: dict[str, Picture]) -> None:
    scene = Scene(little, lagging=True)
    for operation in ("CompleteSnapshot", "RegisterImage", "CopyImage"):
        assert try_point(zygote, scene, Point(operation, 1, after=True)).problems == []


def test_the_points() -> None:
    calls = {"StartSnapshot": 2, PUT: 320}
    assert [str(point) for point in block_points(calls)] == [
        "before PutSnapshotBlock 100", "after PutSnapshotBlock 100", "before PutSnapshotBlock 200",
        "after PutSnapshotBlock 200", "before PutSnapshotBlock 300", "after PutSnapshotBlock 300",
    ]  # fmt: skip
    assert len(list(some_points(calls))) == 8
    assert len(list(some_points({"RegisterImage": 1}))) == 2
    assert [str(point) for point in some_points({"GetParameters": 9})] == [
        "before GetParameters 1", "before GetParameters 9",
    ]  # fmt: skip
    assert sorted({point.nth for point in all_points(calls) if point.operation == PUT}) == [
        1, 2, 100, 200, 300, 319, 320,
    ]  # fmt: skip
    assert len([point for point in all_points(calls) if point.operation == "StartSnapshot"]) == 4
