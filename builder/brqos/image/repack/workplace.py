"""Where the work is done: a private folder beside the output, and what a run that was killed left of one.

A run that ends in any other way takes its folder with it. Each holds a lock in its folder, so that a later run can tell
those that nobody works in any more, and removes them.
"""

import contextlib
import errno
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from brqos import process
from brqos.errors import ConfigurationError
from brqos.image.repack.working import folder_beside

_FOLDERS = ".brqos-repack-*"
_LOCK = "lock"
_ATTEMPTS = 5
# What a file system says that knows no locks: then what was left is never told from what is in use, and stays.
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}


@contextlib.contextmanager
def workplace(output: Path) -> Iterator[Path]:
    """A private folder in the output folder, locked; raises ConfigurationError where none can be made."""
    with contextlib.ExitStack() as stack:
        try:
            output.mkdir(parents=True, exist_ok=True)
            remove_left_over(output)
            folder = _own_folder(output, stack)
        except OSError as error:
            raise ConfigurationError(
                f"nothing can be written to {output}", why=str(error), todo="Correct its permissions or name another."
            ) from None
        yield folder


def remove_left_over(output: Path, folders: str = _FOLDERS) -> tuple[Path, ...]:
    """Remove the folders of runs that were killed, with what they left running; return those that were removed."""
    removed = []
    for folder in sorted(output.glob(folders)):
        # Whatever goes wrong here is no reason not to begin.
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
                continue
            fcntl.flock(stack.enter_context(_lock_file(folder)), fcntl.LOCK_EX | fcntl.LOCK_NB)
            process.stop_left_over(folder)
            _remove(folder)
            removed.append(folder)
    return tuple(removed)


def _own_folder(output: Path, stack: contextlib.ExitStack) -> Path:
    while True:
        folder = stack.enter_context(folder_beside(output))
        if hold(folder, stack):
            return folder


def hold(folder: Path, stack: contextlib.ExitStack) -> bool:
    """Lock a new folder; false where another run took it for one that was left, in the moment before."""
    try:
        file = stack.enter_context(_lock_file(folder))
        fcntl.flock(file, fcntl.LOCK_EX)
        return os.path.samestat(os.fstat(file.fileno()), (folder / _LOCK).stat())
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno in _NO_LOCKS:
            return True
        raise


def _remove(folder: Path) -> None:
    """Raises OSError where it cannot be removed."""
    for attempt in range(_ATTEMPTS):
        # An unpacked root file system has folders that even their owner may not write to.
        for path, _, _ in os.walk(folder):
            Path(path).chmod(0o700)
        try:
            shutil.rmtree(folder)
        except OSError:
            # A program that is just ending may write a last file between our looking and our removing.
            if attempt == _ATTEMPTS - 1:
                raise
            time.sleep(0.1)
        else:
            return


def _lock_file(folder: Path) -> BinaryIO:
    return open(folder / _LOCK, "ab", opener=lambda path, flags: os.open(path, flags, 0o600))
