"""What both kinds of pipeline are filled with: words that are ready to stand in a script. Pure."""

import json
import shlex
from typing import Any

from brqos.config.model import Engine
from brqos.fleet.pipelines.fleet import Fleet
from brqos.fleet.pipelines.iam import CANARY, PRODUCTION
from brqos.fleet.pipelines.wishes import THIS_REPOSITORY, Promotion, Wishes

_HOURS_FROM_SOURCE = 6
_MINUTES_REPACKED = 60


def values_of(fleet: Fleet, wishes: Wishes) -> dict[str, Any]:
    """The values that templates for GitHub and GitLab have in common; a rehearsal has no AWS in it."""
    from_source = Engine.SOURCE in fleet.engines and not wishes.rehearse
    publishes = fleet.publishes and not wishes.rehearse
    return {
        "command": wishes.command,
        "rehearse": wishes.rehearse,
        "own": wishes.brqos == THIS_REPOSITORY,
        "requirement": shlex.quote(wishes.brqos),
        "files": shlex.join(map(str, wishes.files)),
        "branch": wishes.branch,
        "schedule": wishes.schedule,
        "repack": Engine.REPACK in fleet.engines,
        "source": from_source,
        "timeout": 60 * _HOURS_FROM_SOURCE if from_source else _MINUTES_REPACKED,
        "timeout_why": (
            "Some minutes on a large machine, hours on a small one." if from_source
            else "A rehearsal takes seconds." if wishes.rehearse
            else "Repacking takes seconds; fetching the official image takes longer."
        ),
        "sbkeys": shlex.quote(str(fleet.sbkeys)) if fleet.sbkeys else None,
        "publishes": publishes,
        "promotes": publishes and fleet.promotes(wishes),
        "by_hand": wishes.promotion is not Promotion.AFTER_VERIFY,
        "prefix": fleet.prefix,
        "role": wishes.role,
        "canary_role": wishes.canary_role or wishes.role,
        "region": fleet.region,
        "cluster": json.dumps(fleet.cluster) if publishes and fleet.cluster else None,
        "canary_region": fleet.canary_region,
        "canary_environment": CANARY,
        "production_environment": PRODUCTION,
    }  # fmt: skip
