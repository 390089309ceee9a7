"""git's own command line, spoken in one place."""

import os
from collections.abc import Mapping
from pathlib import Path

from brqos import process

# What a user's own configuration must not change: hooks, signing, line ends, file modes.
_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.autocrlf=false",
    "core.fileMode=true",
    "core.symlinks=true",
    "commit.gpgSign=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "advice.detachedHead=false",
)
# git tells a hook where its repository is by these; inside one they would send us to the wrong repository.
_INHERITED = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_NAMESPACE")


def git(
    *arguments: str | os.PathLike[str],
    at: Path | None = None,
    stdin: bytes | None = None,
    env: Mapping[str, str] | None = None,
    check: bool = True,
) -> process.Completed:
    """Run git, in the repository or work tree `at`; raises process.ProcessError with git's own words."""
    for name in _INHERITED:
        os.environ.pop(name, None)
    settings = [word for setting in _SETTINGS for word in ("-c", setting)]
    place = ["-C", os.fspath(at)] if at else []
    return process.run(
        ["git", *settings, *place, *arguments],
        stdin=stdin,
        env={"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", **(env or {})},
        check=check,
    )


def text(*arguments: str | os.PathLike[str], at: Path) -> str:
    """What git prints, without the line end."""
    return git(*arguments, at=at).text.strip()
