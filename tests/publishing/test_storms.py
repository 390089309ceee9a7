"""A publish to three regions while every twentieth call to AWS fails; scripts/soak has a hundred such storms."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from publishing.processes import Ended, Zygote
from publishing.scene import REGIONS, Picture, Scene
from publishing.storms import judged, script, weather_all

pytestmark = [pytest.mark.processes, pytest.mark.loopback]
EMPTY: dict[str, Any] = {"images": {}, "snapshots": {}, "parameters": []}


@pytest.mark.slow
@pytest.mark.parametrize("direct", [False, True], ids=["copied", "uploaded"])
def test_in_a_storm_it_is_right_or_tells_what_is_missing(
    zygote: Zygote, little: dict[str, Picture], tell: Callable[[str], None], direct: bool
) -> None:
    storms = weather_all(zygote, Scene(little, REGIONS, direct=direct), range(3, 5))
    for storm in storms:
        tell(f"5 % faults, {'uploaded' if direct else 'copied'}: {storm.words}")
    assert [problem for storm in storms for problem in storm.problems] == []
    assert all(storm.faults for storm in storms)


def ended(status: int, *lines: str) -> Ended:
    return Ended(status, "", "\n".join(lines), 0.0)


@pytest.mark.parametrize(
    ("end", "problems"),
    [
        (ended(0), 2),
        (ended(1, "error: brqos itself failed"), 1),
        (ended(7), 1),
        (ended(7, "error: AWS refused GetCallerIdentity in eu-west-1"), 0),
    ],
)
def test_what_an_attempt_may_not_claim(little: dict[str, Picture], end: Ended, problems: int) -> None:
    assert len(judged(end, EMPTY, Scene(little))) == problems


def test_every_region_that_lacks_something_has_to_be_named(little: dict[str, Picture]) -> None:
    item = {"region": "eu-west-1", "name": "/x", "value": "", "data_type": "text", "tags": {}}
    state = {**EMPTY, "parameters": [item]}
    (problem,) = judged(ended(7, "error: no AMI in us-east-1"), state, Scene(little))
    assert problem.startswith("does not tell that eu-west-1 lacks")
    assert judged(ended(7, "error: no AMI in us-east-1, eu-west-1"), state, Scene(little)) == []


def test_a_seed_makes_the_same_storm_again() -> None:
    assert json.dumps(script(7)) == json.dumps(script(7)) != json.dumps(script(8))
