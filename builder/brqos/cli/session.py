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

from brqos.errors import BrqosError, ExitCode

if TYPE_CHECKING:
    from brqos.console import Console


@contextlib.contextmanager
def running(*, json_output: bool = False, quiet: bool = False, mark: str = "") -> Iterator["Console"]:
    """Run a command's body: every error becomes one message and its exit code, never a traceback."""
    from brqos.console import Console

    console = Console(json_output=json_output, quiet=quiet, mark=mark)
    # A cancelled CI job sends SIGTERM: it gets the same orderly end as Ctrl-C.
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield console
    except BrqosError as error:
        console.error(error)
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        console.error(BrqosError("interrupted", todo="The same command goes on with what is done already."))
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    except BrokenPipeError:
        # The reader of a pipe (head, less) went away; there is nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        raise typer.Exit(ExitCode.DONE) from None
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:  # noqa: BLE001 - whatever else comes is a bug, and must still end in one message
        console.error(_bug(error))
        raise typer.Exit(ExitCode.BUG) from None
    finally:
        signal.signal(signal.SIGTERM, before)


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
