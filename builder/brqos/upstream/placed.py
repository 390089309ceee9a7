"""Files that brqos puts into a work tree beside the commit: ignored by git, and so no part of what is built."""

import contextlib
import tomllib
from dataclasses import dataclass
from pathlib import Path

from brqos.errors import ConfigurationError
from brqos.files import write_atomically
from brqos.monitor import Monitor

MARK = "# Written by brqos from [mirrors] of its configuration; changes here are lost."


@dataclass(frozen=True, slots=True)
class PlacedFile:
    """A TOML file by its path in the tree; `text` begins with MARK, or is empty where the file is not to be there.

    `keys` are the keys of `[mirrors]` that it comes of, in words.
    """

    path: str
    text: str
    keys: str


def place(work_tree: Path, wanted: PlacedFile, monitor: Monitor) -> None:
    """Put the file into a work tree, or take away the one that an earlier run put there.

    Somebody's own file is never touched: it counts where no mirrors are asked for, and raises ConfigurationError where
    they are and it says something else.
    """
    file = work_tree / wanted.path
    before = _read(file)
    if before is not None and not before.startswith(MARK):
        _leave(file, before, wanted, monitor)
    elif wanted.text and before != wanted.text:
        write_atomically(file, wanted.text)
    elif before is not None and not wanted.text:
        file.unlink()


def _read(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigurationError(
            f"{file} cannot be read", why=error.strerror or str(error), todo="Remove what is there, and try again."
        ) from None


def _leave(file: Path, before: str, wanted: PlacedFile, monitor: Monitor) -> None:
    if not wanted.text:
        monitor.warn(f"{file} counts for this build; brqos did not write it")
        return
    with contextlib.suppress(tomllib.TOMLDecodeError):
        if tomllib.loads(before) == tomllib.loads(wanted.text):
            return
    raise ConfigurationError(
        f"there is a {file.name} already in {file.parent}, and brqos did not write it",
        why=f"It would be overwritten by what [mirrors] says of {wanted.keys}.",
        todo=f"Remove it, or take {wanted.keys} out of [mirrors].",
    )
