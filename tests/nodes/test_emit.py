"""YAML that both versions read the same."""

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from brqos.nodes.emit import to_yaml

SURPRISES = (
    "on",
    "Off",
    "y",
    "NO",
    "yes",
    "null",
    "~",
    "",
    "true",
    "1.30",
    "0123",
    "0o17",
    "0x1f",
    "1e3",
    "1_000",
    "1:30",
    "12:30:45",
    "190:20:30",
    ".inf",
    ".nan",
    "-",
    "=",
    "<<",
    "2026-01-01",
    "a: b",
    "a #b",
    "{a}",
    "[a]",
    "&a",
    "*a",
    "!a",
    "|",
    ">",
    "%a",
    "@a",
    "`a",
    "'",
    '"',
    "\\",
    "a\nb",
    " a ",
    "é",
    "\u2028",
)


def read_1_1(text: str) -> object:
    return yaml.safe_load(text)


def read_1_2(text: str) -> object:
    return YAML(typ="safe", pure=True).load(text)


@pytest.mark.parametrize("text", SURPRISES)
def test_a_surprising_text_stays_text(text: str) -> None:
    document = {"value": text, "list": [text], "map": {text: 1}}
    written = to_yaml(document)
    assert read_1_1(written) == document
    assert read_1_2(written) == document


@given(
    st.recursive(
        st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
        | st.sampled_from(SURPRISES)
        | st.integers(-(10**6), 10**6)
        | st.booleans(),
        lambda inner: (
            st.lists(inner, min_size=1, max_size=3)
            | st.dictionaries(st.text("ab./-1o n", max_size=6), inner, min_size=1, max_size=3)
        ),
        max_leaves=8,
    )
)
@example("x" * 5000)
def test_what_is_written_reads_back_in_both_versions(value: object) -> None:
    document = {"value": value}
    written = to_yaml(document)
    assert read_1_1(written) == document
    assert read_1_2(written) == document


def test_plain_words_stay_plain_and_keys_with_dots_are_quoted() -> None:
    written = to_yaml(
        {"type": "m6i.large", "region": "eu-central-1", "map": {"memory.available": "5%", "plain-key": 1}}
    )
    assert written == ('type: m6i.large\nregion: eu-central-1\nmap:\n  "memory.available": "5%"\n  plain-key: 1\n')


def test_comments_stand_above_their_keys() -> None:
    written = to_yaml(
        {"first": 1, "list": [{"name": "a", "inner": {"key": True}}]},
        head="Above all.\n\nSecond.",
        remarks={("first",): "One.", ("list", 0, "inner"): "Two\nlines.", ("list", 0, "inner", "key"): "Deep."},
    )
    assert written == (
        "# Above all.\n#\n# Second.\n\n"
        "# One.\nfirst: 1\nlist:\n  - name: a\n    # Two\n    # lines.\n    inner:\n      # Deep.\n      key: true\n"
    )


def test_a_remark_about_nothing_is_a_bug() -> None:
    with pytest.raises(ValueError, match="keys that the document does not have"):
        to_yaml({"a": 1}, remarks={("b",): "Lost."})
