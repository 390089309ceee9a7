"""Files that are whole or not there: written under another name, then renamed."""

import contextlib
import errno
import os
import tempfile
from pathlib import Path

from brqos.errors import ConfigurationError


def write_atomically(path: Path, content: str, *, mode: int = 0o644) -> None:
    """Write a text file so that nobody ever sees half of it; raises ConfigurationError where it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, partial = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent)
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        # Python offers no way to ask for the umask without setting it.
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(partial, mode & ~umask)  # noqa: PTH101 - the name came from tempfile
        os.replace(partial, path)  # noqa: PTH105 - likewise
    except OSError as error:
        raise _unwritable(path, error) from None
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(partial)  # noqa: PTH108 - likewise


def remove_partials(path: Path) -> None:
    """Remove what writers of this file left that were killed; nobody may be writing it at this moment."""
    for partial in path.parent.glob(f".{path.name}.*.partial"):
        with contextlib.suppress(OSError):
            partial.unlink()


def _unwritable(path: Path, error: OSError) -> ConfigurationError:
    full = error.errno in {errno.ENOSPC, errno.EDQUOT}
    return ConfigurationError(
        f"{path} cannot be written",
        why=str(error),
        todo="Make room on that disk." if full else "Correct the permissions there, or name another place.",
    )
