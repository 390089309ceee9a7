"""Publishing while AWS fails at random, and once more in calm weather: it is right, or tells what is missing.

What is never allowed, whatever happens: an AMI of another content, a parameter that names one that cannot be used, a
run that claims success without it, an orphan that `brqos prune` does not find.
"""

import os
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from brqos.errors import ExitCode
from publishing.expectation import State, amiss, amiss_in, orphans, things, wrong_content
from publishing.processes import Ended, Zygote
from publishing.scene import Ground, Scene

ATTEMPTS = 3
PROBABILITY = 0.05
_A_DAY_AND_MORE = 26 * 3600.0
_FAULTS: list[dict[str, Any]] = [
    {"weight": 6, "kind": "throttled"},
    {"weight": 4, "kind": "internal"},
    {"weight": 4, "kind": "unavailable"},
    {"weight": 4, "kind": "internal", "after_effect": True},
    {"weight": 2, "kind": "unavailable", "after_effect": True},
    {"weight": 3, "reset": "body"},
    {"weight": 3, "reset": "answer"},
    {"weight": 2, "reset": "now"},
    {"weight": 3, "drop": True},
    {"weight": 3, "drop": True, "after_effect": True},
    {"weight": 3, "slow": 0.3},
    {"weight": 2, "hang": 0.3},
    {"weight": 0.3, "kind": "expired"},
    {"weight": 0.2, "status": 307, "location": "http://127.0.0.1:9/"},
]


@dataclass
class Weathered:
    """What came of one storm: how the attempts ended, with which errors, and what must not have been."""

    seed: int
    statuses: list[int] = field(default_factory=list)
    faults: int = 0
    orphans: int = 0
    errors: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def words(self) -> str:
        """The storm in a line."""
        ends = ", ".join(str(status) for status in self.statuses)
        return f"seed {self.seed}: {self.faults} faults; ended with {ends}; {self.orphans} orphans pruned"


def script(seed: int, probability: float = PROBABILITY) -> dict[str, object]:
    """The faults of one seed: of all calls; some snapshots unknown for a while, some images that fail."""
    dice = random.Random(seed)
    failing = {name: 1 for name in ("fail_snapshots", "fail_images", "fail_copies") if dice.random() < 0.15}
    return {
        "mix": [{"probability": probability, "faults": _FAULTS, "seed": seed}],
        "unknown_after_start": dice.choice([0.0, 0.5]),
        "unknown_after_making": dice.choice([0.0, 0.3]),
        **failing,
    }


def weather_all(zygote: Zygote, scene: Scene, seeds: range, *, at_once: int = 4) -> list[Weathered]:
    """Weather the storms of many seeds, several at once."""
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(lambda seed: weather(zygote, scene, seed), seeds))


def weather(zygote: Zygote, scene: Scene, seed: int) -> Weathered:
    """Publish in the storm of a seed, at most ATTEMPTS times, then in calm weather; then prune."""
    with Ground(zygote, scene) as ground:
        came = Weathered(seed)
        ground.aws.script(script(seed))
        for _ in range(ATTEMPTS):
            ended = ground.publish(seconds=900)
            state = ground.aws.state()
            came.statuses.append(ended.status)
            came.errors += [_message(ended)] if ended.status else []
            came.problems += judged(ended, state, scene)
            if ended.status == 0:
                break
        came.faults = ground.aws.met()
        ground.calm()
        calm = ground.publish()
        came.statuses.append(calm.status)
        state = ground.aws.state()
        came.problems += [f"in calm weather: {calm.summary}"] if calm.status else []
        came.problems += [f"in calm weather: {problem}" for problem in settled(state, scene)]
        came.problems += [f"the journal {file.name} is left" for file in ground.journals]
        came.orphans = len(orphans(state))
        came.problems += pruned(ground)
        return came


def judged(ended: Ended, state: State, scene: Scene) -> list[str]:
    """What must not have come of an attempt."""
    problems = wrong_content(state, scene)
    if ended.status == ExitCode.DONE:
        return problems + [f"claims to be done: {problem}" for problem in settled(state, scene)]
    if ended.status != ExitCode.AWS or "error: " not in ended.err:
        return [*problems, f"ended with neither 0 nor 7, or without a word: {ended.summary}"]
    # What is said to be done is not told to be missing.
    message = "\n".join(line for line in _message(ended).splitlines() if not line.strip().startswith("Done: "))
    nothing_made = not any(True for _ in things(state))
    for region in scene.regions if not nothing_made else ():
        lacking = amiss_in(state, scene, region)
        # A version is promoted in all regions or in none.
        only_promotion = "is not promoted" in ended.err and all("parameters: " in problem for problem in lacking)
        if lacking and region not in message and not only_promotion:
            problems.append(f"does not tell that {region} lacks {lacking[0]}: {ended.summary}")
    return problems


def _message(ended: Ended) -> str:
    return ended.err.partition("error: ")[2]


def settled(state: State, scene: Scene) -> list[str]:
    """What is wrong or missing in any region; orphans are another matter."""
    left = set(orphans(state))
    return [problem for problem in amiss(state, scene) if problem not in left]


def pruned(ground: Ground) -> list[str]:
    """Prune a day later: every orphan has to go, and nothing else."""
    ground.aws.forward(_A_DAY_AND_MORE)
    for file in ground.journals:
        long_ago = file.stat().st_mtime - _A_DAY_AND_MORE
        os.utime(file, (long_ago, long_ago))
    regions = [word for region in ground.scene.regions for word in ("--region", region)]
    ended = ground.brqos("prune", "--keep", "1", "--older-than", "0h", "--yes", "--json", *regions)
    if ended.status:
        return [f"pruning failed: {ended.summary}"]
    return [f"after pruning: {problem}" for problem in amiss(ground.aws.state(), ground.scene)]
