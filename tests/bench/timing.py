"""Measured times, and what was promised about them."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table: a measured number against the one that was promised, in the same unit."""

    title: str
    measured: float
    promised: float
    unit: str
    detail: str = ""

    @property
    def verdict(self) -> str:
        """Only said, never acted upon: a machine may be busy."""
        return "ok" if self.measured <= self.promised else "slower than promised"


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
        (line.title, f"{line.measured:.2f} {line.unit}", f"<= {line.promised:g} {line.unit}", line.verdict, line.detail)
        for line in lines
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[4]]).rstrip()
        for row in rows
    )
