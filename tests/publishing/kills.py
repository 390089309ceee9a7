"""Killed at one point, and run again: whether all is as if nothing had happened, and nothing was sent twice in vain."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from brqos.ami.upload.pace import MOST_AT_ONCE, QUOTA_PER_SECOND
from publishing.expectation import amiss, wrong_content
from publishing.processes import Zygote
from publishing.scene import Ground, Scene

PUT = "PutSnapshotBlock"
# The journal is written five times a second, and what is under way is not in it.
UNFLUSHED = int(QUOTA_PER_SECOND / 5) + MOST_AT_ONCE
EVERY = 100
_READING = ("Describe", "Get", "List")


@dataclass(frozen=True, order=True)
class Point:
    """A run dies at the `nth` call of an operation: before the call is carried out, or (`after`) before its reply."""

    operation: str
    nth: int
    after: bool

    def __str__(self) -> str:
        return f"{'after' if self.after else 'before'} {self.operation} {self.nth}"

    def fault(self, pid: int) -> dict[str, object]:
        """The script for the emulator."""
        fault = {"kill": pid, "after_effect": self.after}
        return {"faults": [{"operation": self.operation, "skip": self.nth - 1, "fault": fault}]}


@dataclass(frozen=True)
class Tried:
    """What came of one point; not `reached` if the run had ended before it came to this call.

    `twice` are the blocks that AWS had and the journal did not, which were sent again.
    """

    point: Point
    reached: bool
    problems: list[str]
    twice: int = 0


@dataclass
class Tally:
    """What came of many points."""

    tried: list[Tried] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        """What went wrong, each with its point."""
        return [f"killed {item.point}: {problem}" for item in self.tried for problem in item.problems]

    @property
    def reached(self) -> int:
        """How many runs were killed."""
        return sum(item.reached for item in self.tried)

    @property
    def words(self) -> str:
        """How many points were tried."""
        unreached = len(self.tried) - self.reached
        twice = max((item.twice for item in self.tried), default=0)
        words = f"{len(self.tried)} points tried" + (f", {unreached} of them not reached" if unreached else "")
        return f"{words}, at most {twice} blocks sent twice"


def calls_of_a_clean_run(zygote: Zygote, scene: Scene) -> dict[str, int]:
    """How often each operation is called when nothing goes wrong; AssertionError if it does all the same."""
    with Ground(zygote, scene) as ground:
        ended = ground.publish()
        assert ended.status == 0, ended.summary
        problems = amiss(ground.aws.state(), scene)
        assert not problems, problems
        assert not ground.journals
        return ground.aws.calls()


def all_points(calls: Mapping[str, int]) -> Iterator[Point]:
    """Every call before and after its reply; of the block puts every hundredth, and the first and the last ones."""
    for operation, count in calls.items():
        chosen = _puts(count) if operation == PUT else range(1, count + 1)
        yield from _both(operation, chosen)


def some_points(calls: Mapping[str, int]) -> Iterator[Point]:
    """The first and the last call of each operation, before and after it is carried out; reading changes nothing."""
    for operation, count in calls.items():
        points = _both(operation, sorted({1, count}))
        yield from (point for point in points if not (point.after and operation.startswith(_READING)))


def block_points(calls: Mapping[str, int]) -> Iterator[Point]:
    """Every hundredth block."""
    yield from _both(PUT, range(EVERY, calls[PUT] + 1, EVERY))


def _puts(count: int) -> Sequence[int]:
    return sorted({1, 2, *range(EVERY, count + 1, EVERY), count - 1, count})


def _both(operation: str, numbers: Iterable[int]) -> Iterator[Point]:
    for nth in numbers:
        yield Point(operation, nth, after=False)
        yield Point(operation, nth, after=True)


def try_points(zygote: Zygote, scene: Scene, points: Iterable[Point], *, at_once: int = 3) -> Tally:
    """Try each point on a ground of its own, several at once."""
    with ThreadPoolExecutor(at_once) as pool:
        return Tally(list(pool.map(lambda point: try_point(zygote, scene, point), points)))


def try_point(zygote: Zygote, scene: Scene, point: Point) -> Tried:
    """Kill a run there, and run the same command again."""
    with Ground(zygote, scene) as ground:
        run = ground.prepared()
        ground.aws.script(point.fault(run.pid))
        first = run.go().wait()
        ground.calm()
        if not first.killed and first.status != 0:
            return Tried(point, False, [f"was not killed, and failed: {first.summary}"])
        before, called = ground.aws.state(), ground.aws.calls()
        kept = journaled(ground)
        problems = [*wrong_content(before, scene), *_journal_problems(kept, before, scene)]
        again = ground.publish()
        if again.status != 0:
            return Tried(point, first.killed, [*problems, f"the second run failed: {again.summary}"])
        state = ground.aws.state()
        problems += amiss(state, scene)
        problems += [f"the journal {file.name} is left" for file in ground.journals]
        puts = ground.aws.calls().get(PUT, 0) - called.get(PUT, 0)
        if scene.lagging:
            # Puts that come too early for a new snapshot are refused, and made again.
            puts = sum(image["blocks_sent"] for image in again.json["images"])
        problems += _put_problems(puts, kept, before, state, scene)
        return Tried(point, first.killed, problems, sum(_forgotten(kept, before).values()))


def journaled(ground: Ground) -> dict[str, dict[str, str]]:
    """What the journals say: snapshot to block index to digest."""
    kept: dict[str, dict[str, str]] = {}
    for file in ground.journals:
        if file.suffix != ".journal":
            continue
        head, *lines = file.read_text(errors="replace").split("\n")
        kept[json.loads(head)["snapshot"]] = dict(line.split(" ", 1) for line in lines[:-1])
    return kept


def _journal_problems(kept: Mapping[str, Mapping[str, str]], state: Mapping[str, Any], scene: Scene) -> Iterator[str]:
    """A journal must not claim what the service does not have, and has to remember nearly all that it has."""
    for snapshot_id, entries in kept.items():
        snapshot = state["snapshots"].get(snapshot_id)
        if snapshot is None:
            yield f"the journal tells of {snapshot_id}, which is not there"
            continue
        if untrue := [index for index, digest in entries.items() if snapshot["blocks"].get(index) != digest]:
            yield f"the journal of {snapshot_id} claims blocks that were never taken: {untrue[:5]}"
    for snapshot_id, count in _forgotten(kept, state).items():
        if count > UNFLUSHED:
            yield f"the journal of {snapshot_id} has forgotten {count} blocks"


def _forgotten(kept: Mapping[str, Mapping[str, str]], state: Mapping[str, Any]) -> dict[str, int]:
    """Per unfinished snapshot the blocks that it has and the journal does not know of."""
    return {
        snapshot_id: item["block_count"] - len(kept.get(snapshot_id, ()))
        for snapshot_id, item in state["snapshots"].items()
        if not item["sealed"]
    }


def _put_problems(
    puts: int,
    kept: Mapping[str, Mapping[str, str]],
    before: Mapping[str, Any],
    state: Mapping[str, Any],
    scene: Scene,
) -> Iterator[str]:
    """The second run has to send what the journal does not have, and nothing else."""
    uploaded = [item for item in before["snapshots"].values() if not _is_copy(item)]
    sources = scene.regions if scene.direct else scene.regions[:1]
    missing = scene.blocks * len(sources)
    unaware = 0
    for snapshot_id, item in before["snapshots"].items():
        if _is_copy(item):
            continue
        missing -= item["block_count"] if item["sealed"] else len(kept.get(snapshot_id, {}))
        # One whose journal is gone while AWS still completes it is found complete by one put that is refused.
        unaware += item["sealed"] and item["state"] != "completed"
    assert len(uploaded) <= len(sources) * len(scene.images), "a region has more snapshots than images"
    if not missing <= puts <= missing + unaware:
        yield f"the second run has put {puts} blocks, {missing} were missing"


def _is_copy(snapshot: Mapping[str, Any]) -> bool:
    return snapshot["description"].startswith("Copied for")
