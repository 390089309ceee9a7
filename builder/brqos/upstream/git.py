"""git's own command line, spoken in one place.

What git does with our own files must be the same for everybody, so the user's configuration and environment stay out of
it: formats of patches, line ends, hooks, signing, other names for remotes. Only fetching from somewhere else takes the
user's configuration, where proxies, credentials and rewritten URLs are.
"""

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from brqos import process

_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.autocrlf=false",
    "core.fileMode=true",
    "core.symlinks=true",
    "gc.auto=0",
    "maintenance.auto=false",
    "advice.detachedHead=false",
)
# How to reach a server, and what helps to find an error, is the user's; where a repository is (GIT_DIR, which git sets
# for its hooks) or what a commit's date is, is not.
_USERS = ("GIT_SSH", "GIT_ASKPASS", "GIT_PROXY", "GIT_SSL", "GIT_HTTP", "GIT_TRACE", "GIT_CURL", "GIT_EXEC_PATH")
_USERS_CONFIGURATION = ("GIT_CONFIG",)
_OURS_ALONE = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


def git(
    *arguments: str | os.PathLike[str],
    at: Path | None = None,
    stdin: bytes | None = None,
    env: Mapping[str, str] | None = None,
    network: bool = False,
    check: bool = True,
    timeout: float | None = None,
) -> process.Completed:
    """Run git, in the repository or work tree `at`; raises process.ProcessError with git's own words, and
    process.TimedOut after `timeout` seconds.

    With `network` the user's configuration counts.
    """
    settings = (*_SETTINGS, *(() if network else _safe_directories()))
    words = [word for setting in settings for word in ("-c", setting)]
    place = ["-C", os.fspath(at)] if at else []
    return process.run(
        ["git", *words, *place, *arguments],
        stdin=stdin,
        env={**_environment(network=network), **(env or {})},
        check=check,
        timeout=timeout,
    )


def text(*arguments: str | os.PathLike[str], at: Path) -> str:
    """What git prints, without the line end."""
    return git(*arguments, at=at).text.strip()


def rewritten(places: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """Variables that make any git fetch from other places: beginnings of URLs -> what takes their place.

    They are put behind those that the environment has. GIT_CONFIG_COUNT is known since git 2.31, insteadOf takes the
    longest beginning that fits (git-config(1)). Cargo's own git does not look at them, the command line's git does.
    """
    if not places:
        return {}
    count = environment.get("GIT_CONFIG_COUNT", "0")
    first = int(count) if count.isascii() and count.isdigit() else 0
    variables = {"GIT_CONFIG_COUNT": str(first + len(places)), "CARGO_NET_GIT_FETCH_WITH_CLI": "true"}
    for number, (original, place) in enumerate(sorted(places.items()), first):
        variables[f"GIT_CONFIG_KEY_{number}"] = f"url.{place}.insteadOf"
        variables[f"GIT_CONFIG_VALUE_{number}"] = original
    return variables


def _environment(*, network: bool) -> dict[str, str | None]:
    """What to add to our environment, and what (None) to take out of it."""
    kept = _USERS + (_USERS_CONFIGURATION if network else ())
    taken = {name: None for name in os.environ if name.startswith("GIT_") and not name.startswith(kept)}
    return {**taken, **({} if network else _OURS_ALONE), "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}


@cache
def _safe_directories() -> tuple[str, ...]:
    """The user's leave to read repositories of other owners, the one thing of the configuration that must stay."""
    completed = process.run(
        ["git", "config", "--get-all", "safe.directory"],
        env=_environment(network=True),
        cwd=Path("/"),
        check=False,
    )
    return tuple(f"safe.directory={line}" for line in completed.text.splitlines())
