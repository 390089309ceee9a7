"""The quick parser of plain YAML: what it accepts, the whole language's parser reads the same."""

import io
import json
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from brqos.explain.block_yaml import NotPlain, parse_document


def slowly(text: str) -> object:
    return YAML(typ="safe", pure=True).load(text)


MANIFEST = """\
# a comment
apiVersion: apps/v1
kind: Deployment   # another
metadata:
  name: "web"
  labels: {app: web, tier: front.end}
  annotations:
    note: 'it''s "fine" # here'
    empty:
    escaped: "a\\tb \\"c\\""
    config: |
      first: line   # no comment
        deeper

      - last
spec:
  replicas: 3
  ratio: 0.5
  paused: false
  nothing: null
  tilde: ~
  address: 10.0.0.1
  port: -1
  url: http://example.com:8080/a?b=c#d
  template:
    spec:
      containers:
      - name: app
        args: ["-a", --flag=1, 3]
        empty: []
        none: {}
        resources:
          requests:
            memory: 100Mi
      -
        name: second
      - - nested
        - list
      - plain
      - "quoted"
      # in between
      tail: end
"""


def test_a_manifest_is_read_as_the_whole_language_reads_it() -> None:
    found = parse_document(MANIFEST)
    assert found == slowly(MANIFEST)
    assert isinstance(found, Mapping)
    assert found["metadata"]["annotations"]["config"] == "first: line   # no comment\n  deeper\n\n- last\n"
    assert found["spec"]["template"]["spec"]["containers"][0]["args"] == ["-a", "--flag=1", 3]


@pytest.mark.parametrize(
    "text",
    [
        "a: &x 1",
        "a: *x",
        "a: !!str 1",
        "a: >\n  folded\n",
        "a: |2\n   x\n",
        "a: |+\n  x\n\n",
        "a: one\n  two",
        "a: 'one\n  two'",
        "a: 0x10",
        "a: 012",
        "a: 1e3",
        "a: 1_000",
        "a: 2024-01-01",
        "a: 12:30:45",
        "a: .5",
        "a: .inf",
        "a: {b: {c: 1}}",
        "a: [b, [c]]",
        "a: {b: 1",
        "a: 1\na: 2",
        "a: b: c",
        "a: b:",
        "\ta: 1",
        "a:\t1",
        "  a: 1",
        "a: 1\n b: 2",
        "- a\nb: 1",
        "a:\n  - b\n c: 1",
        "? a\n: 1",
        "<<: 1",
        "null: 1",
        "a: @b",
        "a: `b`",
        "a: %b",
        'a: "\\u00e9"',
        'a: "b" c',
        "a: 'b' c",
        "just a text",
        "a: ,",
        "a: | # x\n  y\nb",
        "a: x\x00y",
        "a: x\u2028b: y",
    ],
)
def test_what_is_not_plain_is_left_to_the_whole_language(text: str) -> None:
    with pytest.raises(NotPlain):
        parse_document(text)


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "   \n"])
def test_nothing_is_nothing(text: str) -> None:
    assert parse_document(text) is None


KEYS = st.one_of(
    st.from_regex(r"\A[A-Za-z_][A-Za-z0-9_./-]{0,8}\Z"), st.sampled_from(["on", "yes", "n", "null", "a b"])
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.text(max_size=12),
    st.from_regex(r"\A[-0-9.eExo:+_ ]{1,8}\Z"),
    st.sampled_from(["100Mi", "1e3", "0.5", "10.0.0.1", "it's", "a: b", "a #b", "- a", "|", "one\ntwo\n", "7c9f8b6d5"]),
)
DATA = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=20
)


@settings(max_examples=200)
@given(st.dictionaries(KEYS, DATA, min_size=1, max_size=4), st.sampled_from([(2, 0), (4, 2), (2, 2)]))
def test_what_is_written_by_an_emitter_is_read_the_same(data: dict[str, object], indents: tuple[int, int]) -> None:
    emitter = YAML(typ="safe", pure=True)
    emitter.default_flow_style = False
    emitter.indent(mapping=2, sequence=indents[0], offset=indents[1])
    stream = io.StringIO()
    emitter.dump(data, stream)
    _same(stream.getvalue())


LINES = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.one_of(
            st.sampled_from(
                [
                    *(
                        "a:",
                        "b: 1",
                        "- c",
                        "-",
                        "- d: 2",
                        "d: |",
                        "text",
                        "# no",
                        "",
                        "- - e",
                        "f: [g, 1]",
                        "h: {i: j}",
                    ),
                    *("k: 'l'", 'm: "n"', "o: p # q", "r: s: t", "u: 10.1", "v: 1e5", "'w': x", "- {y: z}", "a: -"),
                ]
            ),
            st.text(alphabet="ab:- #'\"|{}[],&*!>%01.e~?\n", max_size=10),
        ),
    ),
    max_size=8,
)


@settings(max_examples=400)
@given(LINES)
def test_any_text_is_read_the_same_or_left_alone(lines: list[tuple[int, str]]) -> None:
    _same("\n".join(" " * (2 * depth) + text for depth, text in lines))


def _same(text: str) -> None:
    try:
        quick = parse_document(text)
    except NotPlain:
        return
    try:
        assert json.dumps(quick) == json.dumps(slowly(text), default=str), text
    except YAMLError as error:
        pytest.fail(f"accepted, though it is no YAML: {text!r}: {error}")
