"""YAML that both versions read the same."""

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from brqos.nodes.emit import OURS, Indentation, to_yaml

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


def test_lines_stand_line_by_line() -> None:
    document = {"outer": {"text": "[a]\nb = 'c'\n\n  d\n", "next": ["x\n", {"deep": "one\ntwo\n"}]}, "last": 1}
    written = to_yaml(document, remarks={("outer", "next"): "After lines.", ("last",): "Last."})
    assert written == (
        "outer:\n  text: |\n    [a]\n    b = 'c'\n\n      d\n"
        "  # After lines.\n  next:\n    - |\n      x\n    - deep: |\n        one\n        two\n# Last.\nlast: 1\n"
    )
    assert read_1_1(written) == read_1_2(written) == document


@pytest.mark.parametrize(
    "text", ["a\nb", "a\n\n", "\na\n", " a\n", "a \nb\n", "a\tb\n", "a\x85b\n", "\ufeffa\n", "a\r\nb\n", "\n"]
)
def test_lines_that_a_block_would_change_stand_in_quotes(text: str) -> None:
    written = to_yaml({"text": text})
    assert written.startswith('text: "')
    assert read_1_1(written) == read_1_2(written) == {"text": text}


@given(
    st.lists(
        st.lists(st.text("ab #:-'\"|>\t\u2028é", max_size=6), min_size=1, max_size=4).map("\n".join)
        | st.sampled_from(["# a\n", "- a\n", "---\n", "...\n", "%a\n", "a: b\n"]),
        min_size=1,
        max_size=3,
    ),
    st.integers(2, 5),
    st.integers(0, 4),
)
@settings(max_examples=60)
def test_whatever_lines_there_are_they_are_read_again(texts: list[str], mapping: int, dash: int) -> None:
    document = {"list": [{"text": f"{text}\n", "more": {"text": text}} for text in texts], "texts": texts, "end": 1}
    written = to_yaml(document, remarks={("end",): "End."}, indentation=Indentation(mapping, dash, dash + 2))
    assert read_1_1(written) == document
    assert read_1_2(written) == document


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


def test_other_columns_are_those_of_a_file_that_is_there_already() -> None:
    document = {"list": [{"name": "a", "inner": {"key": ["x"]}}]}
    remarks = {("list", 0, "inner"): "One.", ("list", 0, "inner", "key"): "Two."}
    assert to_yaml(document, remarks=remarks, indentation=Indentation(mapping=4, dash=0, item=4)) == (
        "list:\n-   name: a\n    # One.\n    inner:\n        # Two.\n        key:\n        -   x\n"
    )


@given(st.integers(2, 6), st.integers(0, 4), st.integers(2, 4))
def test_in_any_columns_the_data_are_the_same(mapping: int, dash: int, item: int) -> None:
    document = {"list": [{"name": "a", "inner": {"key": ["x", {"y": [1]}]}}, {"name": "b"}], "map": {"a": {"b": "c"}}}
    written = to_yaml(document, indentation=Indentation(mapping, dash, dash + item))
    assert read_1_1(written) == document


def test_a_column_is_counted_from_the_keys_on_the_way() -> None:
    assert [OURS.column(path) for path in [(), ("a",), ("a", 0), ("a", 0, "b"), ("a", 0, "b", 1)]] == [0, 2, 4, 6, 8]
    wide = Indentation(mapping=3, dash=1, item=5)
    assert [wide.column(path) for path in [(), ("a",), ("a", 0), ("a", 0, "b"), ("a", 0, "b", 1)]] == [0, 3, 5, 8, 10]


@given(st.floats(allow_nan=False, allow_infinity=False))
@example(1e-05)
@example(1e22)
@example(1.0)
def test_a_float_stays_one(number: float) -> None:
    written = to_yaml({"value": number})
    assert read_1_1(written) == read_1_2(written) == {"value": number}
    assert isinstance(yaml.safe_load(written)["value"], float)


def test_a_remark_about_nothing_is_a_bug() -> None:
    with pytest.raises(ValueError, match="keys that the document does not have"):
        to_yaml({"a": 1}, remarks={("b",): "Lost."})
