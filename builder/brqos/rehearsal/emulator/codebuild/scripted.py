"""Builds that run by a script, in the store's time: nothing is run, and a test may turn the clock.

emulator.builds.script("*", Script(seconds=600, lines=("compiling", "done")))
emulator.builds.script("aws_k8s_1_34_*", Script(state="FAULT"), times=1)      # lost once; tried again it succeeds
emulator.builds.script("broken", Script(state="FAILED", message="exit status 6"))
emulator.builds.script("stuck", Script(hangs=True))                            # until its timeout, or stopped
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from brqos.rehearsal.emulator.codebuild.runs import FAULT, SUCCEEDED, Order, Phase

_BEFORE = ("PROVISIONING", "DOWNLOAD_SOURCE", "INSTALL", "PRE_BUILD")
_AFTER = ("POST_BUILD", "UPLOAD_ARTIFACTS", "FINALIZING")
# Long enough to be seen, as in reality; nothing follows from the figures.
_SECONDS = {"PROVISIONING": 5.0, "DOWNLOAD_SOURCE": 1.0, "FINALIZING": 1.0}
_CODES = {FAULT: "INTERNAL_SERVICE_ERROR"}


@dataclass(frozen=True, slots=True)
class Script:
    """How a build goes: `seconds` is how long the phase BUILD takes, `phases` how long others do.

    It ends in `state` (SUCCEEDED, FAILED or FAULT) after the phase `phase`, with `message` as the reason. `lines` are
    printed in BUILD: at even intervals, or `(seconds after its beginning, text)`. One that `hangs` stays in BUILD.
    `effect` is called when a build that succeeds ends: to put into S3 what it would have put there.
    """

    seconds: float = 60.0
    state: str = SUCCEEDED
    phase: str = "BUILD"
    message: str = ""
    lines: Sequence[str | tuple[float, str]] = ()
    phases: Mapping[str, float] = field(default_factory=dict)
    hangs: bool = False
    effect: Callable[[Order], None] | None = None


@dataclass(slots=True)
class _Rule:
    pattern: str
    script: Script
    times: int | None


class ScriptedRunner:
    """Runs builds by scripts: the rule that was given last and fits is followed, `times` times."""

    most: int | None = None
    real = False

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[_Rule] = [_Rule("*", Script(), None)]
        self.orders: list[Order] = []

    def script(self, pattern: str, script: Script, *, times: int | None = None) -> None:
        """Follow this script for builds whose identifiers fit the pattern (`*` and `?` are wild), or the next few."""
        with self._lock:
            self._rules.append(_Rule(pattern, script, times))

    def start(self, order: Order, now: float) -> "ScriptedRun":
        """Run a build by the script that fits."""
        with self._lock:
            self.orders.append(order)
            rule = next(
                rule
                for rule in reversed(self._rules)
                if rule.times != 0 and fnmatchcase(order.identifier, rule.pattern)
            )
            if rule.times is not None:
                rule.times -= 1
            return ScriptedRun(order, rule.script, now)

    def close(self) -> None:
        """Nothing is left running."""


class ScriptedRun:
    """A build that goes by its script."""

    def __init__(self, order: Order, script: Script, now: float) -> None:
        self._order = order
        self._state = script.state
        self._phases = list(_planned(script, now))
        last = self._phases[-1]
        self._ended = last.ended
        self._lines = sorted(_timed(script, self._phases))
        self._effect = script.effect if script.state == SUCCEEDED else None

    def phases(self, now: float) -> list[Phase]:
        """The phases that have begun by now."""
        return [_as_of(phase, now) for phase in self._phases if phase.started <= now]

    def ended(self) -> float | None:
        """When it ends."""
        return self._ended

    def state(self) -> str:
        """How it ends."""
        if self._effect is not None:
            effect, self._effect = self._effect, None
            effect(self._order)
        return self._state

    def lines(self, now: float) -> list[tuple[float, str]]:
        """What it has printed by now and since the last time."""
        said = [line for line in self._lines if line[0] <= now]
        self._lines = self._lines[len(said) :]
        return said

    def stop(self, now: float, state: str) -> None:
        """End it."""
        self._state, self._ended, self._effect = state, now, None
        self._lines = [line for line in self._lines if line[0] <= now]
        self._phases = [phase for phase in self._phases if phase.started <= now]
        for phase in self._phases:
            if phase.ended is None or phase.ended > now:
                phase.end(now, state)


def _planned(script: Script, now: float) -> list[Phase]:
    names = [*_BEFORE, "BUILD", *_AFTER]
    seconds = {**dict.fromkeys(names, 0.0), **_SECONDS, "BUILD": script.seconds, **script.phases}
    found: list[Phase] = []
    for name in names:
        if name == "BUILD" and script.hangs:
            return [*found, Phase(name, now)]
        fails = script.state != SUCCEEDED and name == script.phase
        phase = Phase(name, now)
        now += seconds[name]
        code = _CODES.get(script.state, "COMMAND_EXECUTION_ERROR") if fails else ""
        phase.end(now, script.state if fails else SUCCEEDED, code, script.message if fails else "")
        found.append(phase)
        if fails:
            return found
    return found


def _as_of(phase: Phase, now: float) -> Phase:
    if phase.ended is None or phase.ended <= now:
        return phase
    return Phase(phase.type, phase.started)


def _timed(script: Script, phases: Sequence[Phase]) -> list[tuple[float, str]]:
    build = next((phase for phase in phases if phase.type == "BUILD"), None)
    if build is None:
        return []
    pace = script.seconds / (len(script.lines) + 1)
    return [
        (
            build.started + (line[0] if isinstance(line, tuple) else pace * number),
            line if isinstance(line, str) else line[1],
        )
        for number, line in enumerate(script.lines, 1)
    ]
