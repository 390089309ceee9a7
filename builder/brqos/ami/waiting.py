"""Waiting for something that AWS does in its own time."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.retry import StoppedError

_T = TypeVar("_T")

_SHORTEST_PAUSE = 0.1
_LONGEST_PAUSE = 10.0
# What was just made may be unknown to the next call: EC2 is consistent only after a while.
_UNKNOWN_SECONDS = 120.0


def wait_until(
    look: Callable[[], _T | None],
    seconds: float,
    *,
    stop: threading.Event | None = None,
    unknown_seconds: float = _UNKNOWN_SECONDS,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], object] | None = None,
) -> _T | None:
    """Call `look` until it gives something, and return that; None after `seconds`.

    The pauses grow with the time waited, from 0.1 to 10 seconds. "Not found" counts as not yet, for `unknown_seconds`.
    Raises StoppedError once `stop` is set, and whatever `look` raises.
    """
    stop = stop or threading.Event()
    pause = pause or stop.wait
    began = clock()
    while True:
        if stop.is_set():
            raise StoppedError
        waited = clock() - began
        try:
            if (found := look()) is not None:
                return found
        except AwsCallError as error:
            if error.kind is not ErrorKind.NOT_FOUND or waited > unknown_seconds:
                raise
        if waited >= seconds:
            return None
        pause(min(_LONGEST_PAUSE, max(_SHORTEST_PAUSE, waited / 10), max(_SHORTEST_PAUSE, seconds - waited)))
