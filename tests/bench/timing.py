"""Measured times, and what was promised about them."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table: a measured number against the one that was promised, in the same unit.

    The promise is that it is at most that, or with `at_least` at least that.
    """

    title: str
    measured: float
    promised: float
    unit: str
    detail: str = ""
    at_least: bool = False

    @property
    def verdict(self) -> str:
        """Only said, never acted upon: a machine may be busy."""
        kept = self.measured >= self.promised if self.at_least else self.measured <= self.promised
        return "ok" if kept else "slower than promised"

    @property
    def promise(self) -> str:
        """The promised number with its sign."""
        return f"{'>=' if self.at_least else '<='} {self.promised:g} {self.unit}"


def median_seconds(action: Callable[[], object], times: int) -> float:
    """The median wall time of an action; it runs once more before, so that files are in memory."""
    action()
    return statistics.median(seconds(action) for _ in range(times))


def seconds(action: Callable[[], object]) -> float:
    """The wall time of an action."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def table(lines: Sequence[Line]) -> str:
    """The lines as text."""
    rows = [("what", "measured", "promised", "", "")]
    rows += [
        (line.title, f"{line.measured:.2f} {line.unit}", line.promise, line.verdict, line.detail) for line in lines
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[4]]).rstrip()
        for row in rows
    )
