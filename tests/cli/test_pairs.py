import pytest

from brqos.cli.pairs import pairs, single_and_by_region
from brqos.errors import UsageError

ROLE = "arn:aws:iam::123456789012:role/a=b/images"


def test_pairs() -> None:
    assert pairs("--tag", ["a=1", "b=x=y", "c="]) == {"a": "1", "b": "x=y", "c": ""}
    assert pairs("--tag", None) == {}
    assert pairs("--tag", ["a=1", "a=1"]) == {"a": "1"}
    for words in (["a"], ["=1"], ["a=1", "a=2"]):
        with pytest.raises(UsageError) as caught:
            pairs("--tag", words)
        assert caught.value.todo


def test_one_for_all_and_others_by_region() -> None:
    assert single_and_by_region("--role", None, example="") == (None, {})
    assert single_and_by_region("--profile", ["a", "cn-north-1=china"], example="") == ("a", {"cn-north-1": "china"})
    assert single_and_by_region("--role", [ROLE, f"us-east-1={ROLE}"], example="") == (ROLE, {"us-east-1": ROLE})
    with pytest.raises(UsageError, match="is given 2 times"):
        single_and_by_region("--profile", ["a", "b"], example="")
