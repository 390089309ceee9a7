"""Reading and writing a file that a person may have changed since."""

from enum import StrEnum
from pathlib import Path

from brqos.errors import ConfigurationError
from brqos.files import write_atomically


class Written(StrEnum):
    """What became of the file."""

    CREATED = "created"
    UNCHANGED = "unchanged"
    REPLACED = "replaced"


def read_file(path: Path) -> str:
    """The text of a file, line ends as they are; raises ConfigurationError."""
    try:
        return path.read_bytes().decode()
    except FileNotFoundError:
        raise ConfigurationError(f"there is no file {path}", todo="Correct its name.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{path} cannot be read", why=getattr(error, "strerror", None) or str(error), todo="Give a text file."
        ) from None


def write_file(path: Path, text: str, *, force: bool = False) -> Written:
    """Write `text` as UTF-8, whole or not at all.

    A file that has just this text is left alone; one that has another is replaced with `force` only, and keeps its
    mode. A link is followed, and a device or a pipe written to. Raises ConfigurationError, with what was there left
    as it was.
    """
    try:
        target = path.resolve()
        if target.exists() and not target.is_file() and not target.is_dir():
            target.write_text(text, encoding="utf-8")
            return Written.CREATED
        before = target.read_bytes() if target.exists() else None
        mode = 0o644 if before is None else target.stat().st_mode & 0o777
    except (OSError, RuntimeError) as error:
        raise ConfigurationError(
            f"{path} cannot be written",
            why=getattr(error, "strerror", None) or str(error),
            todo="Give another file with --output, or use --output - for standard output.",
        ) from None
    if before == text.encode():
        return Written.UNCHANGED
    if before is not None and not force:
        raise ConfigurationError(
            f"{path} exists and has other content",
            why="It may have been changed by hand, or belong to another nodegroup.",
            todo="Give another name with --output, use --output - to see the new text, or --force to replace the file.",
        )
    write_atomically(target, text, mode=mode)
    return Written.CREATED if before is None else Written.REPLACED
