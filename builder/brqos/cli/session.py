"""What is the same for every command: a console to print on, and an end with the right exit code."""

import contextlib
import os
import signal
import tempfile
import traceback
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING

import typer

from brqos.errors import BrqosError, ExitCode, of_the_machine

if TYPE_CHECKING:
    from brqos.console import Console


@contextlib.contextmanager
def running(*, json_output: bool = False, quiet: bool = False, mark: str = "") -> Iterator["Console"]:
    """Run a command's body: every error becomes one message and its exit code, never a traceback."""
    from brqos.console import Console, ReaderGoneError

    # Whoever follows many builds by their logs gives our lines a mark, to tell them from all others.
    of_surroundings = f"{given} " if (given := os.environ.get("BRQOS_MARK", "")) else ""
    console = Console(json_output=json_output, quiet=quiet, mark=f"{of_surroundings}{mark}")
    with _signals():
        try:
            yield console
        except BrqosError as error:
            raise _ended(console, error, error.exit_code) from None
        except (KeyboardInterrupt, ReaderGoneError):
            interrupted = BrqosError("interrupted", todo="The same command goes on with what is done already.")
            raise _ended(console, interrupted, ExitCode.INTERRUPTED) from None
        except BrokenPipeError:
            # Results come last: whoever reads them (head, less) has had enough, and all that was to be done is done.
            _silence()
            raise typer.Exit(ExitCode.DONE) from None
        except (typer.Exit, typer.Abort):
            raise
        except OSError as error:
            told = of_the_machine(error)
            raise _ended(console, told or _bug(error), told.exit_code if told else ExitCode.BUG) from None
        except Exception as error:  # noqa: BLE001 - whatever else comes is a bug, and must still end in one message
            raise _ended(console, _bug(error), ExitCode.BUG) from None


@contextlib.contextmanager
def _signals() -> Iterator[None]:
    """A cancelled CI job (SIGTERM) and a closed terminal (SIGHUP) get the same orderly end as Ctrl-C."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    for number, handler in before.items():
        # nohup wants the run to outlive its terminal.
        if handler is not signal.SIG_IGN:
            signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ended(console: "Console", error: BrqosError, code: ExitCode) -> typer.Exit:
    from brqos.console import ReaderGoneError

    try:
        console.error(error)
    except (BrokenPipeError, ReaderGoneError):
        _silence()
    return typer.Exit(code)


def _silence() -> None:
    """Python writes out its buffers at the end, and would complain about a pipe that nobody reads."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _bug(error: Exception) -> BrqosError:
    descriptor, name = tempfile.mkstemp(prefix="brqos-bug-", suffix=".log", text=True)
    with os.fdopen(descriptor, "w") as log:
        log.write("".join(traceback.format_exception(error)))
    return BrqosError(
        f"brqos itself failed ({type(error).__name__}: {error})",
        why=f"The traceback is in {name}",
        todo="This is a bug of brqos: please report it with that file.",
    )
