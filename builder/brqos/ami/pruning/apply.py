"""Pruning: doing what a plan says, in its order; what cannot be removed keeps nothing else from being removed."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from brqos.ami.pruning.model import Kind, PruneItem, PrunePlan, Verdict
from brqos.ami.pruning.plan import COOLING, may_be_protected
from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.retry import Retry, StoppedError
from brqos.aws.session import AwsSession
from brqos.errors import AwsError, BrqosError

# EC2 may hold a snapshot against us for a moment after its AMI was deregistered.
_RETRY = Retry({ErrorKind.IN_USE: 30.0}, first_delay=0.5)
# With these no other call of the region would fare better.
_HOPELESS = (ErrorKind.CONNECTION, ErrorKind.CREDENTIALS, ErrorKind.EXPIRED, ErrorKind.PROFILE, ErrorKind.REGION)
_COOLDOWN = "enabled-with-cooldown"


@dataclass(slots=True)
class Pruned:
    """What has become of a plan so far; it is filled while the work goes on, and right after an interrupt too."""

    plan: PrunePlan
    removed: list[PruneItem] = field(default_factory=list)
    failed: list[tuple[PruneItem, BrqosError]] = field(default_factory=list)

    @property
    def kept(self) -> tuple[PruneItem, ...]:
        """Everything that was not removed and did not fail."""
        touched = {(item.kind, item.id) for item in (*self.removed, *(item for item, _ in self.failed))}
        return tuple(item for item in self._now() if (item.kind, item.id) not in touched)

    def _now(self) -> list[PruneItem]:
        failed = {item.id for item, _ in self.failed}
        return [_left(item, failed) if item.removed else item for item in self.plan.items]


def _left(item: PruneItem, failed: set[str]) -> PruneItem:
    """What was to be removed and never got its turn."""
    stays = [other for other in item.after if other in failed]
    reason = f"{', '.join(stays)} could not be removed" if stays else "it was not tried"
    return item.model_copy(update={"verdict": Verdict.KEEP, "reason": reason})


def narrowed(plan: PrunePlan, fresh: PrunePlan) -> PrunePlan:
    """The plan without what must stay by a later look; nothing is added to what a person has agreed to."""
    now = {(item.kind, item.id): item for item in fresh.items}
    items = []
    for item in plan.items:
        later = now.get((item.kind, item.id))
        # What has vanished meanwhile is removed already: trying it again does no harm and says so.
        items.append(later if item.removed and later is not None and not later.removed else item)
    stay = {item.id for item in items if item.kind is Kind.AMI and not item.removed}
    return plan.model_copy(update={"items": tuple(_with_its_amis(item, stay) for item in items)})


def _with_its_amis(item: PruneItem, stay: set[str]) -> PruneItem:
    holders = [ami for ami in item.after if ami in stay]
    if not item.removed or not holders:
        return item
    return item.model_copy(update={"verdict": Verdict.KEEP, "reason": f"{', '.join(holders)} stays"})


def apply_prune(
    pruned: Pruned,
    session: AwsSession,
    *,
    stop: threading.Event | None = None,
    on_item: Callable[[PruneItem], None] = lambda _item: None,
    retry: Retry = _RETRY,
) -> None:
    """Remove what the plan says: AMIs, then the parameters that name them, then the snapshots that they held.

    What is gone already counts as removed. Interrupted at any point it leaves nothing that the next run does not find:
    the parameters of an AMI that is gone, and snapshots that no AMI holds. A failure goes into `pruned`; raises
    AwsCallError where no other call could do better either, and StoppedError.
    """
    stop = stop or threading.Event()
    remover = _Remover(session, pruned.plan.region, retry, stop)
    gone: set[str] = set()
    for item in pruned.plan.removals:
        if stop.is_set():
            raise StoppedError
        if any(other not in gone for other in item.after):
            continue
        try:
            remover.remove(item)
        except AwsError as error:
            pruned.failed.append((item, error))
            if isinstance(error, AwsCallError) and error.kind in _HOPELESS:
                raise
        else:
            gone.add(item.id)
            pruned.removed.append(item)
        on_item(item)


class _Remover:
    def __init__(self, session: AwsSession, region: str, retry: Retry, stop: threading.Event) -> None:
        self._session = session
        self._ec2 = session.ec2(region)
        self._usage = session.usage(region)
        self._region = region
        self._retry = retry
        self._stop = stop

    def remove(self, item: PruneItem) -> None:
        """Remove one thing; what is not there any more is removed."""
        removal = {
            Kind.AMI: lambda: self._deregister(item),
            Kind.PARAMETER: lambda: self._usage.delete_parameter(item.id),
            Kind.SNAPSHOT: lambda: self._ec2.delete_snapshot(item.id),
        }[item.kind]
        try:
            self._retry.call(removal, self._stop)
        except AwsCallError as error:
            # Somebody else was faster, or an answer was lost and the second try finds it done.
            if error.kind is not ErrorKind.NOT_FOUND:
                raise

    def _deregister(self, item: PruneItem) -> None:
        if may_be_protected(item.protection):
            self._session.image_attributes(self._region).unprotect(item.id)
        try:
            self._ec2.deregister_image(item.id)
        except AwsCallError as error:
            cooling = item.protection.startswith((_COOLDOWN, COOLING))
            if not cooling or error.kind is ErrorKind.NOT_FOUND or error.kind in _HOPELESS:
                raise
            raise AwsError(
                f"{item.id} in {self._region} cannot be deregistered yet",
                why=f"It was protected with a cooldown: {error.why or error.what}",
                todo="Its protection is off now. AWS lets it go 24 hours after that: run `brqos prune` again then.",
            ) from error
