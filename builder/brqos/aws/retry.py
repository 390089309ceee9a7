"""Trying a call again, by the kind of its error (the table in the EBS direct guide's "error retries").

A snapshot that was just started may answer 404 for about two minutes; throttling and the service's own failures pass;
nothing else does, and AccessDenied least of all.
"""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from brqos.aws.errors import AwsCallError, ErrorKind

_T = TypeVar("_T")


# More of them would only be a large number, until it is too large.
_DOUBLINGS = 30


class StoppedError(Exception):
    """The work was called off while a call waited for its next try."""


@dataclass(frozen=True, slots=True)
class Retry:
    """For how many seconds after the first try each kind of error is tried again; what is not named is not.

    Delays grow from `first_delay` to `longest_delay` seconds, each between half of it and all of it at random, so that
    many threads do not come back at the same moment.
    """

    seconds: dict[ErrorKind, float] = field(
        default_factory=lambda: {
            ErrorKind.NOT_FOUND: 120.0,
            ErrorKind.THROTTLED: 600.0,
            ErrorKind.SERVER: 120.0,
            ErrorKind.CONNECTION: 60.0,
        }
    )
    first_delay: float = 0.1
    longest_delay: float = 10.0

    def limited(self, kind: ErrorKind, seconds: float) -> "Retry":
        """The same, but this kind is tried again for so long at the most."""
        least = min(seconds, self.seconds.get(kind, -1.0))
        return Retry({**self.seconds, kind: least}, self.first_delay, self.longest_delay)

    def call(
        self,
        action: Callable[[], _T],
        stop: threading.Event | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], object] | None = None,
    ) -> _T:
        """Do it, again where that may help; raises the last AwsCallError, or StoppedError once `stop` is set."""
        stop = stop or threading.Event()
        wait = wait or stop.wait
        began, tries = clock(), 0
        while True:
            if stop.is_set():
                raise StoppedError
            try:
                return action()
            except AwsCallError as error:
                longest = min(self.longest_delay, self.first_delay * 2 ** min(tries, _DOUBLINGS))
                delay = random.uniform(0.5, 1.0) * longest  # noqa: S311 - nothing secret depends on it
                if clock() - began + delay > self.seconds.get(error.kind, -1.0):
                    raise
            tries += 1
            wait(delay)
