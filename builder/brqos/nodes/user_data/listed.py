"""The list of Bottlerocket's settings, `bottlerocket-settings.toml`, read: its head says where it is from."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from brqos.config.base import Model
from brqos.config.variants import Release
from brqos.errors import ConfigurationError
from brqos.variant import KubernetesVersion, VariantName

Type = Literal["string", "integer", "float", "boolean", "array", "table"]

OLDEST = "0.0.0"
"""`since` of what was always there."""

_DATA = Path(__file__).with_name("bottlerocket-settings.toml")
_RELEASE = re.compile(r"v?(\d+)\.(\d+)\.(\d+)", re.ASCII)


class Setting(Model):
    """One entry of the list, which explains the fields. Releases are Bottlerocket's, `1.66.0`."""

    type: tuple[Type, ...] = ("table",)
    since: Release = OLDEST
    flavor: Literal["nvidia", "other"] | None = None
    only_from: str | None = None
    effect_from: str | None = None
    values: tuple[str, ...] = ()
    values_since: Mapping[str, Release] = Field(default_factory=dict)
    least: float | None = None
    above: float | None = None
    most: float | None = None
    keys: "Mapping[str, Setting]" = Field(default_factory=dict)
    names: tuple[str, ...] = ()
    each: "Setting | None" = None

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, entry: object) -> dict[str, object]:
        written = entry if isinstance(entry, Mapping) else {"type": entry}
        types = written.get("type", "table")
        return {**written, "type": (types,) if isinstance(types, str) else types}

    @property
    def is_open(self) -> bool:
        """Whether nothing is listed of what is in this table."""
        return not self.keys and self.each is None

    @property
    def member_names(self) -> tuple[str, ...]:
        """The names that may stand below this table, as far as they are given ones."""
        return (*self.keys, *self.names)

    def member(self, name: str) -> "Setting | None":
        """What stands below this table under a name; None where nothing of this name may."""
        if self.is_open:
            return ANYTHING
        if self.names and name not in self.names:
            return None
        return self.keys.get(name, self.each)

    def is_for(self, variant: VariantName) -> bool:
        """Whether the images of this flavor know it."""
        return self.flavor is None or (self.flavor == "nvidia") == variant.is_nvidia


ANYTHING = Setting.model_validate({"type": ["string", "integer", "float", "boolean", "array", "table"]})
"""A value that is not looked at."""


class _List(Model):
    complete_to: Release
    settings: Mapping[str, Setting]


def everything() -> Setting:
    """What may stand below `settings`, as one table."""
    return _read()[0]


def complete_to() -> str:
    """The newest release whose settings are all listed; a later one may know more."""
    return _read()[1]


def order(release: str) -> tuple[int, int, int]:
    """A release to compare by, `1.66.0` or `v1.66.0`; raises ConfigurationError for anything else."""
    if match := _RELEASE.fullmatch(release):
        return int(match[1]), int(match[2]), int(match[3])
    raise ConfigurationError(
        f"“{release}” is not a release of Bottlerocket", todo="Write it as major.minor.patch, for example 1.50.0."
    )


def is_below(version: str | None, variant: VariantName) -> bool:
    """Whether a variant's Kubernetes is older than a version, if there is one."""
    return version is not None and variant.kubernetes < KubernetesVersion.parse(version)


@cache
def _read() -> tuple[Setting, str]:
    listed = _List.model_validate(tomllib.loads(_DATA.read_text(encoding="utf-8")))
    return Setting(keys=listed.settings), listed.complete_to
