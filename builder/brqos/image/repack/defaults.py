"""The defaults of an image's settings, and the one that in-place updates depend on.

settings-defaults.spec installs one file per variant below `usr/share/storewolf`, under the name of the variant that it
was written for (aws-k8s-1.31 serves several), and a tmpfiles.d line that says which one this image takes.
"""

import re
import tomllib
from dataclasses import dataclass, field

import tomlkit

from brqos.errors import ConfigurationError
from brqos.image.repack.filesystem.model import FileSystem

_TMPFILES = "lib/tmpfiles.d"
_NAMED = re.compile(r"storewolf-defaults-.+\.conf")
_LINE = re.compile(r"L\+? /etc/storewolf/defaults\.toml - - - - (?P<path>/\S+)")


@dataclass(frozen=True, slots=True)
class Defaults:
    """The file with the defaults: `path` in the root file system, and its text."""

    path: str
    text: str = field(repr=False)


def find_defaults(files: FileSystem, usr: str) -> Defaults:
    """The file that storewolf takes; raises ConfigurationError where it is not there exactly once, or no TOML."""
    found = []
    for name in files.entries(f"{usr}/{_TMPFILES}"):
        if _NAMED.fullmatch(name):
            text = (files.read(f"{usr}/{_TMPFILES}/{name}") or b"").decode(errors="replace")
            found += [match["path"] for match in _LINE.finditer(text)]
    if len(found) != 1:
        raise _unexpected(f"{len(found)} lines in {usr}/{_TMPFILES} say which file they are in")
    # It may name the file by the link /usr.
    path = f"{usr}/{found[0].removeprefix('/usr/')}" if found[0].startswith("/usr/") else found[0]
    if not path.isprintable() or {"", ".", ".."} & set(path.split("/")[1:]):
        raise _unexpected(f"{path!r} is no plain path")
    content = files.read(path)
    if content is None:
        raise _unexpected(f"there is no file {path}")
    defaults = Defaults(path, content.decode(errors="replace"))
    try:
        tomllib.loads(defaults.text)
    except tomllib.TOMLDecodeError as error:
        raise _unexpected(f"{path} is not TOML: {error}") from None
    return defaults


def with_updates_off(defaults: Defaults, version: str) -> str:
    """The file's text with settings.updates.version-lock at the image's own version.

    updog then finds nothing to do: “if the configured version-lock matches our current version, we won't update to the
    same version” (core kit, sources/updater/updog/src/main.rs, update_required). It is a default: user data, and
    anybody who may call the node's API, can set another value.
    """
    document = tomlkit.parse(defaults.text)
    try:
        document["settings"]["updates"]["version-lock"] = version
    except (KeyError, TypeError):
        raise _unexpected(f"{defaults.path} has no [settings.updates]") from None
    return tomlkit.dumps(document)


def _unexpected(why: str) -> ConfigurationError:
    return ConfigurationError(
        "the defaults of the image's settings are not as expected",
        why=f"{why[0].upper()}{why[1:]}.",
        todo="Give an OS image of Bottlerocket's own; one that was changed otherwise is not known here.",
    )
