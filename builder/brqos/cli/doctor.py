"""`brqos doctor`: what the work needs, what is there, and how to get the rest."""

from enum import StrEnum
from typing import Annotated

import typer

from brqos.cli import options
from brqos.cli.session import running
from brqos.errors import ExitCode
from brqos.stages import Stage


class Engine(StrEnum):
    """Which engine is to make the image."""

    TWOLITER = "twoliter"


def doctor(
    engine: Annotated[
        Engine, typer.Option("--engine", help="What builds the image: upstream's own build.")
    ] = Engine.TWOLITER,
    work: Annotated[
        list[Stage] | None,
        typer.Option(
            "--for", metavar="STAGE", help="generate, build, register or nodegroup; repeat it. All by default."
        ),
    ] = None,
    regions: options.Regions = None,
    profile: options.Profile = None,
    json: options.Json = False,
) -> None:
    """Check that this machine has what the work needs, and say how to get what it has not."""
    with running(json_output=json) as console:
        from brqos.doctor.examine import examine, rows

        report = examine(work or list(Stage), profile=profile, regions=regions or ())
        if json:
            console.data({"engine": engine.value, **report.as_json()})
        console.table(("", "found", "needed", "remedy"), rows(report.checks))
        console.line("")
        if report.lacking:
            names = ", ".join(check.name for check in report.lacking)
            console.line(f"Missing or too old: {names}.", "bold red")
            raise typer.Exit(ExitCode.TOOL)
        console.line(f"All is there for {', '.join(stage.value for stage in report.stages)}.", "green")
