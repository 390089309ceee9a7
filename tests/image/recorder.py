"""A monitor that remembers what it was told."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Recorder:
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    tasks: list[tuple[str, float | None, str]] = field(default_factory=list)
    described: list[str] = field(default_factory=list)
    advanced: float = 0

    def note(self, text: str) -> None:
        self.notes.append(text)

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    @contextmanager
    def task(self, title: str, total: float | None = None, unit: str = "") -> Iterator["Recorder"]:
        self.tasks.append((title, total, unit))
        yield self

    def advance(self, amount: float) -> None:
        self.advanced += amount

    def describe(self, text: str) -> None:
        self.described.append(text)
