"""Data as YAML text that YAML 1.1 and 1.2 read the same, with comments.

eksctl reads YAML 1.1 (sigs.k8s.io/yaml), most editors and CI tools 1.2: `on`, `1.30`, `0123` and `1:30` are text in one
and something else in the other. So every text that could be taken for anything else is quoted; what is not quoted
begins with a letter and is none of YAML 1.1's words.
"""

import io
import re
from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_/-]*(?:\.[A-Za-z0-9_/-]+)*", re.ASCII)
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_INDENT = 2

Path = tuple[str | int, ...]


def to_yaml(document: Mapping[str, Any], *, head: str = "", remarks: Mapping[Path, str] | None = None) -> str:
    """The document in its own order; `head` stands above it, and a remark above the key at its path.

    Raises ValueError for a remark about a key that is not there: it would be lost without a word.
    """
    yaml = YAML()
    yaml.indent(mapping=_INDENT, sequence=2 * _INDENT, offset=_INDENT)
    yaml.width = 4096
    yaml.allow_unicode = True
    left = dict(remarks or {})
    root = _node(document, (), left)
    if left:
        raise ValueError(f"remarks about keys that the document does not have: {sorted(map(str, left))}")
    text = io.StringIO()
    yaml.dump(root, text)
    return (_commented(head) + "\n" if head else "") + text.getvalue()


def _commented(text: str) -> str:
    return "".join(f"# {line}".rstrip() + "\n" for line in text.splitlines())


def _node(value: object, path: Path, remarks: dict[Path, str]) -> object:
    match value:
        case Mapping():
            return _mapping(value, path, remarks)
        case list() | tuple():
            return CommentedSeq(_node(item, (*path, number), remarks) for number, item in enumerate(value))
        case str():
            return _text(value, key=False)
        case _:
            return value


def _mapping(value: Mapping[str, Any], path: Path, remarks: dict[Path, str]) -> CommentedMap:
    node = CommentedMap()
    for key, item in value.items():
        here = (*path, key)
        written = _text(key, key=True)
        node[written] = _node(item, here, remarks)
        if remark := remarks.pop(here, ""):
            node.yaml_set_comment_before_after_key(written, before=remark, indent=_column(path))
    return node


def _column(path: Path) -> int:
    # An item of a sequence begins two columns further, after its dash.
    return _INDENT * len(path)


def _text(text: str, *, key: bool) -> str:
    plain = _PLAIN.fullmatch(text) is not None and text.lower() not in _WORDS
    # A key with a dot reads like nested keys, and is quoted to be seen as one.
    return text if plain and not (key and "." in text) else DoubleQuotedScalarString(text)
