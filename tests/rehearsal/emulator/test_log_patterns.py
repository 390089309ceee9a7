"""Filter patterns: the examples of CloudWatch Logs' guide, and their algebra."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brqos.rehearsal.emulator.logs.pattern import PatternError, matcher

MESSAGES = ("[ERROR 400] BAD REQUEST", "[ERROR 401] UNAUTHORIZED REQUEST", "[ERROR 419] MISSING ARGUMENTS", "error")
several = st.lists(st.text("abAB0_", min_size=1, max_size=3), max_size=3)


@pytest.mark.parametrize(
    ("pattern", "fitting"),
    [
        ("", {0, 1, 2, 3}),
        ("ERROR", {0, 1, 2}),
        ("ERROR ARGUMENTS", {2}),
        ("?ERROR ?error", {0, 1, 2, 3}),
        ("ERROR -ARGUMENTS", {0, 1}),
        ('"BAD REQUEST"', {0}),
        ('"[ERROR 4"', {0, 1, 2}),
        ('-"REQUEST"', {2, 3}),
        ("  ERROR   400 ", {0}),
    ],
)
def test_words(pattern: str, fitting: set[int]) -> None:
    fits = matcher(pattern)
    assert {number for number, message in enumerate(MESSAGES) if fits(message)} == fitting


@pytest.mark.parametrize(
    "pattern", ["{ $.a = 1 }", "[a, b]", "%x.*%", "a:b", '"open', "a-b", '"a"b', "- a", "x" * 1025]
)
def test_what_is_no_word_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        matcher(pattern)


@given(several, several, several, st.text("abAB0_ ", max_size=9))
def test_all_of_some_of_none_of(required: list[str], some: list[str], none: list[str], message: str) -> None:
    pattern = " ".join([*required, *(f"?{word}" for word in some), *(f"-{word}" for word in none)])
    wanted = (
        all(word in message for word in required)
        and (not some or any(word in message for word in some))
        and all(word not in message for word in none)
    )
    assert matcher(pattern)(message) is wanted


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12))
def test_quoted_is_as_it_is(text: str) -> None:
    quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    assert matcher(quoted)(f"<{text}>")
    assert not matcher(f"-{quoted}")(f"<{text}>")
