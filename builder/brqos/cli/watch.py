"""`brqos watch`: what upstream has that is newer than what is pinned."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from brqos.cli import options
from brqos.cli.session import running
from brqos.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from brqos.console import Console
    from brqos.fleet.watch.bump import Bump
    from brqos.fleet.watch.look import Upstream
    from brqos.fleet.watch.model import Report


def watch(
    variant: Annotated[
        list[str] | None,
        typer.Option(
            "--variant",
            metavar="NAME",
            help="Bottlerocket variant; repeat it for several. By default those of the configuration file, and without"
            " a file all that brqos ships.",
        ),
    ] = None,
    upstream: options.Upstream = None,
    core_kit: options.CoreKit = None,
    offline: options.Offline = None,
    exit_code: Annotated[
        bool,
        typer.Option(
            "--exit-code",
            help="End with 11 where anything was found to be behind, whatever --bump did about it; with 0 where all is"
            " the newest.",
        ),
    ] = False,
    bump: Annotated[
        bool,
        typer.Option(
            "--bump",
            help="Write the newest release that all variants of the file have into the file, after showing what that"
            " changes in the overlay.",
        ),
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask before --bump writes; needed where there is no terminal.")
    ] = False,
    config: options.ConfigFile = None,
    dry_run: options.DryRun = False,
    json_output: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Say for every pinned variant how far behind upstream it is, and what a newer release would change.

    Told are the newest release that still has the variant, the end of its life
    upstream and of its Kubernetes on EKS, what the changelog says in between,
    security first, and whether delivery or kubelet settings would be others.
    Nothing is written without --bump.
    """
    with running(json_output=json_output, quiet=quiet) as console:
        from brqos.fleet.watch.pins import configuration_file

        path = configuration_file(config)
        if bump:
            _check_bump(path, variant, yes=yes, dry_run=dry_run, json_output=json_output)
        elif yes or dry_run:
            raise UsageError("--yes and --dry-run are about --bump", todo="Add --bump, or leave them out.")
        report, source = _look(console, variant, config, upstream, core_kit, offline)
        if not json_output:
            _show(console, report)
        # A file is moved for all of its variants, or not at all.
        if bump and path and not report.failed:
            _bump(console, report, source, path, yes=yes, dry_run=dry_run)
        elif json_output:
            _print_json(console, report, None, written=False)
        report.refuse_failed()
        if exit_code and report.is_behind:
            raise typer.Exit(ExitCode.BEHIND)


def _check_bump(path: Path | None, variants: list[str] | None, *, yes: bool, dry_run: bool, json_output: bool) -> None:
    if path is None:
        raise UsageError(
            "--bump writes into a configuration file, and there is none here",
            todo="Name it with --config, or make one with `brqos init`.",
        )
    if variants:
        raise UsageError(
            "--bump and --variant do not go together",
            why="The pin in a file is that of all its variants, so all of them are looked at.",
            todo="Leave --variant out.",
        )
    if not (yes or dry_run) and (json_output or not (sys.stdin.isatty() and sys.stderr.isatty())):
        raise UsageError(
            "--bump asks before it writes, and cannot do so here",
            why="Standard output is for the JSON." if json_output else "There is no terminal.",
            todo="Look with --dry-run first; then give --yes.",
        )


def _look(
    console: "Console",
    variants: list[str] | None,
    config: Path | None,
    upstream: str | None,
    core_kit: str | None,
    offline: bool | None,
) -> "tuple[Report, Upstream]":
    from datetime import UTC, datetime

    from brqos.cli.spec import upstream_flags
    from brqos.fleet.watch.look import Upstream, watch
    from brqos.fleet.watch.pins import read_pins
    from brqos.resources import cache_directory

    flags = upstream_flags(None, upstream, None, core_kit, None, offline)
    given = {key: value for key, value in flags.items() if value is not None}
    pins = read_pins(variants or (), config, given, flag_names={"upstream.repository": "--upstream"})
    wanted = pins[0].spec.upstream
    place = pins[0].spec.mirrors.place_of(wanted.repository)
    source = Upstream(wanted.repository, cache_directory(), console, offline=wanted.offline, place=place)
    return watch(pins, source, datetime.now(UTC).date()), source


def _show(console: "Console", report: "Report") -> None:
    from brqos.cli.watched import show_details, show_table

    show_table(console, report)
    show_details(console, report)


def _bump(console: "Console", report: "Report", source: "Upstream", path: Path, *, yes: bool, dry_run: bool) -> None:
    from brqos.cli.watched import show_bump
    from brqos.fleet.watch.bump import plan_bump, write_bump

    planned = plan_bump(report, source, path)
    # Before it is written, and for people: in a log of --json too.
    show_bump(console.note if console.json_output else console.line, planned, path)
    written = planned is not None and not dry_run and (yes or _confirmed(planned))
    if planned and written:
        write_bump(planned)
    if console.json_output:
        _print_json(console, report, planned, written=written)
    elif planned:
        what = f'{planned.key} = "{planned.new}" in {path}'
        console.line(f"Written: {what}" if written else f"Not written{' (--dry-run)' if dry_run else ''}: {what}")


def _confirmed(bump: "Bump") -> bool:
    try:
        return typer.confirm(f'Write {bump.key} = "{bump.new}" into {bump.path}?', err=True)
    except typer.Abort:
        raise KeyboardInterrupt from None


def _print_json(console: "Console", report: "Report", bump: "Bump | None", *, written: bool) -> None:
    from brqos.fleet.watch.result import bump_json, report_json

    console.data({**report_json(report), "bump": bump_json(bump, written=written)})
