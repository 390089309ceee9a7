"""Which Bottlerocket settings an image knows.

An unknown key or a value of the wrong type makes Bottlerocket refuse all of a node's user data at its first boot, and
the node never joins (bottlerocket#4881): so it is refused here. Upstream has one model for all Kubernetes versions, and
another one for the NVIDIA images; what differs by Kubernetes version is what an image does with a setting.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from brqos.config.variants import Flavor, shipped_flavor
from brqos.errors import ConfigurationError
from brqos.nodes.user_data.listed import ANYTHING, OLDEST, Setting, Type, complete_to, everything, is_below, order
from brqos.variant import VariantName

Path = tuple[str, ...]

MEMORY_QOS = frozenset({"memory-throttling-factor", "memory-reservation-policy"})
"""The settings of Bottlerocket's own that do what an image of ours does (official.py)."""

_SIMILAR = 0.7
_FEW = 8
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+(\[\d+\])*", re.ASCII)
_WHOLE_NUMBER = re.compile(r"[+-]?\d{1,9}", re.ASCII)
_ARTICLES = {"integer": "an integer", "array": "an array"}

_REFUSES_ALL = "Bottlerocket refuses all of a node's user data over one wrong setting, and the node never joins."


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A setting: its dotted path, `kubernetes.max-pods`, its TOML types, and the first release with it ("": all).

    In a path, `<name>` stands for any name: `host-containers.<name>.enabled`.
    """

    path: str
    types: tuple[Type, ...]
    since: str


def check_settings(settings: Mapping[str, Any], *, variant: VariantName, release: str | None) -> tuple[str, ...]:
    """Refuse settings over which an image of this variant would refuse all user data; warnings about doubtful ones.

    `settings` is what stands below `settings` in the TOML, nested: `{"kubernetes": {"max-pods": 110}}`. `release` is
    the image's Bottlerocket release, None where it is not known: then a setting that only some releases of the variant
    know is a warning. Raises ConfigurationError, with what to do.
    """
    if release is not None:
        order(release)
    check = _Check(variant, release)
    check.members(everything(), settings, ())
    return tuple(check.warnings)


def keys_for(variant: VariantName, release: str | None = None) -> tuple[KnownKey, ...]:
    """The settings that an image of a variant knows and does something with, by their paths.

    Without a release it is the variant's newest one. Raises ConfigurationError for a release that is none.
    """
    if release is None:
        flavor = _shipped(variant)
        release = flavor.newest_release if flavor else complete_to()
    found = _walk(everything(), (), OLDEST, variant, release)
    return tuple(sorted(found, key=lambda known: known.path))


def _walk(table: Setting, path: Path, since: str, variant: VariantName, release: str) -> Iterator[KnownKey]:
    members = dict(table.keys)
    if table.each is not None:
        members |= dict.fromkeys(table.names or ("<name>",), table.each)
    for name, setting in members.items():
        here = (*path, name)
        first = max(since, setting.since, key=order)
        idle = is_below(setting.only_from, variant) or is_below(setting.effect_from, variant)
        if order(first) > order(release) or idle or not setting.is_for(variant):
            continue
        if setting.type == ("table",) and not setting.is_open:
            yield from _walk(setting, here, first, variant, release)
        else:
            yield KnownKey(_dotted(here), setting.type, "" if first == OLDEST else first)


@dataclass(slots=True)
class _Check:
    """One check of settings against an image. Paths are below `settings`."""

    variant: VariantName
    release: str | None
    warnings: list[str] = field(default_factory=list)

    def members(self, table: Setting, values: Mapping[str, Any], path: Path) -> None:
        later = self.release is not None and order(self.release) > order(complete_to())
        for name, value in values.items():
            here = (*path, str(name))
            setting = table.member(here[-1])
            if setting is not None:
                self.one(setting, value, here)
            elif later and value is not None and not _similar(here[-1], table):
                self.warnings.append(
                    f"{_full(here)} is not known to brqos, which has the settings of Bottlerocket up to "
                    f"{complete_to()}: an image that does not know it either refuses all user data."
                )
            else:
                raise _unknown(table, value, here)

    def one(self, setting: Setting, value: object, path: Path) -> None:
        if value is None:
            raise ConfigurationError(
                f"{_full(path)} has no value", why="TOML has no null.", todo="Give it one, or leave it out."
            )
        self._image(setting, path)
        self._age(setting.since, _full(path))
        kind = _type_of(value)
        if kind not in setting.type and not (kind == "integer" and "float" in setting.type):
            raise _wrong_type(setting, value, path)
        self._value(setting, value, path)
        if isinstance(value, Mapping):
            self.members(setting, value, path)
        elif isinstance(value, Sequence) and not isinstance(value, str):
            for index, element in enumerate(value):
                self.one(setting.each or ANYTHING, element, (*path[:-1], f"{path[-1]}[{index}]"))

    def _image(self, setting: Setting, path: Path) -> None:
        if not setting.is_for(self.variant):
            raise ConfigurationError(
                f"images of {self.variant} do not know {_full(path)}",
                why=f"Only {'' if setting.flavor == 'nvidia' else 'images other than '}NVIDIA's do. {_REFUSES_ALL}",
                todo="Leave it out.",
            )
        if is_below(setting.only_from, self.variant):
            raise ConfigurationError(
                f"{_full(path)} does nothing on {self.variant}",
                why=f"Only images for Kubernetes {setting.only_from} and later read it; elsewhere nothing is ever told "
                "of it, not the kubelet either.",
                todo="Leave it out; an image that brqos built has its MemoryQoS baked in."
                if path[-1] in MEMORY_QOS
                else "Leave it out.",
            )
        if is_below(setting.effect_from, self.variant):
            self.warnings.append(
                f"{_full(path)} does nothing on {self.variant}: only images for Kubernetes {setting.effect_from} and "
                "later read it."
            )

    def _value(self, setting: Setting, value: object, path: Path) -> None:
        if isinstance(value, str) and setting.values:
            if value not in setting.values:
                raise ConfigurationError(
                    f"{_full(path)} cannot be “{value}”", why=_REFUSES_ALL, todo=f"Use {_either(setting.values)}."
                )
            self._age(setting.values_since.get(value, OLDEST), f"{_full(path)} = “{value}”")
        if bounds := _out_of_bounds(setting, value):
            raise ConfigurationError(f"{_full(path)} cannot be {value}", why=_REFUSES_ALL, todo=f"It is {bounds}.")

    def _age(self, since: str, what: str) -> None:
        if self.release is not None:
            if order(self.release) < order(since):
                raise ConfigurationError(
                    f"Bottlerocket {self.release} does not know {what}",
                    why=f"It is known from {since} on. {_REFUSES_ALL}",
                    todo=f"Leave it out, or use an image of Bottlerocket {since} or later.",
                )
            return
        flavor = _shipped(self.variant)
        if order(since) <= order(flavor.first_release if flavor else OLDEST):
            return
        if flavor is not None and flavor.last_release is not None and order(since) > order(flavor.last_release):
            raise ConfigurationError(
                f"no image of {self.variant} knows {what}",
                why=f"It is known from Bottlerocket {since} on, and the last release with this variant is "
                f"{flavor.last_release}. {_REFUSES_ALL}",
                todo="Leave it out.",
            )
        self.warnings.append(f"{what} is known from Bottlerocket {since} on: an older image refuses all user data.")


def _unknown(table: Setting, value: object, path: Path) -> ConfigurationError:
    name = path[-1]
    if isinstance(value, Mapping) and any(known.startswith(f"{name}.") for known in table.member_names):
        signal = next((f"{name}.{part}" for part in value if f"{name}.{part}" in table.member_names), f"{name}....")
        return ConfigurationError(
            f"{_full(path)} is a table, and what belongs there is one key with a dot",
            why=_REFUSES_ALL,
            todo=f'Write the key in quotes, as "{signal}".',
        )
    what = f"Bottlerocket has no setting {_full(path)}"
    if "." in name and table.member(name.partition(".")[0]) is not None:
        return ConfigurationError(what, why=_REFUSES_ALL, todo="Leave out the quotes: each part is a table of its own.")
    if similar := _similar(name, table):
        return ConfigurationError(what, why=_REFUSES_ALL, todo=f"Did you mean {_full((*path[:-1], similar))}?")
    names = table.member_names
    there = f" There are {', '.join(names)}." if len(names) <= _FEW else ""
    return ConfigurationError(what, why=_REFUSES_ALL, todo=f"Leave it out.{there}")


def _wrong_type(setting: Setting, value: object, path: Path) -> ConfigurationError:
    kind = _type_of(value)
    wanted = " or ".join(_ARTICLES.get(name, f"a {name}") for name in setting.type)
    todo = f"Write {wanted}."
    if isinstance(value, Mapping):
        todo = f"Write {wanted}; if this is part of a key with dots, write all of that key in quotes."
    elif "string" in setting.type and kind in {"integer", "float", "boolean"}:
        todo = f'Write it in quotes: "{str(value).lower()}".'
    elif isinstance(value, str) and setting.type[0] in {"integer", "float", "boolean"}:
        todo = f"Write {wanted}, without quotes."
    return ConfigurationError(
        f"{_full(path)} is {_ARTICLES.get(kind, f'a {kind}')}, and Bottlerocket wants {wanted}",
        why=_REFUSES_ALL,
        todo=todo,
    )


def _out_of_bounds(setting: Setting, value: object) -> str:
    """What a number should be if it is not; empty where it is right or no number is wanted."""
    if (setting.least, setting.above, setting.most) == (None, None, None):
        return ""
    parts = []
    if setting.least is not None:
        parts.append(f"at least {setting.least:g}")
    if setting.above is not None:
        parts.append(f"above {setting.above:g}")
    if setting.most is not None:
        parts.append(f"at most {setting.most:g}")
    if isinstance(value, str):
        value = int(value) if _WHOLE_NUMBER.fullmatch(value) else None
    if isinstance(value, int | float) and _within(setting, value):
        return ""
    return f"a number, {' and '.join(parts)}"


def _within(setting: Setting, number: float) -> bool:
    return (
        (setting.least is None or number >= setting.least)
        and (setting.above is None or number > setting.above)
        and (setting.most is None or number <= setting.most)
    )


def _type_of(value: object) -> str:
    """The value's type in TOML's words; another type's own name."""
    if isinstance(value, Mapping):
        return "table"
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return "array"
    for kind, name in ((bool, "boolean"), (int, "integer"), (float, "float"), (str, "string")):
        if isinstance(value, kind):
            return name
    return type(value).__name__


def _similar(name: str, table: Setting) -> str:
    return next(iter(get_close_matches(name, table.member_names, 1, _SIMILAR)), "")


def _shipped(variant: VariantName) -> Flavor | None:
    return shipped_flavor(variant) or shipped_flavor(VariantName(variant.kubernetes))


def _either(values: Sequence[str]) -> str:
    shown = [f"“{value}”" for value in values]
    return " or ".join(part for part in (", ".join(shown[:-1]), shown[-1]) if part)


def _full(path: Path) -> str:
    return f"settings.{_dotted(path)}"


def _dotted(path: Path) -> str:
    return ".".join(part if _BARE_KEY.fullmatch(part) or part == "<name>" else f'"{part}"' for part in path)
