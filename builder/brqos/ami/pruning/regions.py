"""Looking and pruning in several regions at once: what fails in one hides nothing of the others."""

import threading
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from brqos.ami.everywhere import everywhere
from brqos.ami.pruning.apply import Pruned, apply_prune, narrowed
from brqos.ami.pruning.look import look_and_plan
from brqos.ami.pruning.model import PrunePlan, PruneRules
from brqos.aws.session import AwsSession
from brqos.errors import BrqosError
from brqos.monitor import Monitor

FRESH_SECONDS = 60.0
"""For so long a look counts; a person may have thought longer than that."""


@dataclass(slots=True)
class Pruning:
    """What came of several regions; `regions` is filled while the work goes on, and right after an interrupt too."""

    regions: dict[str, Pruned] = field(default_factory=dict)
    failures: dict[str, BrqosError] = field(default_factory=dict)
    looked_at: float = 0.0

    @property
    def plans(self) -> tuple[PrunePlan, ...]:
        """The plans of the regions that could be looked at."""
        return tuple(pruned.plan for pruned in self.regions.values())


def look_everywhere(
    regions: Iterable[str],
    session: AwsSession,
    rules: PruneRules,
    monitor: Monitor,
    *,
    under_way: Collection[str] = (),
    clock: Callable[[], float] = time.monotonic,
) -> Pruning:
    """The verdicts for every region, and the failures of those that cannot be looked at."""
    wanted = list(dict.fromkeys(regions))
    looked_at = clock()
    stop = threading.Event()
    with monitor.task(f"Looking at {', '.join(wanted)}", total=len(wanted), unit="regions") as task:

        def work(region: str) -> PrunePlan:
            plan = look_and_plan(region, session, rules, under_way=under_way, stop=stop)
            task.advance(1)
            return plan

        outcome = everywhere(wanted, work, stop=stop)
    found = {region: Pruned(plan) for region, plan in outcome.results.items()}
    return Pruning(found, dict(outcome.failures), looked_at)


def prune_everywhere(
    pruning: Pruning,
    session: AwsSession,
    rules: PruneRules,
    monitor: Monitor,
    *,
    under_way: Collection[str] = (),
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Remove what the plans say, after another look where the first one is old; what came of it is in `pruning`.

    A region's failure (a BrqosError) goes there too. An interrupt is raised, and so is a bug of ours: then every
    region ends after the call that it is in, and `pruning` tells what was removed, but not which regions had failed.
    """
    todo = [region for region, pruned in pruning.regions.items() if pruned.plan.removals]
    total = sum(len(pruning.regions[region].plan.removals) for region in todo)
    # Nothing more may be removed after an interrupt.
    stop = threading.Event()
    stale = clock() - pruning.looked_at > FRESH_SECONDS
    with monitor.task("Removing", total=total, unit="items") as task:

        def work(region: str) -> None:
            pruned = pruning.regions[region]
            if stale:
                fresh = look_and_plan(region, session, rules, under_way=under_way, stop=stop)
                pruned.plan = narrowed(pruned.plan, fresh)
            apply_prune(pruned, session, stop=stop, on_item=lambda _item: task.advance(1))

        pruning.failures |= everywhere(todo, work, stop=stop).failures
