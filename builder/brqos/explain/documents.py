"""The documents of the input: files, folders, standard input; YAML or JSON; and where in them something stands."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from brqos.errors import ConfigurationError
from brqos.explain.block_yaml import NotPlain, parse_document
from brqos.memoryqos.objects import Path as ObjectPath

if TYPE_CHECKING:
    from ruamel.yaml.nodes import Node

STANDARD_INPUT = Path("-")
SUFFIXES = (".yaml", ".yml", ".json")

_SEPARATOR = re.compile(r"^(?:---|\.\.\.)(?=[ \t\r\n]|\Z)", re.MULTILINE)
_DIRECTIVE = re.compile(r"^%", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Document:
    """One document: its data, and the text that they came from with the number of its first line (from 1)."""

    source: str
    data: object
    text: str
    first_line: int = 1

    def place(self, path: ObjectPath) -> str:
        """`deploy.yaml line 14`, as far as the path can be followed."""
        return f"{self.source} line {self.first_line + _line_of(self.text, path)}"


def read_documents(files: Sequence[Path], standard_input: str = "") -> Iterator[Document]:
    """All documents of files and folders (and what is below these), in order; `-` is standard input.

    Raises ConfigurationError for a file that is not there, not text or not YAML.
    """
    for file in files:
        if file == STANDARD_INPUT:
            yield from documents_of(standard_input, "standard input")
        elif file.is_dir():
            found = sorted(each for each in file.rglob("*") if each.suffix in SUFFIXES and each.is_file())
            if not found:
                raise ConfigurationError(
                    f"there is no manifest in {file}", why=f"Looked for files that end in {', '.join(SUFFIXES)}."
                )
            for each in found:
                yield from documents_of(_read(each), str(each))
        else:
            yield from documents_of(_read(file), str(file))


def _read(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise ConfigurationError(
            f"there is no file {file}", todo="Give a file, a folder, or - for standard input."
        ) from None
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{file} is not text in UTF-8", why=f"Byte {error.start}: {error.reason}.") from None
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read", why=error.strerror or str(error)) from None


def documents_of(text: str, source: str) -> Iterator[Document]:
    """The documents of one text; empty ones are left out. Raises ConfigurationError where it is no YAML or JSON."""
    try:
        yield from _documents(text.replace("\r\n", "\n"), source)
    except RecursionError:
        raise ConfigurationError(f"{source} is nested too deeply", todo="No manifest needs that; look at it.") from None


def _documents(text: str, source: str) -> Iterator[Document]:
    if text.lstrip()[:1] == "{":
        try:
            yield Document(source, json.loads(text), text)
        except ValueError:
            # YAML has JSON in it, and more besides: several documents, comments.
            pass
        else:
            return
    for start, piece in _pieces(text):
        try:
            found = [parse_document(piece)]
        except NotPlain:
            found = _parse_all(piece, source, start)
        for data in found:
            if data is not None:
                yield Document(source, data, piece, start + 1)


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """The text of each document, and the number of its first line from 0."""
    if _DIRECTIVE.search(text):
        # A directive reaches into the document after it, so the text cannot be taken apart.
        yield 0, text
        return
    line = begin = 0
    # Nothing inside a document may stand like this at the beginning of a line.
    for match in _SEPARATOR.finditer(text):
        yield line, text[begin : match.start()]
        line += text.count("\n", begin, match.start())
        # `--- {...}` or `--- !tag`: the document begins on this very line, behind the dashes.
        begin = match.start() + 3
    yield line, text[begin:]


def _parse_all(text: str, source: str, start: int) -> list[object]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        return list(YAML(typ="safe", pure=True).load_all(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{source} line {start + mark.line + 1}" if mark is not None else source
        why = ". ".join(part for part in (error.context, error.problem) if part)
        raise ConfigurationError(f"{place} is not YAML", why=f"{why}.") from None
    except (YAMLError, ValueError) as error:
        raise ConfigurationError(f"{source} is not YAML", why=str(error).splitlines()[0]) from None


def _line_of(text: str, path: ObjectPath) -> int:
    """The line, from 0, on which the value of a path stands, or the nearest one above it that is found."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        node = YAML(typ="safe", pure=True).compose(text)
    except (YAMLError, ValueError, RecursionError):
        return 0
    for part in path:
        inner = _inside(node, part)
        if inner is None:
            break
        node = inner
    return int(node.start_mark.line) if node is not None else 0


def _inside(node: "Node", part: str | int) -> "Node | None":
    from ruamel.yaml.nodes import MappingNode, SequenceNode

    if isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
        item: Node = node.value[part]
        return item
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if key.value == part:
                found: Node = value
                return found
    return None
