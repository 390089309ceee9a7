"""Where the packaged data is: `variants/`, `templates/` and the miniature tree of the rehearsal.

In a checkout `variants/` and `templates/` lie at the top, beside `builder/`; in a wheel they are inside the package.
One resolver finds both, so nothing else needs to know how brqos was installed.
"""

import os
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


@cache
def data_directory(name: str) -> Path:
    """The folder `variants` or `templates`; raises FileNotFoundError if the installation is broken."""
    for candidate in (_PACKAGE / name, _PACKAGE.parents[1] / name):
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f"the installation lacks its folder {name}/: reinstall brqos")


def cache_directory() -> Path:
    """Where mirrors and work trees live: `BRQOS_CACHE_DIR`, else `$XDG_CACHE_HOME/brqos`.

    All of it may be thrown away at any time.
    """
    if explicit := os.environ.get("BRQOS_CACHE_DIR"):
        return Path(os.path.expanduser(explicit)).absolute()  # noqa: PTH111 - pathlib's raises for an unknown user
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The specification says that a relative path is to be ignored.
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".cache") / "brqos"
