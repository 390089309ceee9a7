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
ROOM_TO_JOIN = 2 * 1024 + 256
"""Bytes of it for what joins a node to its cluster, where another tool adds that: the certificate has most of them."""
_BEYOND_64_BITS = 2**63

_NOT_PLAIN = re.compile(r"[^\n\x20-\x7e]")


def to_toml(settings: Mapping[str, Any], *, room: int = 0) -> str:
    """`{"kubernetes": {...}}` as `[settings.kubernetes]` and what is in it, in its own order.

    Strings stay strings and numbers numbers, as Bottlerocket wants them; a key with a dot is quoted. Raises
    ConfigurationError for what TOML cannot say, and for more bytes than EC2 takes with `room` of them for others.
    """
    text = _written(settings)
    check_size(text, room=room)
    return text


def check_size(text: str, *, room: int = 0) -> None:
    """Refuse more bytes than EC2 takes, which says so when the first instance is started; raises ConfigurationError."""
    size = len(text.encode())
    if size > MOST_BYTES - room:
        others = f", and what is added to it needs up to {room} of them" if room else ""
        raise ConfigurationError(
            f"the user data has {size} bytes",
            why=f"EC2 takes {MOST_BYTES} at most{others}.",
            todo="Leave some settings out, or bake them into the image.",
        )


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
        same = tomllib.loads(text) == {"settings": settings} and _fit(settings)
    except (TypeError, ValueError):
        same = False
    if not same:
        raise ConfigurationError(
            "a setting has a value that user data cannot carry",
            why="User data is TOML, which knows text, numbers of up to 64 bits, true and false, lists and tables, and "
            "no null.",
            todo="Correct the value, or leave the setting out.",
        )
    return text


def _fit(value: object) -> bool:
    """Whether all whole numbers have 64 bits or fewer: Python's TOML takes longer ones, Bottlerocket's does not."""
    match value:
        case Mapping():
            return all(_fit(item) for item in value.values())
        case list() | tuple():
            return all(_fit(item) for item in value)
        case int():
            return -_BEYOND_64_BITS <= value < _BEYOND_64_BITS
        case _:
            return True


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
