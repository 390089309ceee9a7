"""A folder for secrets and for what is signed with them, for as long as it is needed.

A run that was killed leaves it, and the next one that signs removes it.
"""

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from brqos.image.repack.workplace import hold, remove_left_over

_PREFIX = "brqos-sign-"
# The sockets of gpg-agent are in the folder, and a socket's whole path has to fit into 104 (macOS) or 108 bytes.
_LONGEST = 60
_ATTEMPTS = 20


@contextlib.contextmanager
def private_folder() -> Iterator[Path]:
    """A folder of mode 0700, gone at the end whatever happens; in memory where the system has a place for that."""
    place = _place()
    # With the agent that holds the keys, which would not end by itself as long as its folder is there.
    remove_left_over(Path(place), f"{_PREFIX}*")
    with contextlib.ExitStack() as stack:
        while True:
            folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place))
            stack.callback(_remove, folder)
            if hold(folder, stack):
                break
        yield folder


def _place() -> str:
    # XDG Base Directory Specification: mode 0700, the user's own, not kept when the last session ends.
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    usual = tempfile.gettempdir()
    for place in (runtime, usual):
        if place and len(place) <= _LONGEST and os.access(place, os.W_OK | os.X_OK):
            return place
    return "/tmp" if os.access("/tmp", os.W_OK | os.X_OK) else usual  # noqa: S108 - mkdtemp makes a private one there


def _remove(folder: Path) -> None:
    # An agent that is just ending takes its own sockets away, and may do so between our looking and our removing.
    for _ in range(_ATTEMPTS):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.05)
    shutil.rmtree(folder)
