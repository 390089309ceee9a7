"""Starting the programs that images are made with: the distribution's own, and none of brqos's code."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from .model import EPOCH, MissingError

# e2fsprogs, mkfs.fat and mtools take the time from these. Times of FAT are local.
_FIXED = {"E2FSPROGS_FAKE_TIME": str(EPOCH), "SOURCE_DATE_EPOCH": str(EPOCH), "TZ": "UTC", "LC_ALL": "C"}
# Debian keeps some of the programs where only root's PATH looks.
_PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"))


def need(*programs: str) -> None:
    """Raise MissingError unless all of these programs are installed."""
    if absent := [program for program in programs if shutil.which(program, path=_PATH) is None]:
        raise MissingError(f"not installed: {', '.join(absent)}")


def run(argv: Sequence[str | Path], *, stdin: bytes | None = None, env: Mapping[str, str] | None = None) -> str:
    """Run a program to its end; return what it printed (both streams). Raises with that text if it fails."""
    words = [os.fspath(word) for word in argv]
    need(words[0])
    done = subprocess.run(
        words,
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PATH": _PATH, **_FIXED, **(env or {})},
        check=False,
    )
    said = done.stdout.decode(errors="replace")
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)} ended with status {done.returncode}:\n{said}")
    return said


def find(program: str) -> Path:
    """Where a program is; raises MissingError if it is not installed."""
    need(program)
    return Path(shutil.which(program, path=_PATH) or program)
