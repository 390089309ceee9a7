"""Tags that AWS, EKS and the tools leave to others."""

import re

import pytest

from brqos.errors import ConfigurationError
from brqos.nodes.tags import check_not_taken, check_number, check_tags


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ({"aws:x": "y"}, "prefix that is taken"),
        ({"brqos:tool": "y"}, "prefix that is taken"),
        ({"": "y"}, "has no key"),
        ({"x": "y" * 256}, "too long"),
    ],
)
@pytest.mark.parametrize("managed", [False, True])
def test_nobody_takes_these(tags: dict[str, str], message: str, managed: bool) -> None:
    with pytest.raises(ConfigurationError, match=message):
        check_tags(tags, managed=managed)


@pytest.mark.parametrize(
    ("tags", "message"), [({"x": "a*b"}, "has a character"), ({"a*b": "x"}, "character"), ({"eks:x": "y"}, "EKS's own")]
)
def test_eks_takes_fewer_than_ec2(tags: dict[str, str], message: str) -> None:
    check_tags(tags, managed=False)
    with pytest.raises(ConfigurationError, match=message):
        check_tags(tags, managed=True)


def test_letters_are_letters_in_any_language() -> None:
    check_tags({"größe 1": "a + b = c . _ : / @"}, managed=True)


def test_what_a_tool_sets_itself_is_left_to_it() -> None:
    check_not_taken({"team": "x", "mine/x": "y"}, ("Name",), prefixes=("tool/",), by="it")
    for key in ("Name", "tool/x"):
        with pytest.raises(ConfigurationError, match=re.escape(f"the tag “{key}” is set by it itself")):
            check_not_taken({key: "x"}, ("Name",), prefixes=("tool/",), by="it")


def test_there_are_fifty_with_those_of_others() -> None:
    check_number(42, others=8, whose="others")
    with pytest.raises(ConfigurationError, match="43 tags are too many") as refused:
        check_number(43, others=8, whose="others")
    assert refused.value.todo == "Leave out 1 or more."
