"""Making the AMIs of all regions: the first of each account by uploading, the others by copying, each on its own."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from brqos.ami.everywhere import everywhere
from brqos.ami.making.copy import copy
from brqos.ami.making.register import register
from brqos.ami.model import RegionAmi
from brqos.ami.plan import AmiPlan
from brqos.ami.setting import RegionSetting
from brqos.ami.upload.expected_blocks import ExpectedBlocks
from brqos.ami.upload.snapshots import Snapshots
from brqos.ami.upload.unfinished import forget_done
from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.errors import AwsError, BrqosError, ConfigurationError
from brqos.image.model import ImageRole

_UPLOADS_AT_ONCE = 3
"""Each has some 100 blocks of 512 KiB in memory."""

# What fails for these reasons in one region fails in all that are reached with the same credentials.
_SAME_EVERYWHERE = (ErrorKind.CREDENTIALS, ErrorKind.EXPIRED, ErrorKind.PROFILE)


@dataclass(slots=True)
class Making:
    """What has been made by now; `sent` has the blocks of each image that the region sent that had to send the most."""

    amis: dict[str, RegionAmi] = field(default_factory=dict)
    failures: dict[str, BrqosError] = field(default_factory=dict)
    sent: dict[ImageRole, int] = field(default_factory=dict)
    puts: int = 0
    seconds: float = 0.0
    expected: dict[ImageRole, ExpectedBlocks] = field(default_factory=dict)

    def count(self, snapshots: Snapshots) -> None:
        """Add what was uploaded for one region."""
        for role, sent in snapshots.sent.items():
            self.sent[role] = max(sent, self.sent.get(role, 0))
        self.puts += sum(snapshots.sent.values())
        # Regions upload at the same time: the longest of them is about how long it took.
        self.seconds = max(self.seconds, snapshots.seconds)
        self.expected.update(snapshots.expected)


def make_all(
    plans: Sequence[AmiPlan],
    settings: Mapping[str, RegionSetting],
    on_ami: Callable[[str, RegionAmi], None],
) -> Making:
    """Make or take every region's AMI; `on_ami` hears of each as soon as it is available.

    Where the region that others copy from fails, the next one takes its place and is uploaded to. One region's failure
    never keeps another from being tried, unless the images have changed.
    """
    making, lock = Making(), threading.Lock()
    waiting = {plan.region: plan for plan in plans}

    def made(region: str, ami: RegionAmi, snapshots: Snapshots | None = None) -> None:
        with lock:
            making.amis[region] = ami
            if snapshots:
                making.count(snapshots)
        forget_done(waiting[region], ami, settings[region])
        on_ami(region, ami)

    def upload(region: str) -> None:
        done = register(waiting[region], settings[region])
        made(region, done.ami, done.snapshots)

    def copy_to(region: str) -> None:
        plan = waiting[region]
        assert plan.copy_from is not None
        made(region, copy(plan, making.amis[plan.copy_from], settings[region]))

    def run(regions: Sequence[str], work: Callable[[str], None], at_once: int | None = None) -> None:
        outcome = everywhere(regions, work, at_once=at_once, stop=settings[regions[0]].stop) if regions else None
        for region, error in outcome.failures.items() if outcome else ():
            making.failures[region] = error
            settings[region].monitor.warn(f"{region}: {error.what}")

    while waiting:
        run([region for region, plan in waiting.items() if plan.copy_from is None], upload, _UPLOADS_AT_ONCE)
        run([region for region, plan in waiting.items() if plan.copy_from in making.amis], copy_to)
        waiting = _left(waiting, making)
    return making


def _left(waiting: Mapping[str, AmiPlan], making: Making) -> dict[str, AmiPlan]:
    """The plans of those that lost the region they were to copy from: the first of them is to be uploaded to."""
    left: dict[str, AmiPlan] = {}
    heirs: dict[str, str] = {}
    for region, plan in waiting.items():
        if region in making.amis or region in making.failures:
            continue
        assert plan.copy_from is not None
        failure = making.failures[plan.copy_from]
        if _is_final(failure):
            making.failures[region] = _not_tried(plan, failure)
            continue
        heir = heirs.setdefault(plan.copy_from, region)
        left[region] = plan.model_copy(update={"copy_from": None if heir == region else heir})
    return left


def _is_final(error: BrqosError) -> bool:
    # The images are the same for all regions: where they have changed, no other one could do better.
    if isinstance(error, ConfigurationError):
        return True
    return isinstance(error, AwsCallError) and error.kind in _SAME_EVERYWHERE


def _not_tried(plan: AmiPlan, failure: BrqosError) -> BrqosError:
    return AwsError(
        f"nothing was copied to {plan.region}, since there is no AMI in {plan.copy_from}",
        why=failure.what,
        todo=failure.todo,
    )
