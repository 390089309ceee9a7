"""The files of a memory cgroup as texts (Linux, Documentation/admin-guide/cgroup-v2.rst)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from brqos.memoryqos.kubelet import Amount
from brqos.verify.model import FILES, Values

_AMOUNT = re.compile(r"\d{1,20}|max", re.ASCII)
_PAIR = re.compile(r"^(\w+) (\d+)$", re.ASCII | re.MULTILINE)
_PRESSURE = re.compile(r"^(some|full) avg10=([\d.]+) avg60=([\d.]+) avg300=([\d.]+) total=(\d+)$", re.MULTILINE)
# The kernel writes `max` for no limit; protection may be `max` as well, which the kubelet never writes.
BESIDES = ("memory.current", "memory.events", "memory.stat", "memory.pressure")


@dataclass(frozen=True, slots=True)
class Cgroup:
    """What was read of one cgroup; `pressure` is the share of the last ten seconds in which some task stalled, in %."""

    values: Values
    current: int | None = None
    events: Mapping[str, int] = field(default_factory=dict)
    anon: int | None = None
    file: int | None = None
    pressure: float | None = None


def amount(text: str) -> Amount | None:
    """One value; None where the text is none."""
    text = text.strip()
    if _AMOUNT.fullmatch(text) is None:
        return None
    return "max" if text == "max" else int(text)


def cgroup_of(files: Mapping[str, str]) -> Cgroup | None:
    """The cgroup whose files have these texts; None where one of the four is missing or is no value."""
    found = [amount(files.get(file, "")) for file in FILES]
    low, high, top = found[1], found[2], found[3]
    if found[0] is None or low is None or high is None or top is None:
        return None
    stat = pairs(files.get("memory.stat", ""))
    pressure = _PRESSURE.search(files.get("memory.pressure", ""))
    current = amount(files.get("memory.current", ""))
    return Cgroup(
        values=Values(memory_min=found[0], memory_low=low, memory_high=high, memory_max=top),
        current=current if isinstance(current, int) else None,
        events=pairs(files.get("memory.events", "")),
        anon=stat.get("anon"),
        file=stat.get("file"),
        pressure=float(pressure[2]) if pressure else None,
    )


def pairs(text: str) -> dict[str, int]:
    """The lines of memory.events or memory.stat."""
    return {name: int(value) for name, value in _PAIR.findall(text)}
