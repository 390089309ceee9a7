"""Ctrl-C while publishing: how the run ends, what it says of what it leaves, and how the next one goes on."""

import random
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from brqos.errors import ExitCode
from publishing.expectation import State, amiss, wrong_content
from publishing.kills import PUT, journaled
from publishing.processes import BrqosRun, Ended, Zygote, until
from publishing.scene import Ground, Scene

# Python ends by SIGINT itself, which is 130 for a shell too, if an interrupt has met code that was compiled from text
# (a dataclass that is being imported): CPython's run_eval_code_obj counts it as unhandled, whoever handles it later.
_INTERRUPTED = (ExitCode.INTERRUPTED, -signal.SIGINT)

Moment = Callable[[Ground, BrqosRun], None]
"""Waits until a run is to be interrupted."""


def at_block(number: int) -> Moment:
    """As soon as so many blocks were put."""

    def wait(ground: Ground, _: BrqosRun) -> None:
        until(lambda: ground.aws.calls().get(PUT, 0) >= number, f"{number} blocks were never put")

    return wait


def after(seconds: float) -> Moment:
    """So many seconds after its first words: before that it is Python that is interrupted, and not brqos."""

    def wait(_: Ground, run: BrqosRun) -> None:
        until(lambda: bool(run.said()), "the run has said nothing")
        time.sleep(seconds)

    return wait


def interrupt(
    zygote: Zygote, scene: Scene, moment: Moment, *, restart: bool, sent: signal.Signals = signal.SIGINT
) -> list[str]:
    """Interrupt a run at some moment and go on, with --restart or without; what is not as it should be."""
    with Ground(zygote, scene) as ground:
        run = ground.prepared().go()
        moment(ground, run)
        run.send(sent)
        ended = run.wait(30)
        if ended.status == ExitCode.DONE or (ended.status in (-signal.SIGINT, -sent) and ended.out):
            # It had done all and said so; after that a signal meets Python's own end.
            return amiss(ground.aws.state(), scene)
        before, kept = ground.aws.state(), journaled(ground)
        problems = [*_end_problems(ended, before), *wrong_content(before, scene)]
        again = ground.publish("--restart") if restart else ground.publish()
        if again.status != ExitCode.DONE:
            return [*problems, f"the second run failed: {again.summary}"]
        state = ground.aws.state()
        problems += amiss(state, scene)
        problems += [f"the journal {file.name} is left" for file in ground.journals]
        dropped = [snapshot for snapshot in unfinished(before) if snapshot not in state["snapshots"]]
        if restart:
            return problems + [f"{snapshot} was gone on with" for snapshot in kept if snapshot not in dropped]
        return problems + [f"{snapshot} was not gone on with" for snapshot in dropped]


def _end_problems(ended: Ended, state: State) -> list[str]:
    """Ended by an interrupt, with a word on each snapshot that is unfinished and how to go on with it or drop it."""
    if ended.status not in _INTERRUPTED or "Traceback" in ended.err:
        return [f"not ended as interrupted: {ended.summary}"]
    lines = ended.err.splitlines()
    problems = [] if "error: interrupted" in lines else ["does not say that it was interrupted"]
    for snapshot in unfinished(state):
        told = [line for line in lines if f"{snapshot} is unfinished" in line]
        if not told:
            problems.append(f"does not tell that {snapshot} is unfinished: {ended.summary}")
        elif not all(word in told[0] for word in ("goes on with it", "--restart", "aws ec2 delete-snapshot")):
            problems.append(f"does not tell what can be done with {snapshot}: {told[0]}")
    return problems


def unfinished(state: State) -> list[str]:
    """The snapshots that were begun and not declared complete."""
    return [snapshot for snapshot, item in state["snapshots"].items() if not item["sealed"]]


def interrupt_at_random(zygote: Zygote, scene: Scene, times: int, seconds: float, *, at_once: int = 3) -> list[str]:
    """Interrupt so many runs at random moments of their first `seconds`; what is not as it should be.

    Every third gets the signal of a CI job that is cancelled, every second one is begun anew.
    """
    dice = random.Random(times)
    moments = [(dice.uniform(0.0, seconds), number) for number in range(times)]

    def one(moment: tuple[float, int]) -> list[str]:
        delay, number = moment
        restart, sent = number % 2 == 1, signal.SIGTERM if number % 3 == 2 else signal.SIGINT
        problems = interrupt(zygote, scene, after(delay), restart=restart, sent=sent)
        words = f"{sent.name} after {delay:.2f} s, then{' --restart' if restart else ' the same again'}"
        return [f"{words}: {problem}" for problem in problems]

    with ThreadPoolExecutor(at_once) as pool:
        return [problem for problems in pool.map(one, moments) for problem in problems]
