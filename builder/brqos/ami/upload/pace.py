"""How many puts may be under way at once: found while they run, up to the service's quota.

EBS direct takes 1000 PutSnapshotBlock a second per account and region (Service Quotas, "EBS direct APIs"). How many
threads that takes depends on the distance: a handful beside the service, dozens across an ocean, and on a small machine
more of them only get into each other's way. So the number climbs while that brings more puts a second, goes back where
it does not, and falls at once where the service says that it is too fast.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from brqos.aws.retry import StoppedError

QUOTA_PER_SECOND = 1000.0
MOST_AT_ONCE = 64

_FIRST_LIMIT = 16.0
# Large steps at first, since an image is sent within seconds; smaller ones once a step was too large.
_FIRST_STEP = 2.0
_STEP = 1.4
_WINDOW_SECONDS = 0.5
_WINDOW_PUTS = 40
# Rates differ from window to window: less than this is no difference.
_NOISE = 0.05
# Windows to stay at a number that was found good, before trying a larger one again.
_REST = 12
_AFTER_THROTTLING = 0.6


class Pace:
    """A gate for puts; safe to use from any thread.

    `turn` waits for a place and for the quota; `throttled` tells that the service refused a put for being too fast.
    """

    def __init__(
        self,
        *,
        most: int = MOST_AT_ONCE,
        per_second: float = QUOTA_PER_SECOND,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = float(most)
        self._per_second = per_second
        self._clock = clock
        self._free = threading.Condition()
        self._under_way = 0
        self._next_start = 0.0
        self._limit = min(_FIRST_LIMIT, self._most)
        self._climb = _Climb()
        self._window_began = clock()
        self._window_puts = 0
        self._throttled_at = float("-inf")

    @property
    def limit(self) -> int:
        """How many puts may be under way at this moment."""
        return max(1, int(self._limit))

    @contextmanager
    def turn(self, stop: threading.Event) -> Iterator[None]:
        """Hold a place while one put is made; raises StoppedError once `stop` is set."""
        self._enter(stop)
        done = False
        try:
            yield
            done = True
        finally:
            self._leave(counts=done)

    def throttled(self) -> None:
        """The service was asked too often: fewer at once, one time for all the refusals of the same moment."""
        with self._free:
            now = self._clock()
            if now - self._throttled_at >= _WINDOW_SECONDS:
                self._limit = max(1.0, self._limit * _AFTER_THROTTLING)
                self._climb = _Climb(rest=_REST)
                self._throttled_at = now
                self._begin_window(now)

    def _enter(self, stop: threading.Event) -> None:
        with self._free:
            while self._under_way >= self.limit:
                if stop.is_set():
                    raise StoppedError
                self._free.wait(0.2)
            self._under_way += 1
            # Places in time are handed out one after the other; who comes late finds its place at once.
            start = max(self._next_start, self._clock())
            self._next_start = start + 1.0 / self._per_second
            delay = start - self._clock()
        if delay > 0 and stop.wait(delay):
            self._leave(counts=False)
            raise StoppedError

    def _leave(self, *, counts: bool) -> None:
        with self._free:
            self._under_way -= 1
            if counts:
                self._window_puts += 1
                self._look()
            self._free.notify()

    def _look(self) -> None:
        now = self._clock()
        seconds = now - self._window_began
        # Long enough that every place was used more than once, else what is measured is chance.
        if seconds < _WINDOW_SECONDS or self._window_puts < max(_WINDOW_PUTS, 2 * self.limit):
            return
        factor = self._climb.next_factor(self._window_puts / seconds, at_the_top=self._limit >= self._most)
        grown = self.limit < int(self._limit * factor)
        self._limit = min(self._most, max(1.0, self._limit * factor))
        self._begin_window(now)
        if grown:
            self._free.notify_all()

    def _begin_window(self, now: float) -> None:
        self._window_began, self._window_puts = now, 0


class _Climb:
    """Whether to go up, back or nowhere, from the rates of the windows."""

    def __init__(self, rest: int = 0) -> None:
        self._step = _STEP if rest else _FIRST_STEP
        self._before: float | None = None
        self._went_up = False
        self._rest = rest

    def next_factor(self, rate: float, *, at_the_top: bool) -> float:
        """What to multiply the limit with, after a window with this rate; at the top there is no way up."""
        before, self._before = self._before, rate
        if self._rest:
            self._rest -= 1
            return 1.0
        if not self._went_up or before is None or rate > before * (1 + _NOISE):
            self._went_up = not at_the_top
            return 1.0 if at_the_top else self._step
        # The last step brought nothing: undo it, and let it be for a while.
        undone, self._step = self._step, _STEP
        self._went_up = False
        self._rest = _REST
        return 1 / undone
