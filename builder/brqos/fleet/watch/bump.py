"""The pin, written anew: everything else in the file stays as it was, to the byte."""

import stat
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tomlkit
from tomlkit.exceptions import TOMLKitError

from brqos.errors import ConfigurationError
from brqos.files import write_atomically
from brqos.fleet.watch.difference import Difference
from brqos.fleet.watch.look import Upstream
from brqos.fleet.watch.model import Report, Watched
from brqos.fleet.watch.pins import REPACKED
from brqos.fleet.watch.position import newest_of_all
from brqos.upstream.releases import Release, parse_release


@dataclass(frozen=True, slots=True)
class Bump:
    """A pin to be moved: `differences` are what that changes for each variant of the file; nothing is written yet."""

    path: Path
    key: str
    old: str
    new: str
    differences: tuple[tuple[Watched, Difference], ...]
    held_back: tuple[Watched, ...]
    """Variants that have a newer release than this one, which others of the file do not have."""
    text: str
    changed: str


def plan_bump(report: Report, upstream: Upstream, path: Path) -> Bump | None:
    """The pin of a file moved to the newest release that all of its variants have; None where that is no newer one.

    Raises ConfigurationError for a branch, for a file that cannot be changed, and, as UpstreamError, where the newer
    release cannot be planned for any of its variants.
    """
    watched = report.watched
    target = newest_of_all([one.pin.variant for one in watched], upstream.releases)
    behind = [one for one in watched if target and target.version > one.pinned.release]
    if not behind or target is None:
        return None
    _refuse_steps_back(watched, target, path)
    pin, pinned = watched[0].pin, watched[0].pinned
    if parse_release(pin.ref) is None and not pinned.commit.startswith(pin.ref):
        raise ConfigurationError(
            f"{pin.key} = {pin.ref} is a branch, which moves by itself",
            why="Only a tag or a commit is a pin that can be written anew.",
            todo=f"Write {pin.key} = {target.name} into {path} yourself if that is meant.",
        )
    differences = tuple((one, _difference(one, upstream, target)) for one in behind)
    held_back = tuple(one for one in watched if one.position.newest and one.position.newest.version > target.version)
    new = target.name.removeprefix("v") if pin.key == REPACKED else target.name
    old = pin.ref.removeprefix("v") if pin.key == REPACKED else pin.ref
    text = _read(path)
    changed = edited(text, pin.key, new, path)
    if _value(text, pin.key) not in {None, old}:
        raise _changed_meanwhile(path)
    return Bump(path, pin.key, old, new, differences, held_back, text, changed)


def write_bump(bump: Bump) -> None:
    """Write the file, whole or not at all; raises ConfigurationError if somebody changed it since it was read."""
    if _read(bump.path) != bump.text:
        raise _changed_meanwhile(bump.path)
    # A link stays a link; what it points at is written.
    target = bump.path.resolve()
    write_atomically(target, bump.changed, mode=stat.S_IMODE(target.stat().st_mode))


def edited(text: str, key: str, value: str, path: Path) -> str:
    """The document with `section.name` set; comments, order and all other bytes stay.

    Raises ConfigurationError where that cannot be done.
    """
    section, name = key.split(".")
    try:
        document = tomlkit.parse(text)
        table = document.get(section)
        if table is None:
            table = tomlkit.table()
            document.append(section, table)
        table[name] = value
        changed = tomlkit.dumps(document)
        after = tomllib.loads(changed)
    except (TOMLKitError, tomllib.TOMLDecodeError, TypeError, AttributeError) as error:
        raise _unchangeable(path, key, value, str(error)) from None
    wanted = tomllib.loads(text)
    wanted.setdefault(section, {})[name] = value
    if after != wanted:
        raise _unchangeable(path, key, value, "Something else in it would change, too.")
    return changed


def _difference(one: Watched, upstream: Upstream, target: Release) -> Difference:
    if one.position.newest == target and one.difference is not None:
        return one.difference
    if one.position.newest == target and one.unplanned is not None:
        raise one.unplanned
    return upstream.compare(one.pin, one.pinned, target)


def _refuse_steps_back(watched: Sequence[Watched], target: Release, path: Path) -> None:
    """Without a pin in the file each variant has its own; one for all of them must move none back."""
    for one in watched:
        if one.pinned.release > target.version:
            raise ConfigurationError(
                f"one pin for all variants of {path} would move {one.pin.variant} back to {target.name}",
                why=f"It is pinned to {one.pin.ref} now, by {one.pin.origin}; {target.name} is the newest release that "
                "all of them have.",
                todo="Put the variants that upstream has dropped into a file of their own.",
            )


def _value(text: str, key: str) -> object:
    section, name = key.split(".")
    return tomllib.loads(text).get(section, {}).get(name)


def _changed_meanwhile(path: Path) -> ConfigurationError:
    return ConfigurationError(
        f"{path} was changed while brqos looked at it",
        why="What was shown may not be what would be written.",
        todo="Run the same command again.",
    )


def _read(path: Path) -> str:
    try:
        # Not read_text: line ends stay what they are.
        return path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{path} cannot be read", why=str(error), todo="Name another file with --config, or make it readable."
        ) from None


def _unchangeable(path: Path, key: str, value: str, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"{key} in {path} cannot be changed without touching the rest",
        why=why,
        todo=f'Write {key} = "{value}" yourself.',
    )
