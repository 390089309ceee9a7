"""Progress bars on a terminal: one display for all tasks, which may begin and end in any thread."""

import contextlib
import threading
from collections.abc import Iterator, Sequence

from rich.console import Console as RichConsole
from rich.console import Group, RenderableType
from rich.live import Live
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
from rich.progress_bar import ProgressBar
from rich.table import Table
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


class LiveBoard:
    """Many pieces of work on a terminal: a bar over all of them, and a row for each of the latest that are at work.

    It is drawn when it is told something, and not by a clock: following hundreds of builds is to cost next to nothing.
    Implements `brqos.monitor.Board`.
    """

    def __init__(self, console: RichConsole, mark: str, title: str, total: int) -> None:
        self._console = console
        self._title = f"{mark}{title}"
        self._bar = ProgressBar(total=total, width=30)
        self._done = 0.0
        self._total = total
        self._live = Live(console=console, auto_refresh=False, transient=True)

    @contextlib.contextmanager
    def shown(self) -> Iterator["LiveBoard"]:
        """Show it for as long as the context lasts."""
        with self._live:
            yield self

    def advance(self, amount: float) -> None:
        """So many more pieces are done."""
        self._done += amount
        self._bar.update(self._done)

    def show(self, summary: str, rows: Sequence[tuple[str, str]]) -> None:
        """Draw it."""
        head = Table.grid(padding=(0, 1))
        head.add_row(Text(self._title), self._bar, Text(f"{self._done:.0f}/{self._total}"), Text(summary, style="dim"))
        body = Table.grid(padding=(0, 2))
        # Long steps give way, names do not.
        body.add_column(no_wrap=True, min_width=max((len(name) + 2 for name, _ in rows), default=0))
        body.add_column(no_wrap=True, overflow="ellipsis", style="dim")
        room = max(1, self._console.height - 3)
        for name, text in rows[:room]:
            body.add_row(Text(f"  {name}"), Text(text))
        self._live.update(Group(head, body), refresh=True)


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
