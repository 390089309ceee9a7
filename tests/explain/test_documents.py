"""The documents of the input, and the places that errors name."""

import json
from pathlib import Path

import pytest

from brqos.errors import ConfigurationError
from brqos.explain.documents import Document, documents_of, read_documents


def read(text: str) -> list[Document]:
    return list(documents_of(text, "deploy.yaml"))


def test_many_documents_and_their_lines() -> None:
    found = read("# first\na: 1\n---\n# nothing\n---\nb: &x 2\nc: *x\n...\n--- {d: {e: 3}}\n---\n")
    assert [each.data for each in found] == [{"a": 1}, {"b": 2, "c": 2}, {"d": {"e": 3}}]
    assert [each.first_line for each in found] == [1, 5, 9]


def test_a_separator_inside_a_text_block_is_text() -> None:
    assert [each.data for each in read("a: |\n  x\n  ---\n  y\nb: 1\n")] == [{"a": "x\n---\ny\n", "b": 1}]


def test_windows_line_ends_are_read() -> None:
    found = read("a: 1\r\nb:\r\n  c: 2\r\n---\r\nd: 3\r\n")
    assert [each.data for each in found] == [{"a": 1, "b": {"c": 2}}, {"d": 3}]


def test_a_directive_is_read() -> None:
    assert [each.data for each in read("%YAML 1.2\n---\na: 1\n---\nb: 2\n")] == [{"a": 1}, {"b": 2}]


def test_json_is_read() -> None:
    assert [each.data for each in read(json.dumps({"a": [1, "100Mi"]}))] == [{"a": [1, "100Mi"]}]
    assert [each.data for each in read('{"a": 1}\n---\n{"b": 2}\n')] == [{"a": 1}, {"b": 2}]


def test_places_are_found_in_blocks_flows_and_json() -> None:
    blocks = read("a: 1\n---\n# x\nspec:\n  list:\n  - b: 1\n    c: 2\n  - d:\n      e: 3\n")[1]
    assert blocks.place(("spec", "list", 1, "d", "e")) == "deploy.yaml line 9"
    assert blocks.place(("spec", "list", 0)) == "deploy.yaml line 6"
    assert blocks.place(("spec", "list", 7, "x")) == "deploy.yaml line 6"
    assert blocks.place(()) == "deploy.yaml line 4"
    text = json.dumps({"a": {"b": [1, 2]}}, indent=1)
    assert read(text)[0].place(("a", "b", 1)) == "deploy.yaml line 5"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: 1\n---\nb: [1\n", "deploy.yaml line"),
        ("a: 1\nb: 'x\n", "deploy.yaml line"),
        ("a: 1\na: 2\n", "deploy.yaml line 2"),
        ("ok: 1\n---\nok: 1\n---\n\tx: 1\n", "deploy.yaml line 5"),
        ("a: *nowhere\n", "deploy.yaml line 1"),
        ("a: \x01\n", "deploy.yaml"),
        ("{a: 1}}", "deploy.yaml line 1"),
    ],
)
def test_what_is_no_yaml_is_refused_with_its_line(text: str, place: str) -> None:
    with pytest.raises(ConfigurationError, match="is not YAML") as caught:
        read(text)
    assert caught.value.what.startswith(place)
    assert caught.value.why


@pytest.mark.parametrize("text", ["[" * 5000, '{"a":' * 5000, "- " * 3000 + "a"])
def test_a_bottomless_document_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        read(text)


def test_folders_are_read_with_what_is_below_them(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name, text in {"b.yaml": "b: 1", "a.yml": "a: 1", "sub/c.json": '{"c": 1}', "notes.txt": "no: 1"}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert [each.data for each in read_documents([tmp_path])] == [{"a": 1}, {"b": 1}, {"c": 1}]


def test_standard_input_is_read() -> None:
    assert [(each.source, each.data) for each in read_documents([Path("-")], "a: 1")] == [("standard input", {"a": 1})]


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    binary = tmp_path / "x.yaml"
    binary.write_bytes(b"a: \xff\xfe")
    for file, why in ((tmp_path / "no.yaml", "there is no file"), (binary, "not text in UTF-8")):
        with pytest.raises(ConfigurationError, match=why):
            list(read_documents([file]))
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ConfigurationError, match="no manifest"):
        list(read_documents([empty]))


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert [each.data for each in read_documents([file])] == [{"a": 1}]
