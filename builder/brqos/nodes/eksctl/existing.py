"""A team's ClusterConfig as it stands: its data, and which lines hold what.

Lines are counted as YAML's marks count them, from 0; `end` is the line after the last one. A line is *content* where a
token of YAML's is on it; the others are blank or comments. The data are as YAML 1.1 has them, which eksctl reads.
"""

import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError, YAMLWarning
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode
from ruamel.yaml.tokens import (
    AliasToken,
    BlockEntryToken,
    DocumentEndToken,
    DocumentStartToken,
    FlowMappingEndToken,
    FlowSequenceEndToken,
    KeyToken,
    ScalarToken,
    Token,
    ValueToken,
)

from brqos.errors import ConfigurationError
from brqos.nodes.eksctl.document import API_VERSION, KIND
from brqos.nodes.emit import OURS, Indentation

# What YAML 1.1 counts as the end of a line (ruamel.yaml, reader.py: forward).
_LINE = re.compile(r"[^\n\r\x85\u2028\u2029]*(?:\r\n|[\n\r\x85\u2028\u2029]|\Z)")
_CONTENT = (ScalarToken, AliasToken, BlockEntryToken, KeyToken, ValueToken, FlowMappingEndToken, FlowSequenceEndToken)
_BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True, slots=True)
class Entry:
    """A key of the top level: its place, its value's node, and the line where the next one begins."""

    key: Node
    value: Node
    end: int

    @property
    def line(self) -> int:
        """The line of the key."""
        return int(self.key.start_mark.line)

    @property
    def is_alias(self) -> bool:
        """Whether the value stands somewhere else, and is only referred to here."""
        return bool(self.value.start_mark.index < self.key.start_mark.index)

    @property
    def is_block(self) -> bool:
        """Whether the value is a sequence or a mapping in lines of its own."""
        value = self.value
        return not self.is_alias and isinstance(value, SequenceNode | MappingNode) and not value.flow_style


@dataclass(frozen=True, slots=True)
class Existing:
    """One ClusterConfig, the only one or the first document of its file."""

    lines: tuple[str, ...]
    data: Mapping[str, Any]
    root: MappingNode
    tokens: tuple[Token, ...]
    content: frozenset[int]
    end: int

    @property
    def newline(self) -> str:
        """What ends most lines."""
        windows = sum(line.endswith("\r\n") for line in self.lines)
        return "\r\n" if 2 * windows > len(self.lines) else "\n"

    @property
    def column(self) -> int:
        """Where the keys of the top level stand."""
        return int(self.root.start_mark.column)

    def entry(self, key: str) -> Entry | None:
        """The key of the top level, where there is one."""
        ends = [*(int(name.start_mark.line) for name, _ in self.root.value[1:]), self.end]
        found = (Entry(name, value, end) for (name, value), end in zip(self.root.value, ends, strict=True))
        return next((entry for entry in found if entry.key.value == key), None)

    def dashes(self, entry: Entry) -> list[int]:
        """The lines where the items of a block sequence begin."""
        marks = [token.start_mark for token in self.tokens if isinstance(token, BlockEntryToken)]
        return [mark.line for mark in marks if entry.line < mark.line < entry.end and mark.column == _column(entry)]

    def last_line(self, begin: int, end: int, column: int) -> int:
        """The last line of what begins and ends there, with the comments after it that are deeper than `column`."""
        last = max(line for line in self.content if begin <= line < end)
        for line in range(last + 1, end):
            text = self.lines[line]
            comment = text.lstrip()
            if comment.startswith("#") and len(text) - len(comment) > column:
                last = line
            elif comment:
                break
        return last

    def last_text(self) -> int:
        """The last line of the document that is not blank."""
        texts = [line for line in range(self.end) if self.lines[line].strip()]
        return max(*texts, *self.content)

    def indentation(self, entry: Entry | None) -> Indentation:
        """The columns that the file itself uses: in this sequence, else in the first one, else ours."""
        pairs = list(_pairs(self.root))
        own = [(entry.key, entry.value)] if entry is not None and entry.is_block else []
        sequences = [(key, value) for key, value in (*own, *pairs) if isinstance(value, SequenceNode) and value.value]
        dash, width = OURS.dash, OURS.item - OURS.dash
        if sequences:
            key, value = sequences[0]
            dash = value.start_mark.column - key.start_mark.column
            first = value.value[0].start_mark
            width = first.column - value.start_mark.column if first.line == value.start_mark.line else width
        inner = (list(_pairs(own[0][1])) if own else []) + pairs
        steps = [
            value.start_mark.column - key.start_mark.column for key, value in inner if isinstance(value, MappingNode)
        ]
        return Indentation(mapping=steps[0] if steps else OURS.mapping, dash=dash, item=dash + max(width, 2))


