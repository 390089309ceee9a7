"""What `latest` named in the course of time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brqos.ami.publishing.latest import PROMOTED, agreed_target, rolled_back, standing
from brqos.aws.parameters import ParameterVersion
from brqos.errors import AwsError

versions = st.sampled_from(["1", "2", "3", "4"])


class Told:
    """A parameter with the history that promotions and rollbacks leave."""

    def __init__(self) -> None:
        self.history: list[ParameterVersion] = []

    def write(self, value: str, description: str, times: int = 1) -> None:
        for _ in range(times):
            self.history.append(ParameterVersion(len(self.history) + 1, value, description))

    def promote(self, value: str, times: int = 1) -> None:
        self.write(value, PROMOTED, times)

    def roll_back(self, times: int = 1) -> None:
        stack = standing(self.history)
        self.write(stack[-2], rolled_back(stack[-1]), times)


def test_two_rollbacks_go_two_back() -> None:
    told = Told()
    for version in "1234":
        told.promote(version)
    told.roll_back()
    assert standing(told.history) == ["1", "2", "3"]
    told.roll_back()
    assert standing(told.history) == ["1", "2"]
    told.promote("5")
    assert standing(told.history) == ["1", "2", "5"]


def test_promotions_of_other_tools_count() -> None:
    told = Told()
    told.write("1", "")
    told.write("2", "by hand")
    assert standing(told.history) == ["1", "2"]


def test_a_version_may_come_back() -> None:
    told = Told()
    for version in "121":
        told.promote(version)
    assert standing(told.history) == ["1", "2", "1"]
    told.roll_back()
    assert standing(told.history) == ["1", "2"]


def test_a_rollback_to_what_the_history_does_not_show_leaves_nothing_before() -> None:
    told = Told()
    told.promote("2")
    told.promote("3")
    told.write("1", rolled_back("3"))
    assert standing(told.history) == ["1"]


def test_a_rollback_over_several_versions() -> None:
    told = Told()
    for version in "1234":
        told.promote(version)
    told.write("1", rolled_back("4"))
    assert standing(told.history) == ["1"]


@given(st.lists(st.tuples(versions | st.none(), st.integers(1, 3))))
def test_calls_that_were_made_twice_change_nothing(steps: list[tuple[str | None, int]]) -> None:
    once, often = Told(), Told()
    model: list[str] = []
    for version, times in steps:
        if version is None:
            if len(model) > 1:
                model.pop()
                once.roll_back()
                often.roll_back(times)
        else:
            if not model or model[-1] != version:
                model.append(version)
            once.promote(version)
            often.promote(version, times)
        # Taking versions off may bring the same one to the top twice over; what counts is the one on top.
        assert standing(once.history) == standing(often.history)
    assert standing(once.history)[-1:] == model[-1:]


def test_the_same_target_everywhere() -> None:
    assert agreed_target({"eu-west-1": ["1", "2"], "us-east-1": ["1", "3"]}, "/x") == "1"


@pytest.mark.parametrize(
    ("standings", "what", "why"),
    [
        ({"eu-west-1": ["1", "2", "3"], "us-east-1": ["1", "2"]}, "no one version", "eu-west-1: 3 now, before it 2"),
        ({"eu-west-1": ["1"], "us-east-1": []}, "no version", "us-east-1: nothing now, before it nothing"),
        ({"eu-west-1": ["1", "2"], "us-east-1": ["2"]}, "no one version", "us-east-1: 2 now, before it nothing"),
    ],
)
def test_regions_that_do_not_agree(standings: dict[str, list[str]], what: str, why: str) -> None:
    with pytest.raises(AwsError, match=what) as raised:
        agreed_target(standings, "/x/latest/image_version")
    assert why in raised.value.why
    assert "--to" in raised.value.todo
