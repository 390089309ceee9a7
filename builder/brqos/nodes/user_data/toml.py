"""Settings as the TOML of user data: what Bottlerocket reads at its first boot."""

import re
import tomllib
from collections.abc import Mapping
from typing import Any

import tomlkit
from tomlkit.items import Table

from brqos.errors import ConfigurationError

MOST_BYTES = 16 * 1024
"""EC2 takes 16 KiB of user data, before base64 (RunInstances, UserData)."""

_NOT_PLAIN = re.compile(r"[^\n\x20-\x7e]")


def to_toml(settings: Mapping[str, Any], *, most: int = MOST_BYTES) -> str:
    """`{"kubernetes": {...}}` as `[settings.kubernetes]` and what is in it, in its own order.

    Strings stay strings and numbers numbers, as Bottlerocket wants them; a key with a dot is quoted. Raises
    ConfigurationError for more than `most` bytes, and for what TOML cannot say.
    """
    text = _written(settings)
    size = len(text.encode())
    if size > most:
        raise ConfigurationError(
            f"the user data has {size} bytes",
            why=f"EC2 takes {most} at most.",
            todo="Leave some settings out, or bake them into the image.",
        )
    return text


def in_ascii(toml: str) -> str:
    """The same TOML where any other character than ASCII's is an escape, for readers that would change it."""
    return _NOT_PLAIN.sub(_escape, toml)


def _escape(found: re.Match[str]) -> str:
    # These stand in strings and quoted keys only; TOML's \u and \U mean the same there.
    code = ord(found[0])
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _written(settings: Mapping[str, Any]) -> str:
    """The text, read back: nothing may be lost on the way."""
    document = tomlkit.document()
    try:
        document["settings"] = _table(settings)
        text = tomlkit.dumps(document)
        same = tomllib.loads(text) == {"settings": settings}
    except (TypeError, ValueError):
        same = False
    if not same:
        raise ConfigurationError(
            "a setting has a value that user data cannot carry",
            why="User data is TOML, which knows text, numbers, true and false, lists and tables, and no null.",
            todo="Correct the value, or leave the setting out.",
        )
    return text


def _table(settings: Mapping[str, Any]) -> Table:
    # A table of nothing but tables needs no header of its own.
    tables = {key: value for key, value in settings.items() if isinstance(value, Mapping)}
    table = tomlkit.table(is_super_table=bool(tables) and len(tables) == len(settings))
    for key, value in settings.items():
        if key not in tables:
            table.add(key, value)
    for key, value in tables.items():
        table.add(key, _table(value))
    return table