def read(text: str) -> Existing:
    """Read a team's file; raises ConfigurationError where it is no ClusterConfig of eksctl's that can be read."""
    plain = text.removeprefix(_BYTE_ORDER_MARK)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", YAMLWarning)
            documents = list(_reader().load_all(plain))
            roots = list(_reader().compose_all(plain))
            tokens = tuple(_reader().scan(plain))
    except (YAMLError, ValueError) as error:
        raise _not_yaml(error) from None
    number = _cluster_config(documents)
    lines = tuple(_LINE.findall(plain)[:-1]) or ("",)
    begin, end = _span(tokens, number, len(lines))
    root = roots[number]
    if root.flow_style:
        raise ConfigurationError(
            "the existing file is written in braces, and nothing can be put between its lines",
            why="It is JSON, or YAML's flow style.",
            todo="Write it in lines first, or add the nodegroup by hand.",
        )
    own = tuple(token for token in tokens if begin <= token.start_mark.line < end)
    if text.startswith(_BYTE_ORDER_MARK):
        lines = (_BYTE_ORDER_MARK + lines[0], *lines[1:])
    return Existing(lines, documents[number], root, own, frozenset(_content(own, lines)), end)


def _reader() -> YAML:
    reader = YAML(typ="safe", pure=True)
    reader.version = (1, 1)
    return reader


def _cluster_config(documents: list[Any]) -> int:
    """The number of the ClusterConfig; eksctl reads a file's first document and no other (pkg/eks/api.go)."""
    kinds = [document.get("kind") if isinstance(document, Mapping) else None for document in documents]
    if KIND not in kinds:
        raise ConfigurationError(
            "the existing file is not a ClusterConfig of eksctl's",
            why=f"It has {f'the kind {kinds[0]}' if kinds and kinds[0] else 'no kind at all'}, and not kind: {KIND}.",
            todo="Give eksctl's own file of the cluster.",
        )
    number = kinds.index(KIND)
    if number > 0 or kinds.count(KIND) > 1:
        raise ConfigurationError(
            "the existing file has several documents, and the ClusterConfig is not the first or not the only one",
            why="eksctl reads the first document of a file and no other.",
            todo="Give a file with one ClusterConfig, before all else.",
        )
    version = documents[number].get("apiVersion")
    if version != API_VERSION:
        raise ConfigurationError(
            f"the existing file has apiVersion {version}, and not {API_VERSION}",
            why="eksctl 0.97.0 and later take no other.",
            todo="Bring it up to date first.",
        )
    return number


def _span(tokens: tuple[Token, ...], number: int, length: int) -> tuple[int, int]:
    """The lines of a document: from its start marker, if any, to the next marker."""
    starts = [token.start_mark.line for token in tokens if isinstance(token, DocumentStartToken)]
    ends = [token.start_mark.line for token in tokens if isinstance(token, DocumentEndToken)]
    # The first document may have no marker; a text before the first marker is then a document of its own.
    first = next((token for token in tokens if isinstance(token, _CONTENT)), None)
    if first is not None and (not starts or first.start_mark.line < starts[0]):
        starts.insert(0, 0)
    begin = starts[number]
    following = [line for line in (*starts[number + 1 :], *ends) if line > begin]
    return begin, min(following, default=length)


def _content(tokens: tuple[Token, ...], lines: tuple[str, ...]) -> Iterator[int]:
    for token in tokens:
        if not isinstance(token, _CONTENT):
            continue
        first, last = token.start_mark.line, token.end_mark.line
        if isinstance(token, ScalarToken) and token.style in {"|", ">"}:
            header = lines[first][token.start_mark.column :].partition("#")[0]
            last = min(last, len(lines)) - (0 if token.end_mark.column else 1)
            while "+" not in header and last > first and not lines[last].strip():
                last -= 1
        yield from range(first, last + 1)


def _pairs(node: Node) -> Iterator[tuple[Node, Node]]:
    """All keys in block mappings, with values of their own that stand below them, from the top."""
    if isinstance(node, SequenceNode):
        for item in node.value:
            # One that begins before its sequence stands somewhere else, and is only referred to.
            if item.start_mark.index > node.start_mark.index:
                yield from _pairs(item)
    elif isinstance(node, MappingNode) and not node.flow_style:
        for key, value in node.value:
            if not isinstance(value.value, str) and not value.flow_style and value.start_mark.line > key.end_mark.line:
                yield key, value
                yield from _pairs(value)


def _column(entry: Entry) -> int:
    return int(entry.value.start_mark.column)


def _not_yaml(error: Exception) -> ConfigurationError:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
    where = f" (line {mark.line + 1})" if mark is not None else ""
    return ConfigurationError(
        f"the existing file is not YAML that can be read{where}", why=f"{problem}.", todo="Correct it first."
    )
