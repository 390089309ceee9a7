"""`brqos status`: the builds of this folder, and how far each is; and runs on CodeBuild, which may be followed."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from brqos.cli import options
from brqos.cli.runs import Files
from brqos.cli.session import running
from brqos.errors import UsageError
from brqos.stages import Stage

if TYPE_CHECKING:
    from brqos.console import Console
    from brqos.fleet.codebuild.run import Run
    from brqos.record import StoredBuild


def status(
    run: Annotated[
        str | None,
        typer.Argument(metavar="RUN", help="A run of `brqos build --on codebuild`, by its id.", show_default=False),
    ] = None,
    build: options.Build = None,
    record: options.Record = None,
    follow: Annotated[
        bool,
        typer.Option("--follow", help="Follow a run on CodeBuild to its end; RUN may be left out if only one goes on."),
    ] = False,
    runs: Annotated[bool, typer.Option("--runs", help="Show the runs on CodeBuild only.")] = False,
    config: Files = None,
    profile: options.Profile = None,
    json_output: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Show the builds of this folder, or one of them in full; or follow builds on CodeBuild.

    With --follow a run is taken up again after Ctrl-C, or on another machine;
    what comes of its builds is brought here.
    """
    with running(json_output=json_output, quiet=quiet) as console:
        if (run is not None or follow or runs) and (build is not None or record is not None):
            raise UsageError("a run and a build are two things", todo="Name one of them.")
        if run is not None or follow:
            _run(console, run, follow=follow, profile=profile, config=config)
            return
        if runs:
            _show_runs(console, json_output=json_output)
            return
        from brqos.record import BUILDS, broken_records, find, stored_builds

        if build is not None or record is not None:
            stored = find(build, record)
            if json_output:
                console.data(stored.record.model_dump(mode="json"))
            else:
                _show_one(console, stored)
            return
        builds = list(stored_builds())
        for broken in broken_records():
            console.warn(f"{broken.what}: {broken.why}")
        if json_output:
            console.data([stored.record.model_dump(mode="json") for stored in builds])
            return
        _show_unfinished(console)
        on_codebuild = _show_runs(console, json_output=False, going_on=True)
        if not builds and on_codebuild:
            console.line(f"No builds in {BUILDS}/ yet.")
            return
        if not builds:
            console.line(f"No builds in {BUILDS}/ yet. Begin with: brqos build --variant aws-k8s-1.29 --rehearse")
            return
        console.table(["BUILD", "UPDATED (UTC)", "DONE UP TO", "AMIS"], [_cells(stored) for stored in builds])


def _run(console: "Console", name: str | None, *, follow: bool, profile: str | None, config: list[Path] | None) -> None:
    from brqos.cli.on_codebuild import follow_to_the_end, raise_if_failed
    from brqos.cli.on_codebuild_shown import show_run
    from brqos.cli.runs import open_run
    from brqos.fleet.codebuild.store import load_run

    found = load_run(name) if name is not None else None
    if found is not None and (found.is_over or not follow):
        # All that is known of it is here.
        show_run(console, found)
        if follow:
            raise_if_failed(found)
        return
    world, stored = open_run(console, name, profile=profile, files=config or ())
    if follow:
        follow_to_the_end(console, world, stored)
    else:
        show_run(console, stored.run)


def _show_runs(console: "Console", *, json_output: bool, going_on: bool = False) -> int:
    """Print the runs of this folder, or tell of those that go on; how many there are."""
    from brqos.cli.on_codebuild_shown import attach_hint, result_of_run
    from brqos.fleet.codebuild.store import runs_here

    found = [run for run in runs_here(console) if not (going_on and run.is_over)]
    if json_output:
        console.data([result_of_run(run) for run in found])
    elif going_on:
        for run in found:
            console.note(f"On CodeBuild: run {run.id}, {_so_far(run)}. {attach_hint(run)}")
    elif found:
        rows = [
            [f"{'~' if run.rehearsal else ''}{run.id}", f"{run.created:%m-%d %H:%M}", _so_far(run)] for run in found
        ]
        console.table(["RUN", "STARTED (UTC)", "BUILDS"], rows)
    else:
        console.line("No runs on CodeBuild yet. Begin with: brqos build --on codebuild --dry-run")
    return len(found)


def _so_far(run: "Run") -> str:
    good = sum(entry.verdict is not None and entry.verdict.is_good for entry in run.entries)
    bad = sum(entry.verdict is not None and not entry.verdict.is_good for entry in run.entries)
    parts = [f"{good} of {len(run.entries)} built"]
    if bad:
        parts.append(f"{bad} not made")
    if not run.is_over:
        parts.append("stopped" if run.stopped else "not ended, as far as is known here")
    return ", ".join(parts)


def _show_unfinished(console: "Console") -> None:
    """Uploads that a run on this machine was interrupted in; the builds' folders know nothing of them."""
    from brqos.ami.upload.journal import blocks_done, journal_folder, journals

    for file, begun in journals(journal_folder()):
        if begun.snapshot:
            console.note(
                f"Unfinished: {begun.image} to {begun.region}, {blocks_done(file)} of {begun.blocks} blocks in"
                f" {begun.snapshot}. The same `brqos register` goes on with it."
            )


def _cells(stored: "StoredBuild") -> list[str]:
    record = stored.record
    amis = ", ".join(f"{region} {ami.id}" for region, ami in record.amis.items())
    # A rehearsal's name says that it is one.
    name = f"~{record.id}" if record.rehearsal else record.id
    last = [stage.value for stage in Stage if stage in record.stages][-1:]
    return [name, f"{record.updated:%m-%d %H:%M}", *(last or ["-"]), amis or "-"]


def _show_one(console: "Console", stored: "StoredBuild") -> None:
    record = stored.record
    rows = [
        ["build", f"{record.id}{' (rehearsal: nothing in it is real)' if record.rehearsal else ''}"],
        ["variant", f"{record.variant} for {record.spec.arch}, delivery {record.delivery}"],
        ["upstream", f"v{record.upstream.release}, {record.upstream.commit}"],
    ]
    if record.repack is None:
        rows.append(["overlay", record.overlay_commit])
    else:
        rows.append(["repacked", "with signatures of your own" if record.repack.signed else "~without signatures"])
        rows += [["from", f"{item.file} (SHA-256 {item.sha256})"] for item in record.repack.inputs]
    for image in record.result.images if record.result else ():
        rows.append([f"{image.role} image", f"{stored.path(image.file)} (SHA-256 {image.sha256})"])
    for region, ami in record.amis.items():
        rows.append([region, f"{ami.id} with {', '.join(ami.snapshots.values())}"])
    if record.nodegroup:
        rows.append(["nodegroup", str(stored.path(record.nodegroup))])
    if record.attested:
        rows.append(["SBOM", f"SHA-256 {record.attested.sbom_sha256}"])
        rows.append(["provenance", f"SHA-256 {record.attested.provenance_sha256}"])
    if record.log:
        rows.append(["log", str(stored.path(record.log))])
    for stage in Stage:
        if stage is Stage.GENERATE and record.repack is not None:
            # A repacked image has no source.
            continue
        done = record.stages.get(stage)
        rows.append([stage, f"+done in {done.seconds:.0f} s" if done else "~not done"])
    console.table(["", ""], rows)
