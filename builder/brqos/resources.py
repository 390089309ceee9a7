"""Where the packaged data is (`variants/`, `templates/`), and where brqos keeps its own on this machine.

In a checkout `variants/` and `templates/` lie at the top, beside `builder/`; in a wheel they are inside the package.
One resolver finds both, so nothing else needs to know how brqos was installed.
"""

import os
from functools import cache
from pathlib import Path

LOCK_FILE = "requirements.lock"

_PACKAGE = Path(__file__).resolve().parent


@cache
def data_directory(name: str) -> Path:
    """The folder `variants` or `templates`; raises FileNotFoundError if the installation is broken."""
    for candidate in (_PACKAGE / name, _PACKAGE.parents[1] / name):
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f"the installation lacks its folder {name}/: reinstall brqos")


def requirements_lock() -> Path | None:
    """brqos's own requirements with their hashes, as pip takes them; None where the installation has none."""
    return next((file for folder in (_PACKAGE, _PACKAGE.parents[1]) if (file := folder / LOCK_FILE).is_file()), None)


def cache_directory() -> Path:
    """Where mirrors and work trees live: `BRQOS_CACHE_DIR`, else `$XDG_CACHE_HOME/brqos`.

    All of it may be thrown away at any time.
    """
    if explicit := os.environ.get("BRQOS_CACHE_DIR"):
        return Path(os.path.expanduser(explicit)).absolute()  # noqa: PTH111 - pathlib's raises for an unknown user
    return _xdg("XDG_CACHE_HOME", ".cache")


def state_directory() -> Path:
    """Where the journals of unfinished uploads live: `BRQOS_STATE_DIR`, else `$XDG_STATE_HOME/brqos`.

    Thrown away, an interrupted upload begins anew; nothing else is lost.
    """
    if explicit := os.environ.get("BRQOS_STATE_DIR"):
        return Path(os.path.expanduser(explicit)).absolute()  # noqa: PTH111 - likewise
    return _xdg("XDG_STATE_HOME", ".local/state")


def _xdg(variable: str, folder: str) -> Path:
    base = os.environ.get(variable, "")
    # The specification says that a relative path is to be ignored.
    return (Path(base) if Path(base).is_absolute() else Path.home() / folder) / "brqos"
