"""What a stage may say while it works. The stages know these words only; console.py decides how they look."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class Task(Protocol):
    """A piece of work under way."""

    def advance(self, amount: float) -> None:
        """So much more is done, in the unit of the task's total."""

    def describe(self, text: str) -> None:
        """What is being done at this moment."""


class Monitor(Protocol):
    """Where a stage reports to."""

    def note(self, text: str) -> None:
        """A line worth reading."""

    def warn(self, text: str) -> None:
        """Something that the user should know before it bites."""

    def task(self, title: str, total: float | None = None, unit: str = "") -> AbstractContextManager[Task]:
        """Begin a piece of work; `unit` is `B` for bytes (shown as MiB), else a word or nothing."""


class Board(Protocol):
    """One display for many pieces of work, of which some are shown."""

    def advance(self, amount: float) -> None:
        """So many more pieces are done."""

    def show(self, summary: str, rows: Sequence[tuple[str, str]]) -> None:
        """How it stands in one line, and the pieces that are at work, each with what it is doing."""


class Boards(Monitor, Protocol):
    """A monitor that can show many pieces of work at once."""

    def board(self, title: str, total: int) -> AbstractContextManager[Board]:
        """Begin a display for so many pieces."""


class _SilentTask:
    def advance(self, amount: float) -> None:
        pass

    def describe(self, text: str) -> None:
        pass

    def show(self, summary: str, rows: Sequence[tuple[str, str]]) -> None:
        pass


class Silent:
    """A monitor that says nothing, for calls from code."""

    def note(self, text: str) -> None:
        """Say nothing."""

    def warn(self, text: str) -> None:
        """Say nothing."""

    def task(self, title: str, total: float | None = None, unit: str = "") -> AbstractContextManager[Task]:
        """Show nothing."""
        return nullcontext(_SilentTask())

    def board(self, title: str, total: int) -> AbstractContextManager[Board]:
        """Show nothing."""
        return nullcontext(_SilentTask())
