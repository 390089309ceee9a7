"""Files that `brqos pipeline` writes: as a whole, and never over a change without being told so."""

from pathlib import Path
from typing import TYPE_CHECKING

from brqos.errors import ConfigurationError

if TYPE_CHECKING:
    from brqos.console import Console

_STANDARD_OUTPUT = Path("-")


def write_file(console: "Console", path: Path, text: str, *, force: bool) -> str | None:
    """Write a file and say what became of it; None: it was printed. Raises ConfigurationError for another content."""
    from brqos.files import write_atomically

    if path == _STANDARD_OUTPUT:
        if not console.json_output:
            console.text(text)
        return None
    before = _text_of(path)
    if before == text:
        console.line(f"{path} (unchanged)")
        return "unchanged"
    if not force:
        check_unchanged(path, text)
    write_atomically(path, text)
    status = "created" if before is None else "replaced"
    console.line(f"{path} ({status})")
    return status


def check_unchanged(path: Path, text: str, look: str = "--output -") -> None:
    """Raise ConfigurationError for a file that is there and has other content; `look` shows the new one."""
    if _text_of(path) not in (None, text):
        raise ConfigurationError(
            f"{path} exists and has other content",
            why="It may have been changed by hand, or the configuration has changed since it was written.",
            todo=f"Look at the new text with {look}; replace the file with --force.",
        )


def _text_of(path: Path) -> str | None:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None
