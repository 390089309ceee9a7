"""What watching finds: one `Watched` for each pin, and what they have in common."""

from dataclasses import dataclass
from datetime import date

from brqos.errors import BrqosError
from brqos.fleet.watch.changelog import ReleaseNotes
from brqos.fleet.watch.difference import Difference
from brqos.fleet.watch.pins import Pin
from brqos.fleet.watch.position import Pinned, Position
from brqos.upstream.eks_support import EksSupport, EksTable, Support
from brqos.upstream.releases import Release


@dataclass(frozen=True, slots=True)
class Watched:
    """A pin, and what upstream has since then.

    `difference` is None where nothing is newer, and where a release cannot be planned: then `unplanned` says why.
    """

    pin: Pin
    pinned: Pinned
    position: Position
    eks: EksSupport
    notes: tuple[ReleaseNotes, ...] = ()
    difference: Difference | None = None
    unplanned: BrqosError | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """One run: what was found for each pin, and the pins whose release is not in the repository, or not of the variant.

    `repository` is without credentials; `newest` is its newest release, whatever that carries.
    """

    repository: str
    day: date
    newest: Release | None
    eks: EksTable
    watched: tuple[Watched, ...]
    failed: tuple[tuple[Pin, BrqosError], ...]

    @property
    def is_behind(self) -> bool:
        """Whether there is something newer for any of them."""
        return any(one.position.is_behind for one in self.watched)

    def refuse_failed(self) -> None:
        """Raise the error of the pins that nothing could be told about, if there are any."""
        if not self.failed:
            return
        told: dict[str, list[str]] = {}
        for pin, error in self.failed:
            told.setdefault(f"{error.what}. {error.why}".rstrip(), []).append(pin.variant)
        first = self.failed[0][1]
        if len(self.failed) == 1:
            raise first
        raise type(first)(
            f"nothing can be told about {len(self.failed)} of {len(self.failed) + len(self.watched)} variants",
            why="\n".join(f"{', '.join(variants)}: {words}" for words, variants in told.items()),
            todo=first.todo,
        )

    def support(self, one: Watched) -> Support:
        """What EKS gives its Kubernetes on the day of the report."""
        return one.eks.on(self.day)
