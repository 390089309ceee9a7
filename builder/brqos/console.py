"""The one place that prints.

Results go to standard output, everything else to standard error. On a terminal there are colours and progress bars;
in a log, plain lines, at most one every few seconds per task.
"""

import contextlib
import json
import sys
import time
from collections.abc import Iterator, Sequence

from rich.console import Console as RichConsole
from rich.markup import escape
from rich.table import Table

from brqos.errors import BrqosError
from brqos.monitor import Board, Task
from brqos.progress_bars import Bars, LiveBoard

_SECONDS_BETWEEN_LINES = 5.0
_SECONDS_BETWEEN_SUMMARIES = 60.0
# What stands in an image, or comes over the network, may be shown in a message, and must not steer the terminal.
_HARMLESS = {code: "\ufffd" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"}


class ReaderGoneError(Exception):
    """Nobody reads our messages any more: a run with effects stops, as if it had been interrupted."""


class _Results(RichConsole):
    def on_broken_pipe(self) -> None:
        # rich would end the process with status 1, which means a bug of ours.
        raise BrokenPipeError


class _Messages(RichConsole):
    def on_broken_pipe(self) -> None:
        raise ReaderGoneError


class Console:
    """Prints for one run of a command; implements `brqos.monitor.Monitor`.

    `json_output` keeps human results off standard output; `mark` stands before every line (a rehearsal says so there).
    """

    def __init__(self, *, json_output: bool = False, quiet: bool = False, mark: str = "") -> None:
        self.json_output = json_output
        self.quiet = quiet
        self.mark = mark
        self._out = _Results(file=sys.stdout, highlight=False, soft_wrap=True)
        # A terminal breaks lines between words; a log keeps them whole.
        self._err = _Messages(file=sys.stderr, highlight=False, soft_wrap=not sys.stderr.isatty())
        self._bars = Bars(self._err, mark)

    def data(self, value: object) -> None:
        """One JSON document on standard output."""
        sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
        sys.stdout.flush()

    def text(self, text: str) -> None:
        """Raw text on standard output, exactly as it is: a file, a patch, a sample."""
        sys.stdout.write(text if text.endswith("\n") else text + "\n")
        sys.stdout.flush()

    def line(self, text: str, style: str = "") -> None:
        """A line of a human result."""
        if not self.json_output:
            self._marked(self._out, text, style)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A human result with columns; a cell may begin with `!` (bad), `~` (middling) or `+` (good) to be coloured."""
        if self.json_output:
            return
        if not self._out.is_terminal:
            # Whoever reads a log or greps wants whole lines, and none of the signs.
            self._plain_table(columns, rows)
            return
        table = Table(show_header=any(columns), box=None, pad_edge=False)
        for column in columns:
            table.add_column(column, overflow="fold", header_style="bold")
        for row in rows:
            table.add_row(*(_cell(cell) for cell in row))
        if self.mark:
            self._marked(self._out, "")
        self._out.print(table, soft_wrap=False)

    def _plain_table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        lines = [[_bare(cell) for cell in row] for row in rows]
        shown = [list(columns), *lines] if any(columns) else lines
        widths = [max(len(line[number]) for line in shown) for number in range(len(columns))]
        # In one piece: line by line through rich, ten thousand rows take as many seconds as they should take tenths.
        padded = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in shown)
        self.text("\n".join(f"{self.mark}{text}".rstrip() for text in padded))

    def note(self, text: str) -> None:
        """A line worth reading, on standard error."""
        if not self.quiet:
            self._marked(self._err, text)

    def warn(self, text: str) -> None:
        """A warning; printed in quiet runs too."""
        self._marked(self._err, f"warning: {text}", "yellow")

    def error(self, error: BrqosError) -> None:
        """What happened, why, and what to do."""
        self._marked(self._err, f"error: {error.what}", "bold red")
        for part, style in ((error.why, ""), (error.todo, "cyan")):
            for line in part.splitlines():
                self._marked(self._err, f"  {line}", style)

    @contextlib.contextmanager
    def task(self, title: str, total: float | None = None, unit: str = "") -> Iterator[Task]:
        """A progress bar on a terminal, now and then a line elsewhere."""
        started = time.monotonic()
        if self.quiet:
            yield _PlainTask(self, title, total, unit, every=float("inf"))
        elif self._err.is_terminal:
            with self._bars.task(title, total, unit) as task:
                yield task
        else:
            self.note(f"{title} ...")
            yield _PlainTask(self, title, total, unit, every=_SECONDS_BETWEEN_LINES)
        self.note(f"✓ {title} ({_duration(time.monotonic() - started)})")

    @contextlib.contextmanager
    def board(self, title: str, total: int) -> Iterator[Board]:
        """One display for many pieces of work on a terminal, now and then a line elsewhere."""
        if self.quiet or not self._err.is_terminal:
            self.note(f"{title} ...")
            yield _PlainBoard(self, title, total, every=float("inf") if self.quiet else _SECONDS_BETWEEN_SUMMARIES)
            return
        with LiveBoard(self._err, self.mark, title, total).shown() as board:
            yield board

    def _marked(self, console: RichConsole, text: str, style: str = "") -> None:
        with self._bars.lock:
            console.print(escape(self.mark + text.translate(_HARMLESS)), style=style or None)


class _PlainTask:
    def __init__(self, console: Console, title: str, total: float | None, unit: str, every: float) -> None:
        self._console = console
        self._title = title
        self._total = total
        self._unit = unit
        self._every = every
        self._done = 0.0
        self._said = time.monotonic()

    def advance(self, amount: float) -> None:
        self._done += amount
        self._say(f"{100 * self._done / self._total:.0f} %" if self._total else f"{self._done:.0f} {self._unit}")

    def describe(self, text: str) -> None:
        self._say(text)

    def _say(self, text: str) -> None:
        if time.monotonic() - self._said >= self._every:
            self._said = time.monotonic()
            self._console.note(f"{self._title}: {text}")


class _PlainBoard:
    def __init__(self, console: Console, title: str, total: int, every: float) -> None:
        self._console = console
        self._title = title
        self._total = total
        self._every = every
        self._done = 0.0
        self._said = time.monotonic()

    def advance(self, amount: float) -> None:
        self._done += amount

    def show(self, summary: str, rows: Sequence[tuple[str, str]]) -> None:
        if time.monotonic() - self._said >= self._every:
            self._said = time.monotonic()
            latest = f"; {rows[0][0]}: {rows[0][1]}" if rows and rows[0][1] else ""
            self._console.note(f"{self._title}: {self._done:.0f} of {self._total} done, {summary}{latest}")


_SIGNS = {"!": "red", "~": "yellow", "+": "green"}


def _cell(cell: str) -> str:
    cell = cell.translate(_HARMLESS)
    style = _SIGNS.get(cell[:1])
    return f"[{style}]{escape(cell[1:])}[/]" if style else escape(cell)


def _bare(cell: str) -> str:
    return (cell[1:] if cell[:1] in _SIGNS else cell).translate(_HARMLESS)


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
