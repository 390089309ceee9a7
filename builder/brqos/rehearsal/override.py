"""Where a rehearsed build would fetch from: twoliter's override file and the variables of [mirrors], read as it does.

What upstream's build refuses is refused, in the words of the program that would refuse it; nothing is fetched.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from brqos.rehearsal.tree import RefusedError
from brqos.upstream.locked_images import is_older
from brqos.upstream.override import FILE, FIRST_TWOLITER

# go-containerregistry's pkg/name: what a repository may be called, behind the registry's host.
_REFERENCE = re.compile(r"[\w.-]+(:\d+)?(/[a-z0-9._-]+)+:[\w.-]+", re.ASCII)
_URLS = ("BUILDSYS_LOOKASIDE_CACHE", "TWOLITER_REPO")


def resolving(tree: Path) -> Iterator[str]:
    """The lines that twoliter prints for what comes from another registry; raises RefusedError."""
    overrides = _overrides(tree)
    lock = tomllib.loads((tree / "Twoliter.lock").read_text(encoding="utf-8")) if overrides else {}
    for image in (*lock.get("kit", []), *([lock["sdk"]] if lock else [])):
        place = _place(overrides, image)
        if place is None:
            continue
        if not _REFERENCE.fullmatch(place):
            raise RefusedError(f"Error: failed to fetch manifest for resource at {place}")
        told = f"{image['name']}-{image['version']}@{image['source']} (overridden-to: {place})"
        yield f"[INFO twoliter::project::lock::image] Resolving dependency image dependency '{told}'."


def check_urls(values: Mapping[str, str]) -> None:
    """Raise RefusedError for a variable that is no URL."""
    for key in _URLS:
        value = values.get(key)
        if value is not None and not urlsplit(value).scheme:
            raise RefusedError(f"error: invalid value '{value}' for '{key}': relative URL without a base")


def _overrides(tree: Path) -> dict[str, Any]:
    file = tree / FILE
    if not file.is_file():
        return {}
    makefile = (tree / "Makefile.toml").read_text(encoding="utf-8")
    if is_older(tomllib.loads(makefile)["env"]["TWOLITER_VERSION"], FIRST_TWOLITER):
        return {}
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8"))
        # Two tables deep, and text in them, or its types do not fit.
        entries = [entry for vendor in found.values() for entry in vendor.values()]
        fits = all(isinstance(entry.get(key, ""), str) for entry in entries for key in ("name", "registry"))
    except (tomllib.TOMLDecodeError, AttributeError):
        fits = False
    if not fits:
        raise RefusedError("Error: failed to deserialize overrides file")
    return found


def _place(overrides: dict[str, Any], image: dict[str, Any]) -> str | None:
    entry = overrides.get(image["vendor"], {}).get(image["name"])
    if entry is None:
        return None
    registry = entry.get("registry", image["source"].rpartition("/")[0])
    return f"{registry}/{entry.get('name', image['name'])}:v{image['version']}"
