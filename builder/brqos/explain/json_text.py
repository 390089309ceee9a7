"""The explanation as JSON text: one line per container and pod, so that a line is a record."""

import json
from collections.abc import Mapping


def json_text(document: Mapping[str, object]) -> str:
    """The document; lists of objects with one object per line. Much quicker than an indented encoder for long lists."""
    parts = [f"  {json.dumps(key)}: {_value(value)}" for key, value in document.items()]
    return "{\n" + ",\n".join(parts) + "\n}"


def _value(value: object) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        lines = ",\n".join(f"    {json.dumps(each, ensure_ascii=False)}" for each in value)
        return f"[\n{lines}\n  ]"
    return json.dumps(value, ensure_ascii=False)
