"""Groups, streams and events as the emulated accounts keep them. Times of events are milliseconds since 1970."""

import itertools
from bisect import insort
from dataclasses import dataclass, field

Place = tuple[str, str, str]
"""Account, region and the group's name."""


@dataclass(frozen=True, slots=True, order=True)
class Event:
    """One message; ordered as CloudWatch Logs tells them, by time and then as they came."""

    time: int
    number: int
    ingested: int = field(compare=False)
    stream: str = field(compare=False)
    message: str = field(compare=False)

    @property
    def id(self) -> str:
        """As unique as it is long."""
        return f"3{self.time:020d}{self.number:035d}"


@dataclass(slots=True)
class LogGroups:
    """All groups; tests set `delay`, the seconds from when something is said until it can be read."""

    groups: dict[Place, list[Event]] = field(default_factory=dict)
    streams: dict[Place, set[str]] = field(default_factory=dict)
    delay: float = 0.0
    scanned: int = 10_000
    """How many events one call looks at: of a log with few that fit, pages come without any."""
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def create(self, account: str, region: str, group: str, stream: str, now: float) -> None:
        """Make a stream, and its group, if they are not there."""
        place = (account, region, group)
        self.groups.setdefault(place, [])
        self.streams.setdefault(place, set()).add(stream)

    def say(self, account: str, region: str, group: str, stream: str, time: float, message: str) -> None:
        """Write a message, said at this time in seconds, to a stream."""
        self.create(account, region, group, stream, time)
        milliseconds = int(time * 1000)
        event = Event(milliseconds, next(self._numbers), milliseconds + int(self.delay * 1000), stream, message)
        insort(self.groups[account, region, group], event)
