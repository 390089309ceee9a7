"""User data that EKS merges with its own: of TOML it understands less than Bottlerocket does.

The list is in the EKS User Guide (nodes/launch-templates, "Bottlerocket user data": "Amazon EKS doesn't support all
valid TOML"). It is about nodegroups without an ImageId only; with one EKS does not look at user data.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from brqos.errors import ConfigurationError

_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


def check_mergeable(settings: Mapping[str, Any]) -> None:
    """Refuse settings whose TOML EKS cannot read; raises ConfigurationError for the first."""
    _check_table(settings, ())


def _check_table(table: Mapping[str, Any], path: tuple[str, ...]) -> None:
    for key, value in table.items():
        here = (*path, key)
        if '"' in key or "\\" in key:
            raise _refused(here, "a quotation mark or a backslash in its name")
        if isinstance(value, Mapping):
            if _BARE.fullmatch(key) is None:
                raise _refused(here, "a table whose name has to be quoted")
            _check_table(value, here)
        else:
            _check_value(value, here)


def _check_value(value: object, path: tuple[str, ...]) -> None:
    if isinstance(value, str) and ('"' in value or "\\" in value):
        raise _refused(path, "a quotation mark or a backslash in its value")
    if isinstance(value, Sequence) and not isinstance(value, str):
        if len({type(item) for item in value}) > 1:
            raise _refused(path, "values of several types in one list")
        if any(isinstance(item, Mapping) for item in value):
            raise _refused(path, "tables in a list")
        for item in value:
            _check_value(item, path)


def _refused(path: tuple[str, ...], what: str) -> ConfigurationError:
    return ConfigurationError(
        f"EKS cannot read the Bottlerocket setting {'.'.join(path)}: {what}",
        why="With the official AMI EKS merges this user data with its own, and it does not know all of TOML.",
        todo="Leave the setting out, or bake an AMI of your own, whose user data EKS does not touch.",
    )
