"""Where a rehearsed build would fetch its crates from: `.cargo/config.toml`, read and refused as cargo does.

In the words of cargo 1.95. Nothing is fetched.
"""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from brqos.rehearsal.tree import RefusedError
from brqos.upstream.cargo_config import FILE

_CRATES_IO = "crates-io"


def updating(tree: Path) -> Iterator[str]:
    """The line that cargo prints where crates come from another registry; raises RefusedError."""
    config = _read(tree / FILE)
    name = _value(config, "source", _CRATES_IO, "replace-with")
    if name is None:
        return
    index = _value(config, "registries", name, "index") or _value(config, "source", name, "registry")
    if index is None:
        raise RefusedError(
            f"error: could not find a configured source with the name `{name}` when attempting to lookup "
            f"`{_CRATES_IO}` (defined in `{tree / FILE}`)"
        )
    if index.startswith("sparse+") and not index.endswith("/"):
        raise RefusedError(
            "error: failed to sync", "Caused by:", f"  sparse registry url must end in a slash `/`: {index}"
        )
    yield f"    Updating `{name}` index"


def _value(config: dict[str, Any], *keys: str) -> str | None:
    """A text below these keys; None where there is no such, or something else."""
    found: Any = config
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, str) else None


def _read(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise RefusedError(
            "error: could not load Cargo configuration",
            "Caused by:",
            f"  could not parse TOML configuration in `{file}`",
            f"  {error}",
        ) from None
