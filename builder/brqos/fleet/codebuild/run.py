"""A run: builds that were started together, as a file that any machine can go on from.

`.brqos/runs/<id>.json`, and the same in the bucket. It is written before anything is started, and has all that starting
again takes, but no secrets. An id is a digest of what the builds are made from, and a number.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal

from pydantic import Field, JsonValue

from brqos import __version__
from brqos.config.base import REGION_PATTERN, Model
from brqos.fleet.codebuild.buildspec import Way, buildspec, common_of, listed_of
from brqos.fleet.codebuild.bundle import Bundle
from brqos.fleet.codebuild.members import Member
from brqos.fleet.codebuild.place import Place
from brqos.fleet.codebuild.project import MOST_IN_BATCH
from brqos.pipeline.digest import digest
from brqos.record import now

SCHEMA_VERSION: Final = 1
ID_PATTERN = r"^[0-9a-f]{8}-[1-9][0-9]{0,5}$"


class Verdict(StrEnum):
    """What became of a build."""

    BUILT = "built"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    STOPPED = "stopped"
    LOST = "lost"
    """CodeBuild itself failed, more often than it was to be tried again."""

    @property
    def is_good(self) -> bool:
        """Whether an image came of it."""
        return self is Verdict.BUILT


class RunEntry(Model):
    """One build: `listed` is its item in a buildspec, `inputs` the digest of what it is made from.

    `record` is the id of the build that came of it, once its record is here; `why` what is known of a failure.
    """

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$")
    identifier: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,127}$")
    variant: str
    arch: str
    expected: str = ""
    inputs: str
    listed: dict[str, JsonValue]
    verdict: Verdict | None = None
    attempt: int = 1
    record: str = ""
    native: bool = False
    why: str = ""
    log: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes of it: its verdict is there, and so is its record."""
        return self.verdict is not None and (not self.verdict.is_good or bool(self.record) or self.native)


class RunBatch(Model):
    """One batch: `token` makes sure that it is started once, `asked` is when that was first tried."""

    number: int = Field(ge=1)
    token: str = Field(pattern=r"^[0-9a-f]{32}$")
    entries: tuple[str, ...]
    asked: datetime | None = None
    id: str | None = None


class Run(Model):
    """A run with its builds, its batches and what became of them."""

    schema_version: Literal[1] = SCHEMA_VERSION
    id: str = Field(pattern=ID_PATTERN)
    brqos: str = __version__
    rehearsal: bool = False
    created: datetime
    account: str = Field(pattern=r"^[0-9]{12}$")
    region: str = Field(pattern=f"^{REGION_PATTERN}$")
    project: str
    bucket: str
    log_group: str
    bundle: str = Field(pattern=r"^[0-9a-f]{64}$")
    retries: int = Field(ge=0)
    images: bool = False
    common: dict[str, JsonValue]
    entries: tuple[RunEntry, ...]
    batches: tuple[RunBatch, ...]
    stopped: datetime | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes."""
        return all(entry.is_over for entry in self.entries)

    def entry(self, name: str) -> RunEntry:
        """The build of that id."""
        return next(entry for entry in self.entries if entry.id == name)

    def attempt(self, name: str, batch: int) -> int:
        """The number of the attempt at a build that this batch is, from 1."""
        return sum(name in one.entries for one in self.batches if one.number <= batch)

    def buildspec(self, batch: RunBatch) -> str:
        """What the batch does; the same text whenever it is asked for."""
        listed = [(self.entry(name).listed, self.attempt(name, batch.number)) for name in batch.entries]
        return buildspec(self.common, listed)

    def with_entry(self, name: str, **changes: object) -> "Run":
        """The same run, with one of its builds changed."""
        entries = tuple(one.model_copy(update=changes) if one.id == name else one for one in self.entries)
        return self.model_copy(update={"entries": entries})

    def with_batch(self, number: int, **changes: object) -> "Run":
        """The same run, with one of its batches changed."""
        batches = tuple(one.model_copy(update=changes) if one.number == number else one for one in self.batches)
        return self.model_copy(update={"batches": batches})

    def with_new_batches(self, names: Sequence[str]) -> "Run":
        """The same run, with further batches for these builds."""
        return self.model_copy(update={"batches": (*self.batches, *_batches(self.id, len(self.batches) + 1, names))})


def inputs_of(members: Sequence[Member], bundle: Bundle, way: Way) -> str:
    """The first part of a run's id: what its builds are made from, brqos itself among it."""
    wanted = {"image-only": way.image_only, "images": way.images, "rehearsal": way.rehearsal}
    return digest({"bundle": bundle.sha256, "builds": sorted(member.inputs for member in members), **wanted})[:8]


def run_of(run_id: str, members: Sequence[Member], bundle: Bundle, way: Way, place: Place) -> Run:
    """A new run, of which nothing was started yet."""
    entries = tuple(
        RunEntry(
            id=member.id,
            identifier=member.identifier,
            variant=member.entry.spec.variant_name.memory_qos,
            arch=member.entry.spec.arch.value,
            expected=member.expected,
            inputs=member.inputs,
            listed=listed_of(member, way),
        )
        for member in members
    )
    names = [entry.id for entry in entries]
    return Run(
        id=run_id,
        rehearsal=way.rehearsal,
        created=now(),
        account=place.account,
        region=place.region,
        project=place.project,
        bucket=place.bucket,
        log_group=place.log_group,
        bundle=bundle.sha256,
        retries=place.spec.retries,
        images=way.images,
        common=common_of(way),
        entries=entries,
        batches=_batches(run_id, 1, names),
    )


def _batches(run_id: str, first: int, names: Sequence[str]) -> tuple[RunBatch, ...]:
    """As few batches as will hold them; `first` is the number of the first one."""
    parts = [names[start : start + MOST_IN_BATCH] for start in range(0, len(names), MOST_IN_BATCH)]
    return tuple(_batch(run_id, number, part) for number, part in enumerate(parts, first))


def _batch(run_id: str, number: int, names: Sequence[str]) -> RunBatch:
    # From the run alone, so that two machines that follow the same run start the same batch, which is one.
    token = hashlib.sha256(f"{run_id} {number}".encode()).hexdigest()[:32]
    return RunBatch(number=number, token=token, entries=tuple(names))
