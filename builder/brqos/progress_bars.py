"""Progress bars on a terminal: one display for all tasks, which may begin and end in any thread."""

import contextlib
import threading
from collections.abc import Iterator

from rich.console import Console as RichConsole
from rich.console import RenderableType
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.progress import Task as RichTask
from rich.text import Text


class Bars:
    """The display; it is there while any task is.

    Whoever prints on the same console holds `lock`: a line that is printed while the display goes would be wiped out
    with it.
    """

    def __init__(self, console: RichConsole, mark: str) -> None:
        self._console = console
        self._mark = mark
        self.lock = threading.RLock()
        self._progress: Progress | None = None
        self._open = 0

    @contextlib.contextmanager
    def task(self, title: str, total: float | None, unit: str) -> Iterator["BarTask"]:
        """Show a task for as long as the context lasts; `unit` is `B` for bytes, else a word or nothing."""
        progress = self._entered()
        number = progress.add_task(escape(title), total=total, detail="", unit=unit)
        try:
            yield BarTask(progress, number)
        finally:
            progress.remove_task(number)
            self._left()

    def _entered(self) -> Progress:
        with self.lock:
            if self._progress is None:
                self._progress = Progress(*_columns(self._mark), console=self._console, transient=True)
                self._progress.start()
            self._open += 1
            return self._progress

    def _left(self) -> None:
        with self.lock:
            self._open -= 1
            if self._open == 0 and self._progress is not None:
                self._progress.stop()
                self._progress = None


class BarTask:
    """One task on the display; implements `brqos.monitor.Task`."""

    def __init__(self, progress: Progress, number: TaskID) -> None:
        self._progress = progress
        self._number = number

    def advance(self, amount: float) -> None:
        """So much more is done."""
        self._progress.advance(self._number, amount)

    def describe(self, text: str) -> None:
        """What is being done at this moment."""
        self._progress.update(self._number, detail=escape(text))


class _Measured(ProgressColumn):
    """Another column, for tasks whose end is known and that count in its unit."""

    def __init__(self, column: ProgressColumn, *, of_bytes: bool | None = None) -> None:
        super().__init__()
        self._column = column
        self._of_bytes = of_bytes

    def render(self, task: RichTask) -> RenderableType:
        fits = self._of_bytes is None or self._of_bytes == (task.fields["unit"] == "B")
        return self._column.render(task) if task.total and fits else Text("")


class _Speed(ProgressColumn):
    """Like rich's, in the unit of the column beside it."""

    def render(self, task: RichTask) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed / 2**20:.0f} MiB/s", style="progress.data.speed")


def _columns(mark: str) -> list[ProgressColumn]:
    return [
        SpinnerColumn(),
        TextColumn(escape(mark) + "{task.description}"),
        _Measured(BarColumn(bar_width=30)),
        _Measured(DownloadColumn(binary_units=True), of_bytes=True),
        _Measured(_Speed(), of_bytes=True),
        _Measured(MofNCompleteColumn(), of_bytes=False),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[detail]}"),
    ]
