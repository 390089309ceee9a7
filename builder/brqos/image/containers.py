"""Containers that a stopped build may leave in Docker's daemon, where no signal to our processes reaches them.

buildsys serves each `docker build` from a container called `buildsys-<kind>-<name>-<arch>-<token>-bypass`, with a
token made from the tree's path (buildsys/src/builder.rs), so those of other trees can be told apart.
"""

import hashlib
from pathlib import Path

from brqos import process
from brqos.errors import ToolError

_SECONDS = 20.0


def name_ending(work_tree: Path) -> str:
    """How the names of all of the tree's containers end."""
    return f"-{hashlib.sha512(str(work_tree).encode()).hexdigest()[:12]}-bypass"


def remove_left_over(work_tree: Path) -> tuple[str, ...]:
    """Remove the tree's containers, if any are left; return their names. Never fails: it is called while stopping."""
    ending = name_ending(work_tree)
    try:
        listed = process.run(
            ["docker", "ps", "--all", "--filter", f"name={ending}", "--format", "{{.Names}}"],
            check=False,
            timeout=_SECONDS,
        )
        names = tuple(name for name in listed.text.split() if name.endswith(ending))
        if names:
            process.run(["docker", "rm", "--force", *names], check=False, timeout=_SECONDS)
    except (ToolError, OSError, process.TimedOut):
        return ()
    return names
