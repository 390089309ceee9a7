"""Data as YAML that takes little room: what fits into a line stands in one. Pure.

A template is sent to CloudFormation as a whole, and its room is limited; policies are most of it.
"""

import json
from collections.abc import Mapping
from typing import Any

_WIDTH = 120


def compact(value: Mapping[str, Any], column: int) -> str:
    """The mapping's lines, each beginning at that column; no line end behind the last one.

    Texts and what is in brackets are JSON, which YAML 1.1 and 1.2 read the same.
    """
    return "\n".join(_mapping(value, column))


def _mapping(value: Mapping[str, Any], column: int) -> list[str]:
    return [line for key, item in value.items() for line in _entry(f"{' ' * column}{_key(key)}:", item, column)]


def _entry(head: str, item: object, column: int) -> list[str]:
    line = f"{head} {json.dumps(item, ensure_ascii=False)}"
    if len(line) <= _WIDTH and not _is_table(item):
        return [line]
    if isinstance(item, Mapping):
        return [head, *_mapping(item, column + 2)]
    if isinstance(item, list):
        return [head, *(line for one in item for line in _item(one, column + 2))]
    return [line]


def _is_table(item: object) -> bool:
    """Whether it is a list of mappings, statements for example, which stand below each other however short they are."""
    return isinstance(item, list) and any(isinstance(one, Mapping) and len(one) > 1 for one in item)


def _item(item: object, column: int) -> list[str]:
    if isinstance(item, Mapping) and len(item) > 1:
        first, *others = _mapping(item, column + 2)
        return [f"{' ' * column}- {first.lstrip()}", *others]
    return [f"{' ' * column}- {json.dumps(item, ensure_ascii=False)}"]


def _key(key: str) -> str:
    return key if key.isalnum() else json.dumps(key)
