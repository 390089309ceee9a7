"""The steps of the work: each is shown while it lasts, and its time is kept for `scripts/bench`."""

import contextlib
import time
from collections.abc import Iterator

from brqos.monitor import Monitor


class Steps:
    """`seconds` has the time of each step that ended; some overlap, so that they add up to more than the whole."""

    def __init__(self, monitor: Monitor) -> None:
        self.seconds: dict[str, float] = {}
        self._monitor = monitor

    @contextlib.contextmanager
    def step(self, name: str, title: str = "") -> Iterator[None]:
        """Time what is done; `title` shows it, for work that does not show itself."""
        began = time.monotonic()
        with self._monitor.task(title) if title else contextlib.nullcontext():
            yield
        self.seconds[name] = round(time.monotonic() - began, 3)
