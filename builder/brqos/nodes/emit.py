"""Data as YAML text that YAML 1.1 and 1.2 read the same, with comments.

eksctl reads YAML 1.1 (sigs.k8s.io/yaml), most editors and CI tools 1.2: `on`, `1.30`, `0123` and `1:30` are text in one
and something else in the other. So every text that could be taken for anything else is quoted; what is not quoted
begins with a letter and is none of YAML 1.1's words. A text of several lines stands line by line, as a literal block.
"""

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import RoundTripRepresenter
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_/-]*(?:\.[A-Za-z0-9_/-]+)*", re.ASCII)
# Line ends of YAML 1.1 that are none to anybody else, and a mark that readers drop.
_UNSAFE = frozenset("\x85\u2028\u2029\ufeff")
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Indentation:
    """Columns: of a mapping in a mapping, of a sequence's dash, and of what follows the dash, each from its key's."""

    mapping: int = 2
    dash: int = 2
    item: int = 4

    def column(self, path: Path) -> int:
        """Where the keys stand of the mapping at this path."""
        items = sum(isinstance(part, int) for part in path)
        # Each sequence is the value of a key, whose column its items are counted from.
        return self.item * items + self.mapping * (len(path) - 2 * items)


OURS = Indentation()


def to_yaml(
    document: Mapping[str, Any],
    *,
    head: str = "",
    remarks: Mapping[Path, str] | None = None,
    indentation: Indentation = OURS,
) -> str:
    """The document in its own order; `head` stands above it, and a remark above the key at its path.

    Raises ValueError for a remark about a key that is not there: it would be lost without a word.
    """
    yaml = YAML()
    yaml.Representer = _Representer
    yaml.indent(mapping=indentation.mapping, sequence=indentation.item, offset=indentation.dash)
    yaml.width = 4096
    yaml.allow_unicode = True
    writer = _Writer(dict(remarks or {}), indentation)
    root = writer.node(document, ())
    if writer.remarks:
        raise ValueError(f"remarks about keys that the document does not have: {sorted(map(str, writer.remarks))}")
    text = io.StringIO()
    yaml.dump(root, text)
    return (_commented(head) + "\n" if head else "") + text.getvalue()


def _commented(text: str) -> str:
    return "".join(f"# {line}".rstrip() + "\n" for line in text.splitlines())


class _Representer(RoundTripRepresenter):
    """Writes floats so that YAML 1.1 takes them for such: it wants a dot, which Python leaves out of 1e-05."""

    def represent_number(self, value: float) -> ScalarNode:
        """A float that is neither infinite nor NaN."""
        text = repr(value)
        return self.represent_scalar("tag:yaml.org,2002:float", text if "." in text else text.replace("e", ".0e"))


_Representer.add_representer(float, _Representer.represent_number)


@dataclass(slots=True)
class _Writer:
    """Data as ruamel's nodes; what is left in `remarks` had no key to stand above."""

    remarks: dict[Path, str]
    indentation: Indentation

    def node(self, value: object, path: Path) -> object:
        match value:
            case Mapping():
                return self._mapping(value, path)
            case list() | tuple():
                return CommentedSeq(self.node(item, (*path, number)) for number, item in enumerate(value))
            case str():
                return LiteralScalarString(value) if _is_block(value) else _text(value, key=False)
            case _:
                return value

    def _mapping(self, value: Mapping[str, Any], path: Path) -> CommentedMap:
        node = CommentedMap()
        for key, item in value.items():
            here = (*path, key)
            written = _text(key, key=True)
            node[written] = self.node(item, here)
            if remark := self.remarks.pop(here, ""):
                column = self.indentation.column(path)
                node.yaml_set_comment_before_after_key(written, before=remark, indent=column)
        return node


def _is_block(text: str) -> bool:
    """Whether a text is lines, each with its end, that a block can hold as they are."""
    lines = text.split("\n")
    return (
        len(lines) > 1
        and lines[-1] == ""
        and lines[-2] != ""
        and not text.startswith((" ", "\n"))
        and all(not line.endswith(" ") and line.isprintable() and not _UNSAFE & set(line) for line in lines)
    )


def _text(text: str, *, key: bool) -> str:
    plain = _PLAIN.fullmatch(text) is not None and text.lower() not in _WORDS
    # A key with a dot reads like nested keys, and is quoted to be seen as one.
    return text if plain and not (key and "." in text) else DoubleQuotedScalarString(text)
