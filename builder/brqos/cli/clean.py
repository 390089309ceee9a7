"""`brqos clean`: frees the space that mirrors and work trees take."""

from typing import TYPE_CHECKING, Annotated

import typer

from brqos.cli import options
from brqos.cli.session import running

if TYPE_CHECKING:
    from brqos.upstream.cache import CacheEntry


def clean(
    mirrors: Annotated[
        bool, typer.Option("--mirrors", help="Also the mirrors, which the next run fetches again.")
    ] = False,
    older_than: Annotated[
        int,
        typer.Option("--older-than", metavar="DAYS", min=0, max=36500, help="Only what was not used for so many days."),
    ] = 0,
    dry_run: options.DryRun = False,
    json_output: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Remove cached work trees (and mirrors) and say how much space that freed. Builds and records stay."""
    with running(json_output=json_output, quiet=quiet) as console:
        from datetime import UTC, datetime, timedelta

        from brqos.resources import cache_directory
        from brqos.upstream.cache import entries, remove

        cache = cache_directory()
        before = datetime.now(UTC) - timedelta(days=older_than)
        wanted = [entry for entry in entries(cache) if (mirrors or entry.kind != "mirrors") and entry.used <= before]
        free = [entry for entry in wanted if not entry.in_use]
        for entry in free if not dry_run else []:
            remove(entry)
        for entry in wanted:
            if entry.in_use:
                console.warn(f"{entry.path} is in use and stays")
        total = sum(entry.bytes for entry in free)
        if json_output:
            console.data({"cache": str(cache), "dry_run": dry_run, "bytes": total, "removed": [_json(e) for e in free]})
            return
        if free:
            console.table(["", "SIZE", "LAST USED"], [_cells(entry) for entry in free])
        verb = "would be freed" if dry_run else "freed"
        console.line(f"{_size(total)} {verb} in {cache}")


def _json(entry: "CacheEntry") -> dict[str, object]:
    return {"kind": entry.kind, "path": str(entry.path), "bytes": entry.bytes, "used": entry.used.isoformat()}


def _cells(entry: "CacheEntry") -> list[str]:
    return [f"{entry.kind}/{entry.path.name}", _size(entry.bytes), f"{entry.used:%Y-%m-%d %H:%M}"]


def _size(number: int) -> str:
    return f"{number / 2**30:.1f} GiB" if number >= 2**30 else f"{number / 2**20:.1f} MiB"
