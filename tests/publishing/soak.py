"""`scripts/soak --publishing`: the long form of these suites, a line for each part and the figures for the README."""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from publishing.interruptions import interrupt_at_random
from publishing.kills import PUT, Point, all_points, block_points, calls_of_a_clean_run, some_points, try_points
from publishing.mishaps import answers_hang, image_changes, login_expires, network_is_lost, rivals_publish
from publishing.processes import Zygote
from publishing.scene import REGIONS, Picture, Scene, pictures, room
from publishing.storms import weather_all


@dataclass(frozen=True)
class Line:
    """What came of one part; `problems` are all that is not as it has to be."""

    text: str
    problems: Sequence[str] = ()


@dataclass(frozen=True)
class Soak:
    """What all parts need: a zygote, a folder, and how much at once."""

    zygote: Zygote
    folder: Path
    at_once: int
    seeds: int

    def images(self, name: str, os_blocks: int, data_blocks: int, *, packed: bool = True) -> dict[str, Picture]:
        """Images of a part's own."""
        return pictures(self.folder / name, os_blocks, data_blocks, packed=packed)


def kills(soak: Soak) -> Iterator[Line]:
    """Kill -9 at every call, and at every hundredth block."""
    little, raw = soak.images("little", 5, 2), soak.images("raw", 5, 2, packed=False)
    for scene in (Scene(little), Scene(little, direct=True)):
        yield _killed(soak, scene, all_points(calls_of_a_clean_run(soak.zygote, scene)))
    others = Scene(raw, REGIONS, encrypted=False), Scene(little, lagging=True), Scene(little, omitting=True)
    for scene in others:
        yield _killed(soak, scene, some_points(calls_of_a_clean_run(soak.zygote, scene)))
    for name, packed in (("packed", True), ("unpacked", False)):
        images = soak.images(name, 560, 40, packed=packed)
        yield _killed(soak, Scene(images, REGIONS[:1]), block_points({PUT: 600}))
        yield _killed(soak, Scene(images, REGIONS[:2], direct=True), block_points({PUT: 1200}))


def _killed(soak: Soak, scene: Scene, points: Iterator[Point]) -> Line:
    tally = try_points(soak.zygote, scene, points, at_once=soak.at_once)
    problems = tally.problems
    if tally.reached < 0.9 * len(tally.tried):
        problems.append(f"only {tally.reached} of {len(tally.tried)} runs were killed")
    return Line(f"kill -9: {tally.words} ({scene.title})", problems)


def storms(soak: Soak) -> Iterator[Line]:
    """5 % faults, in many mixtures."""
    little = soak.images("stormy", 12, 4)
    for direct in (False, True):
        scene = Scene(little, REGIONS, direct=direct)
        weathered = weather_all(soak.zygote, scene, range(1, soak.seeds + 1), at_once=2 * soak.at_once)
        ends = [status for storm in weathered for status in storm.statuses[:-1]]
        yield Line(
            f"5 % faults: {len(weathered)} seeds, {sum(storm.faults for storm in weathered)} faults, {len(ends)} runs:"
            f" {ends.count(0)} done, {ends.count(7)} told what is missing; {sum(storm.orphans for storm in weathered)}"
            f" orphans, all pruned ({scene.title})",
            [f"seed {storm.seed}: {problem}" for storm in weathered for problem in storm.problems],
        )


def interruptions(soak: Soak) -> Iterator[Line]:
    """Ctrl-C at random moments."""
    images = soak.images("interrupted", 300, 20)
    for direct in (False, True):
        scene = Scene(images, direct=direct)
        problems = interrupt_at_random(soak.zygote, scene, 40, 3.0, at_once=soak.at_once)
        yield Line(f"Ctrl-C and SIGTERM: 40 random moments ({scene.title})", problems)


def mishaps(soak: Soak) -> Iterator[Line]:
    """Expired logins, changed images, lost networks, answers that hang; most of it is waiting, so all at once."""
    zygote, one, two = soak.zygote, REGIONS[:1], REGIONS[:2]
    large, own = soak.images("large", 300, 20), [soak.images(f"own{number}", 60, 2) for number in range(2)]
    little = soak.images("hanging", 5, 2)
    parts: Mapping[str, Callable[[], list[str]]] = {
        "a login that expires": partial(login_expires, zygote, Scene(large, one), 100),
        "a changed image, taken back": partial(image_changes, zygote, Scene(own[0], one), 30, restart=False),
        "a changed image, meant": partial(image_changes, zygote, Scene(own[1], one), 30, restart=True),
        "10 s without network": partial(network_is_lost, zygote, Scene(large, one), 100, 10.0, survives=True),
        "no network any more": partial(network_is_lost, zygote, Scene(large, one), 100, 400.0, survives=False),
        "two machines at once, copied": partial(rivals_publish, zygote, Scene(large, two)),
        "two machines at once, uploaded": partial(rivals_publish, zygote, Scene(large, two, direct=True)),
        **{
            f"{operation} hangs for {seconds} s": partial(answers_hang, zygote, Scene(little, two), operation, seconds)
            for operation, seconds in (
                ("StartSnapshot", 35.0),
                (PUT, 35.0),
                ("CompleteSnapshot", 35.0),
                ("RegisterImage", 65.0),
                ("CopyImage", 65.0),
                ("ModifyImageAttribute", 65.0),
                ("PutParameter", 65.0),
            )
        },
    }
    with ThreadPoolExecutor(len(parts)) as pool:
        for title, result in [(title, pool.submit(_caught, part)) for title, part in parts.items()]:
            yield Line(title, result.result())


def _caught(part: Callable[[], list[str]]) -> list[str]:
    try:
        return part()
    except AssertionError as error:
        return [str(error)]


_PARTS = {"kills": kills, "storms": storms, "interruptions": interruptions, "mishaps": mishaps}


def main(arguments: Sequence[str]) -> int:
    """0: all as it has to be; 1: not."""
    options = _options().parse_args(arguments)
    good, began = True, time.monotonic()
    # A soak that is called off must not leave its images in memory.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="brqos-soak-", dir=room()) as folder, Zygote() as zygote:
        soak = Soak(zygote, Path(folder), options.at_once, options.seeds)
        for name in options.only or _PARTS:
            part_began = time.monotonic()
            for line in _PARTS[name](soak):
                good &= not line.problems
                _say(f"{'BAD ' if line.problems else 'ok  '} {line.text}, {time.monotonic() - part_began:.0f} s")
                for problem in line.problems:
                    _say(f"     {problem}")
                part_began = time.monotonic()
    _say(f"in {time.monotonic() - began:.0f} s")
    return int(not good)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/soak --publishing",
        description="Publish while runs are killed, AWS fails, logins expire and networks are lost; all on loopback.",
    )
    parser.add_argument("--only", action="append", choices=list(_PARTS), help="only this part; may be repeated")
    parser.add_argument("--seeds", type=int, default=100, metavar="N", help="storms of faults; 100 by default")
    parser.add_argument("--at-once", type=int, default=3, metavar="N", help="runs at the same time; 3 by default")
    return parser
