"""Check 6: is it hurting. Events and pressure of what could be read. Pure.

memory.high does not kill: a container that leaks is slowed down at it, sometimes to a standstill (kubernetes#118699).
Its `high` count grows fast while there is next to no file cache left that could be reclaimed; that is the sign.
"""

from collections.abc import Mapping

from brqos.verify.cgroup_text import Cgroup
from brqos.verify.model import Check, Finding, Status, Subject
from brqos.verify.workloads import Reading

_MIB = 2**20
_SMALL_SHARE = 0.02
_FAST_PER_SECOND = 1.0
_PRESSED_PERCENT = 10.0


def check_pressure(readings: Mapping[tuple[str, str, str], Reading]) -> Check:
    """What the containers that were read suffer from."""
    findings = [finding for key, reading in readings.items() for finding in _of("/".join(key), reading)]
    read = sum(reading.first is not None for reading in readings.values())
    if not read:
        why = "memory.events and memory.pressure can only be read from inside a container, with --exec."
        findings.append(Finding(status=Status.SKIPPED, what="memory.events, memory.pressure", why=why))
    elif not findings:
        text = f"{read} container(s): no leak is being throttled, nothing was killed, no pressure"
        findings.append(Finding(status=Status.PASSED, what="memory.events, memory.pressure", observed=text))
    return Check(subject=Subject.PRESSURE, findings=tuple(findings))


def _of(name: str, reading: Reading) -> list[Finding]:
    if reading.first is None:
        return []
    found = [_throttling(name, reading), _killed(name, reading.first), _pressed(name, reading.second or reading.first)]
    return [finding for finding in found if finding is not None]


def is_without_cache(cgroup: Cgroup) -> bool:
    """Whether there is next to no file cache that could be reclaimed, beside what cannot be."""
    if cgroup.file is None or cgroup.anon is None:
        return False
    return cgroup.file <= max(_MIB, int(_SMALL_SHARE * cgroup.anon)) and cgroup.anon > _MIB


def _throttling(name: str, reading: Reading) -> Finding | None:
    first, second = reading.first, reading.second
    assert first is not None
    if second is None:
        return _by_one_look(name, first)
    grown = second.events.get("high", 0) - first.events.get("high", 0)
    rate = grown / reading.seconds if reading.seconds else 0.0
    if rate < _FAST_PER_SECOND:
        return None
    observed = f"high +{grown} in {reading.seconds:.0f} s, anon {second.anon}, file {second.file}"
    if not is_without_cache(second):
        why = "It is throttled, and has file cache to give back: that is what memory.high is for."
        return Finding(status=Status.PASSED, what=name, observed=observed, why=why)
    return _leak(name, observed)


def _by_one_look(name: str, cgroup: Cgroup) -> Finding | None:
    """With one look only: at its memory.high now, throttled before, and nothing left to reclaim."""
    high, current = cgroup.values.memory_high, cgroup.current
    if high == "max" or current is None or not cgroup.events.get("high") or not is_without_cache(cgroup):
        return None
    if current < 0.95 * high:
        return None
    return _leak(
        name, f"high {cgroup.events['high']}, {current} of {high} used, anon {cgroup.anon}, file {cgroup.file}"
    )


def _leak(name: str, observed: str) -> Finding:
    return Finding(
        status=Status.WARNING,
        what=name,
        observed=observed,
        why="It looks like a leak that is being throttled: memory.high slows it down, with no cache to reclaim.",
        todo="Raise its limit or mend it; with MemoryQoS it may hang for long before it is killed.",
    )


def _killed(name: str, cgroup: Cgroup) -> Finding | None:
    killed = cgroup.events.get("oom_kill", 0)
    if not killed:
        return None
    return Finding(status=Status.WARNING, what=name, observed=f"oom_kill {killed}", why="A process in it was killed.")


def _pressed(name: str, cgroup: Cgroup) -> Finding | None:
    if cgroup.pressure is None or cgroup.pressure < _PRESSED_PERCENT:
        return None
    why = "Its tasks waited for memory that long, of the last ten seconds."
    return Finding(status=Status.WARNING, what=name, observed=f"memory.pressure some {cgroup.pressure:g} %", why=why)
