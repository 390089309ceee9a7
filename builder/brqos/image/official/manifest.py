"""Which releases the repository lists for a variant, and what their images are called.

`manifest.json` is a target of the repository (core kit 12.3.0, sources/updater/update_metadata, struct Manifest). It
lists what in-place updates take: boot, root and hash images. The disk images are targets beside them, each under two
names (twoliter 0.5.0, Makefile.toml, task `repo`): `bottlerocket-<variant>-<arch>-<version>-<build>.img.lz4` and
`bottlerocket-<variant>-<arch>-v<version>.img.lz4`, likewise with `-data.img.lz4`.
"""

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import total_ordering
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from brqos.architecture import Architecture
from brqos.errors import ConfigurationError, UpstreamError

MANIFEST = "manifest.json"
MANIFEST_LIMIT = 10 << 20

_VERSION = re.compile(r"v?(?P<numbers>\d{1,9}\.\d{1,9}\.\d{1,9})(?:-(?P<pre>[0-9A-Za-z.-]+))?", re.ASCII)
_SHOWN = 8


@total_ordering
@dataclass(frozen=True, slots=True)
class Version:
    """A release such as 1.26.1; one with a suffix (1.0.0-rc1) comes before the same without."""

    numbers: tuple[int, ...]
    pre: str = ""

    @classmethod
    def parse(cls, text: str) -> "Version":
        """`1.26.1` or `v1.26.1`; raises ValueError."""
        match = _VERSION.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"“{text}” is not a release of Bottlerocket's, such as 1.26.1")
        return cls(tuple(int(number) for number in match["numbers"].split(".")), match["pre"] or "")

    def __str__(self) -> str:
        return ".".join(map(str, self.numbers)) + (f"-{self.pre}" if self.pre else "")

    def __lt__(self, other: "Version") -> bool:
        return (self.numbers, not self.pre, self.pre) < (other.numbers, not other.pre, other.pre)


@dataclass(frozen=True, slots=True)
class Release:
    """A release of a variant: the first names of its images, the best first; `from_moment` is when its waves begin."""

    version: Version
    stems: tuple[str, ...]
    build: str | None
    from_moment: datetime | None
    newest_allowed: Version

    def images(self, targets: Collection[str]) -> tuple[str, str] | None:
        """The target names of the OS image and the data image, or None if the repository has not both."""
        for stem in self.stems:
            os, data = f"{stem}.img.lz4", f"{stem}-data.img.lz4"
            if os in targets and data in targets:
                return os, data
        return None


class _Images(BaseModel):
    model_config = ConfigDict(extra="ignore")
    boot: str


class _Update(BaseModel):
    model_config = ConfigDict(extra="ignore")
    variant: str
    arch: str
    version: str
    max_version: str
    waves: dict[str, AwareDatetime] = {}
    images: _Images


class _Manifest(BaseModel):
    model_config = ConfigDict(extra="ignore")
    updates: list[_Update]


def releases(data: bytes, variant: str, architecture: Architecture) -> list[Release]:
    """The releases of a variant, the newest first; raises UpstreamError for what is not a manifest, or has none."""
    try:
        document: Any = json.loads(data)
        updates = _Manifest.model_validate(document).updates
        found = [_release(update) for update in updates if (update.variant, update.arch) == (variant, architecture)]
    except (ValidationError, ValueError, RecursionError) as error:
        raise UpstreamError(
            "the repository's manifest.json is not in a form that brqos knows",
            why=str(error),
            todo="Update brqos, or fetch the image another way and give it with --image.",
        ) from None
    if not found:
        raise UpstreamError(
            f"the repository lists no release of {variant} for {architecture.value}",
            why=_listed(sorted({f"{update.variant} {update.arch}" for update in updates}), "It lists"),
            todo="Check the variant and the architecture, and the place of the metadata.",
        )
    return sorted(found, key=lambda release: release.version, reverse=True)


def choose(found: Sequence[Release], wanted: str | None, targets: Collection[str], now: datetime) -> Release:
    """The wanted release, or the newest that is out; raises ConfigurationError and UpstreamError.

    Out is a release whose first wave has begun, if it has any, and that is not beyond `max_version`: that is how
    upstream holds a release back. One that is named is taken all the same.
    """
    if wanted is not None:
        return _wanted(found, wanted)
    out = [release for release in found if _is_out(release, now)]
    if not out:
        raise UpstreamError(
            "the repository lists releases, but none that is out by now",
            why=_listed([str(release.version) for release in found], "It lists"),
            todo="Name one if you mean it.",
        )
    if out[0].images(targets) is None:
        raise without_images(out[0], found, targets)
    return out[0]


def without_images(release: Release, found: Sequence[Release], targets: Collection[str]) -> UpstreamError:
    """The release is there, but its disk images are not among the targets."""
    others = [str(other.version) for other in found if other.images(targets) is not None]
    return UpstreamError(
        f"the repository has no disk images of release {release.version}",
        why=f"Neither {' nor '.join(f'{stem}.img.lz4' for stem in release.stems)} with its -data.img.lz4 is among its "
        f"{len(targets)} targets. {_listed(others, 'It has those of')}",
        todo="Name a release that has them, build the image from source, or give one of your own with --image and "
        "--data-image.",
    )


def _wanted(found: Sequence[Release], wanted: str) -> Release:
    try:
        version = Version.parse(wanted)
    except ValueError as error:
        raise ConfigurationError(str(error), todo="Write it as major.minor.patch.") from None
    for release in found:
        if release.version == version:
            return release
    raise UpstreamError(
        f"the repository does not list release {version}",
        why=_listed([str(release.version) for release in found], "It lists"),
        todo="Name one of those, or none for the newest.",
    )


def _is_out(release: Release, now: datetime) -> bool:
    begun = release.from_moment is None or release.from_moment <= now
    return begun and release.version <= release.newest_allowed


def _release(update: _Update) -> Release:
    version = Version.parse(update.version)
    names = re.compile(
        rf"(?P<name>[A-Za-z0-9][\w.-]*?)-{re.escape(f'{update.variant}-{update.arch}-{version}')}"
        r"-(?P<build>[0-9A-Za-z][\w.]*(?:-dirty)?)-boot\.ext4\.lz4",
        re.ASCII,
    )
    match = names.fullmatch(update.images.boot)
    friendly = f"{match['name'] if match else 'bottlerocket'}-{update.variant}-{update.arch}-v{version}"
    full = (f"{match['name']}-{update.variant}-{update.arch}-{version}-{match['build']}",) if match else ()
    return Release(
        version=version,
        stems=(*full, friendly),
        build=match["build"] if match else None,
        from_moment=min(update.waves.values(), default=None),
        newest_allowed=Version.parse(update.max_version),
    )


def _listed(names: Sequence[str], before: str) -> str:
    if not names:
        return f"{before} none."
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{before} {', '.join(names[:_SHOWN])}{more}."
