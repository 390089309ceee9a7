"""os-release: what an image says it is, and what it says after it was changed.

rpm2img (twoliter 0.5.0) writes it to the image's `usr/lib/os-release`; on the running node, apiserver, updog and
metricdog read PRETTY_NAME, VARIANT_ID, VERSION_ID and BUILD_ID of it (core kit, sources/bottlerocket-release), taking
one pair of quotes off a value and knowing no escapes.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from brqos.errors import ConfigurationError
from brqos.variant import VariantName

_LINE = re.compile(r"(?P<key>[A-Z][A-Z0-9_]*)=(?P<value>.*)")
# Without quotes, backslashes and dollars: a shell, systemd and upstream's own reader then all see the same.
_NAME = re.compile(r'[^"\\$`\x00-\x1f]{1,120}')
_NEEDED = ("VARIANT_ID", "VERSION_ID", "BUILD_ID")


@dataclass(frozen=True, slots=True)
class OsRelease:
    """The file's text, and its values without quotes."""

    text: str
    values: Mapping[str, str]

    @property
    def variant_id(self) -> str:
        """Such as `aws-k8s-1.29`."""
        return self.values["VARIANT_ID"]

    @property
    def version_id(self) -> str:
        """The release, `1.55.0`."""
        return self.values["VERSION_ID"]

    @property
    def build_id(self) -> str:
        """The short commit of Bottlerocket's sources."""
        return self.values["BUILD_ID"]

    @property
    def pretty_name(self) -> str:
        """What people read."""
        return self.values.get("PRETTY_NAME", "")


def parse(content: bytes) -> OsRelease:
    """Read the file; raises ConfigurationError where it is not Bottlerocket's."""
    text = content.decode(errors="replace")
    values = {match["key"]: _bare(match["value"]) for line in text.splitlines() if (match := _LINE.fullmatch(line))}
    if values.get("ID") != "bottlerocket":
        raise ConfigurationError(
            "the image is not Bottlerocket",
            why=f"Its os-release says ID={values.get('ID') or '(nothing)'}.",
            todo="Give an OS image of Bottlerocket's.",
        )
    if missing := [key for key in _NEEDED if not values.get(key)]:
        raise ConfigurationError(
            "the os-release of the image is not as expected",
            why=f"It has no {' and no '.join(missing)}.",
            todo="Give an OS image of Bottlerocket's own; one that was changed otherwise is not known here.",
        )
    return OsRelease(text, values)


def modified(release: OsRelease, variant: VariantName, name: str) -> str:
    """The text for the changed image: another variant and another name; version and build stay.

    `name` is the setting `build.pretty-name`, which a source build takes as well. The trademark policy (bottlerocket's
    TRADEMARKS.md, on modified versions) asks it to say who made the changes: “Foocorp's Bottlerocket Derivative”.
    PRETTY_NAME keeps upstream's form, `<name> <version> (<variant>)`. Raises ConfigurationError for a name that cannot
    stand there.
    """
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"“{name}” cannot be the name of an image",
            why="It goes into os-release: 1 to 120 characters, and no quotes, backslashes, dollar signs or backticks.",
            todo="Write it like Example Corp's Bottlerocket derivative.",
        )
    version = f"{release.version_id} ({variant.memory_qos})"
    changes = {
        "NAME": f'"{name}"',
        "VERSION": f'"{version}"',
        "PRETTY_NAME": f'"{name} {version}"',
        "VARIANT_ID": variant.memory_qos,
    }
    lines = []
    for line in release.text.splitlines():
        match = _LINE.fullmatch(line)
        key = match["key"] if match else ""
        lines.append(f"{key}={changes.pop(key)}" if key in changes else line)
    lines += [f"{key}={value}" for key, value in changes.items()]
    return "\n".join(lines) + "\n"


def _bare(value: str) -> str:
    return value[1:-1] if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'" else value
