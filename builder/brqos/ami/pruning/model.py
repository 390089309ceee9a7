"""What pruning looks at, the rules it goes by, and the verdicts that come of both."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import Field

from brqos.ami.upload.channel import TIMEOUT_MINUTES
from brqos.architecture import Architecture
from brqos.aws.ec2 import DescribedImage, DescribedSnapshot
from brqos.config.base import Model

KEEP = 3
"""The AMI in use, the one before it to go back to, and the one that is being tried out."""
ORPHAN_AGE = 2 * timedelta(minutes=TIMEOUT_MINUTES)
"""A snapshot's age counts from its start, and it may be done long before the other one of its AMI.

An upload that was stopped may be gone on with, from another machine too, until AWS cancels it: a day after its last
block. Two days are that, and a day more for the upload itself and for copies. Whoever takes longer over an AMI gives a
greater age; the uploads of this very machine are known by their journals, whatever their age.
"""


class Kind(StrEnum):
    """What can be removed, in the order of removal: SSM must not name, nor a snapshot be held by, what is there."""

    AMI = "ami"
    PARAMETER = "parameter"
    SNAPSHOT = "snapshot"


class Verdict(StrEnum):
    """What becomes of it."""

    REMOVE = "remove"
    KEEP = "keep"


class PruneRules(Model):
    """What a person asked for.

    `keep` is how many available AMIs stay per variant and architecture, the newest first. `variant` is the image's own
    or its base. Orphans younger than `older_than` are left alone.
    """

    keep: int = Field(default=KEEP, ge=0)
    older_than: timedelta = ORPHAN_AGE
    variant: str | None = None
    arch: Architecture | None = None
    include_protected: bool = False
    include_shared: bool = False


class PruneItem(Model):
    """One thing that brqos made, and the verdict on it.

    `gib` is the size of its volumes; `after` are the ids of what has to be gone first, such as the AMIs that hold it.
    `protection` is EC2's word for an AMI's deregistration protection.
    """

    kind: Kind
    region: str
    id: str
    verdict: Verdict
    reason: str
    name: str = ""
    variant: str = ""
    arch: str = ""
    created: datetime | None = None
    gib: int = 0
    after: tuple[str, ...] = ()
    protection: str = "disabled"

    @property
    def removed(self) -> bool:
        """Whether the verdict is to remove it."""
        return self.verdict is Verdict.REMOVE


class PrunePlan(Model):
    """The verdicts for one region, in the order of removal."""

    region: str
    items: tuple[PruneItem, ...]
    warnings: tuple[str, ...] = ()

    @property
    def removals(self) -> tuple[PruneItem, ...]:
        """What shall be removed, in this order."""
        return tuple(item for item in self.items if item.removed)


@dataclass(frozen=True, slots=True)
class UsageReport:
    """Who uses which image or snapshot, in words.

    Of anything that is not in `asked` nothing is known. `unknown_of_images` and `unknown_of_snapshots` are the
    permissions that were missing: as long as there is one, nothing counts as unused.
    """

    asked: frozenset[str] = frozenset()
    uses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unknown_of_images: tuple[str, ...] = ()
    unknown_of_snapshots: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OwnParameter:
    """An SSM parameter with brqos's tag.

    `tags` are those that say which version it is made for, of parameters for which that had to be asked.
    """

    name: str
    value: str
    modified: datetime | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Inventory:
    """What there is in one region at the time `now`.

    `images` are all of the account's, whoever made them, since any of them may hold a snapshot of ours; `snapshots` and
    `parameters` are those with our tag. `shared` has for an AMI whom it is shared with; it lacks those of which that is
    not known. `gone` are the AMIs that parameters of ours name and that do not exist.
    """

    region: str
    now: datetime
    images: tuple[DescribedImage, ...] = ()
    snapshots: tuple[DescribedSnapshot, ...] = ()
    parameters: tuple[OwnParameter, ...] = ()
    usage: UsageReport = UsageReport()
    shared: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()
    warnings: tuple[str, ...] = ()
