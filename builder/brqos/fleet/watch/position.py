"""Where a pinned release stands among all releases. Nothing here has an effect."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from brqos.upstream.releases import Release, Version


@dataclass(frozen=True, slots=True)
class Pinned:
    """What a pin names: `release` is its version (for a branch or commit, the one that its tree says it is)."""

    ref: str
    release: Version
    commit: str
    day: date


@dataclass(frozen=True, slots=True)
class EndOfLife:
    """A variant that upstream has dropped: the last release with it, and the first one after that."""

    last: Release
    gone_in: Release


@dataclass(frozen=True, slots=True)
class Position:
    """A pin among the releases that carry its variant; `newest` is the newest of those, None where there is none."""

    newest: Release | None
    releases_behind: int
    days_behind: int
    end_of_life: EndOfLife | None

    @property
    def is_behind(self) -> bool:
        """Whether there is something newer to build."""
        return self.releases_behind > 0


def position(variant: str, pinned: Pinned, releases: Sequence[Release]) -> Position:
    """Where the pin stands; `releases` are oldest first.

    Behind are the releases after the pin that carry the variant, and the days between the commits of the pin and of
    the newest of them.
    """
    carrying = [release for release in releases if variant in release.variants]
    if not carrying:
        return Position(None, 0, 0, None)
    newest = carrying[-1]
    later = [release for release in carrying if release.version > pinned.release]
    gone = next((release for release in releases if release.version > newest.version), None)
    return Position(
        newest=newest,
        releases_behind=len(later),
        days_behind=max((newest.day - pinned.day).days, 0) if later else 0,
        end_of_life=EndOfLife(newest, gone) if gone else None,
    )


def newest_of_all(variants: Sequence[str], releases: Sequence[Release]) -> Release | None:
    """The newest release that carries every one of the variants."""
    return next((release for release in reversed(releases) if release.variants.issuperset(variants)), None)
