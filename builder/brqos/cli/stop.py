"""`brqos stop`: end the builds of a run on CodeBuild."""

from typing import Annotated

import typer

from brqos.cli import options
from brqos.cli.runs import Files
from brqos.cli.session import running


def stop(
    run: Annotated[
        str | None,
        typer.Argument(metavar="RUN", help="Id of the run; the only one that goes on by default.", show_default=False),
    ] = None,
    profile: options.Profile = None,
    config: Files = None,
    dry_run: options.DryRun = False,
    json_output: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Stop a run that `brqos build --on codebuild` started. What is built by then stays.

    AMIs that were made already stay, too; `brqos status --follow RUN` brings
    the records of builds that had ended.
    """
    with running(json_output=json_output, quiet=quiet) as console:
        from brqos.cli.runs import open_run
        from brqos.fleet.codebuild.stopping import going_on, stop_run

        world, stored = open_run(console, run, profile=profile, files=config or ())
        codebuild = world.session.codebuild(stored.run.region)
        batches = going_on(stored.run, codebuild)
        if not dry_run:
            stop_run(stored, batches, codebuild)
        if json_output:
            console.data({"run": stored.run.id, "dry_run": dry_run, "stopped": [batch.id for batch in batches]})
            return
        for batch in batches:
            at_work = sum(not member.state.ended for member in batch.members)
            console.line(f"{'would stop' if dry_run else 'stopped'} {batch.id}, {at_work} builds that had not ended")
        if not batches:
            console.line(f"Nothing of the run {stored.run.id} goes on.")
        elif dry_run:
            console.line("Nothing was done (--dry-run).")
