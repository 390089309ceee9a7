"""Looks at upstream: fetches its tags, reads its trees, and plans what a newer release would change."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from brqos.errors import BrqosError, ConfigurationError, UpstreamError
from brqos.fleet.watch.changelog import ReleaseNotes, notes_between
from brqos.fleet.watch.difference import Difference, difference
from brqos.fleet.watch.model import Report, Watched
from brqos.fleet.watch.pins import Pin
from brqos.fleet.watch.position import Pinned, position
from brqos.monitor import Monitor
from brqos.pipeline.generate import Planned, Source, plan_variant
from brqos.process import ProcessError
from brqos.upstream.eks_support import eks_table
from brqos.upstream.files import read_files
from brqos.upstream.mirror import Mirror, open_mirror, without_credentials
from brqos.upstream.releases import Release, Version, parse_release, read_releases
from brqos.upstream.tree import read_tree, version_of

_CHANGELOG = "CHANGELOG.md"


class Upstream:
    """One repository as it is now. Trees, plans and changelogs are read once each, however many variants ask."""

    def __init__(
        self, repository: str, cache: Path, monitor: Monitor, *, offline: bool, place: str | None = None
    ) -> None:
        self._cache = cache
        self._monitor = monitor
        mirror = open_mirror(repository, cache, offline=offline, monitor=monitor, place=place)
        self._mirror = _fresh(mirror, monitor)
        self._sources: dict[str, Source] = {}
        self._plans: dict[tuple[str, str], Planned] = {}
        self._changelogs: dict[str, str] = {}
        self.releases = _releases(self._mirror)

    @property
    def repository(self) -> str:
        """Where it is, without credentials."""
        return without_credentials(self._mirror.repository)

    def pinned(self, pin: Pin) -> Pinned:
        """What a pin names; raises UpstreamError where it is not there, ConfigurationError where it lacks the variant.

        A tag names its release; a branch or commit is of the release that its tree says it is.
        """
        commit = self._mirror.resolve(pin.ref, self._monitor)
        named = parse_release(pin.ref)
        tagged = next((release for release in self.releases if release.version == named), None)
        if tagged and tagged.commit == commit and pin.variant in tagged.variants:
            return Pinned(pin.ref, tagged.version, commit, tagged.day)
        tree = self._source(pin.ref, commit).tree
        tree.require(pin.spec.variant_name, last_release=self._last(pin.variant))
        day = datetime.fromtimestamp(int(tree.committed_at.split()[0]), UTC).date()
        return Pinned(pin.ref, named or _version(tree.release), commit, day)

    def compare(self, pin: Pin, pinned: Pinned, release: Release) -> Difference:
        """What would change from the pin to a release; raises BrqosError where one of them cannot be planned."""
        old = self._plan(pin, pinned.ref, pinned.commit)
        return difference(old, self._plan(pin, release.name, release.commit))

    def notes(self, pinned: Pinned, release: Release) -> tuple[ReleaseNotes, ...]:
        """What the changelog in the tree of a release says about those since the pin."""
        if release.commit not in self._changelogs:
            files = read_files(self._mirror.path, release.commit, [_CHANGELOG], release.name)
            self._changelogs[release.commit] = files.resolved(_CHANGELOG) or ""
        return notes_between(self._changelogs[release.commit], pinned.release, release.version)

    def _last(self, variant: str) -> str | None:
        carrying = [release for release in self.releases if variant in release.variants]
        return carrying[-1].name if carrying else None

    def _plan(self, pin: Pin, ref: str, commit: str) -> Planned:
        key = (pin.variant, commit)
        if key not in self._plans:
            self._plans[key] = plan_variant(self._source(ref, commit), pin.at(ref), self._cache, self._monitor)
        return self._plans[key]

    def _source(self, ref: str, commit: str) -> Source:
        if commit not in self._sources:
            tree = read_tree(self._mirror.path, self._mirror.repository, ref, commit)
            self._sources[commit] = Source(self._mirror, tree)
        return self._sources[commit]


def watch(pins: Sequence[Pin], upstream: Upstream, day: date) -> Report:
    """What upstream has that is newer than each pin, on a day (which is what EKS's support is told for)."""
    watched: list[Watched] = []
    failed: list[tuple[Pin, BrqosError]] = []
    for pin in pins:
        try:
            watched.append(_watched(pin, upstream))
        except (ConfigurationError, UpstreamError) as error:
            failed.append((pin, error))
    newest = upstream.releases[-1] if upstream.releases else None
    return Report(upstream.repository, day, newest, eks_table(), tuple(watched), tuple(failed))


def _watched(pin: Pin, upstream: Upstream) -> Watched:
    pinned = upstream.pinned(pin)
    place = position(pin.variant, pinned, upstream.releases)
    eks = eks_table().of(pin.spec.variant_name.kubernetes)
    if place.newest is None or not place.is_behind:
        return Watched(pin, pinned, place, eks)
    notes = upstream.notes(pinned, place.newest)
    try:
        return Watched(pin, pinned, place, eks, notes, upstream.compare(pin, pinned, place.newest))
    except (ConfigurationError, UpstreamError) as error:
        return Watched(pin, pinned, place, eks, notes, unplanned=error)


def _fresh(mirror: Mirror, monitor: Monitor) -> Mirror:
    if not mirror.fixed:
        mirror.fetch(monitor)
    return mirror


def _releases(mirror: Mirror) -> tuple[Release, ...]:
    try:
        releases = read_releases(mirror.path)
    except ProcessError as error:
        raise UpstreamError(
            f"the releases of {without_credentials(mirror.repository)} cannot be read",
            why=error.reason,
            todo="Remove the mirror with `brqos clean`, or check the repository with `git fsck`.",
        ) from None
    if not releases:
        raise UpstreamError(
            f"{without_credentials(mirror.repository)} has no tags of releases",
            why="Releases are found by their tags, such as v1.50.0.",
            todo="Fetch them with `git fetch --tags`, or name another repository with --upstream.",
        )
    return releases


def _version(release: str) -> Version:
    first, second, third = (*version_of(release), 0, 0)[:3]
    return first, second, third
