"""What there is of each build of a fleet, and so what is still to be done. Pure: evidence in, verdict out."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from brqos.fleet.amis import Amis, is_wanted
from brqos.fleet.expand import Entry
from brqos.pipeline.foresee import Foreseen, Outlook
from brqos.pipeline.register import wanted_amis
from brqos.record import StoredBuild
from brqos.stages import Stage


class State(StrEnum):
    """How far a build is."""

    OPEN = "to build"
    BUILT = "built"
    """Its image lies here; its AMIs are not there. Of a build without regions: all is done."""
    PARTLY = "partly published"
    PUBLISHED = "published"
    NATIVE = "nothing to build"
    """The official image does it with two settings."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What there is of one build; `missing` are the regions without its AMI, `build` its name where it is known."""

    entry: Entry
    state: State
    missing: tuple[str, ...] = ()
    build: str = ""
    release: str = ""

    @property
    def is_done(self) -> bool:
        """Whether the build may be left out."""
        without_regions = self.state is State.BUILT and not self.entry.spec.ami.regions
        return without_regions or self.state in {State.PUBLISHED, State.NATIVE}


def standing(
    entry: Entry, outlook: Outlook | None, records: Sequence[StoredBuild], amis: Amis, *, release: str
) -> Standing:
    """The verdict on one build, from its records and what AWS has.

    A region is done if AWS has an available AMI of just this build, and no record tells that something of what is
    wished for there was not done. Where AWS was not asked, a record has to tell that all of it was. `release` is what
    the build is of where the outlook does not tell.
    """
    exact = outlook if isinstance(outlook, Foreseen) else None
    if exact is not None and exact.native:
        return Standing(entry, State.NATIVE, release=exact.release)
    spec = entry.spec
    versions = {stored.record.id: stored.record.result.image_version for stored in records if stored.record.result}
    if exact is not None and exact.build:
        versions[exact.build] = exact.image_version
    evidence = _Evidence(entry, records, amis, versions)
    missing = tuple(region for region in spec.ami.regions if not evidence.is_published(region))
    if spec.ami.regions and not missing:
        state = State.PUBLISHED
    elif len(missing) < len(spec.ami.regions):
        state = State.PARTLY
    else:
        state = State.BUILT if any(map(_has_images, records)) else State.OPEN
    return Standing(
        entry, state, missing, next(iter(versions), ""), exact.release if exact is not None else release
    )  # fmt: skip


class _Evidence:
    def __init__(self, entry: Entry, records: Sequence[StoredBuild], amis: Amis, versions: dict[str, str]) -> None:
        self._spec = entry.spec
        self._records = records
        self._amis = amis
        self._versions = versions
        self._wanted = [wanted_amis(stored, entry.spec.ami) for stored in records if stored.record.amis]
        self._published = [stored.record.amis for stored in records if stored.record.amis]

    def is_published(self, region: str) -> bool:
        whole, unfinished = self._recorded(region)
        found = self._found(region)
        if found is None:
            return whole
        return bool(found) and (whole or not found & unfinished)

    def _recorded(self, region: str) -> tuple[bool, set[str]]:
        """Whether a record tells that all is done there, and the AMIs of which one tells that not all of it is."""
        unfinished = set()
        for wanted, amis in zip(self._wanted, self._published, strict=True):
            ami = amis.get(region)
            if ami is None:
                continue
            if ami.inputs == wanted.get(region):
                return True, set()
            unfinished.add(ami.id)
        return False, unfinished

    def _found(self, region: str) -> set[str] | None:
        """The ids of the AMIs that AWS has; None where it was not asked."""
        ids: set[str] = set()
        asked = self._amis.of(self._spec.ami, region, "") is not None
        for build, version in self._versions.items():
            images = self._amis.of(self._spec.ami, region, build) or ()
            ids |= {image.id for image in images if is_wanted(image, self._spec, region, build, version)}
        return ids if asked else None


def _has_images(stored: StoredBuild) -> bool:
    """Whether the images of a record lie beside it."""
    return stored.is_done(Stage.BUILD, stored.record.stages[Stage.BUILD].inputs)
