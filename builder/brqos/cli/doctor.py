"""`brqos doctor`: what the work needs, what is there, and how to get the rest."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from brqos.cli import options
from brqos.cli.session import running
from brqos.cli.spec import resolved
from brqos.errors import ExitCode, UsageError
from brqos.stages import Stage

if TYPE_CHECKING:
    from pathlib import Path

    from brqos.config.model import BuildSpec
    from brqos.console import Console
    from brqos.doctor.model import Report

# What is asked for does not depend on it; a configuration without a variant is a good one here.
_ANY_VARIANT = "aws-k8s-1.34"


class EngineName(StrEnum):
    """The names of config.model.Engine, which is not imported before it is known that it is needed."""

    SOURCE = "source"
    REPACK = "repack"


def doctor(
    engine: Annotated[
        EngineName | None,
        typer.Option(
            "--engine",
            help="What makes the image: source (upstream's own build) or repack; by default what brqos.toml says, or "
            "source.",
        ),
    ] = None,
    work: Annotated[
        list[Stage] | None,
        typer.Option(
            "--for", metavar="STAGE", help="generate, build, register or nodegroup; repeat it. All by default."
        ),
    ] = None,
    signed: Annotated[
        bool | None,
        typer.Option(
            "--signed/--unsigned",
            help="repack: whether with keys of your own; by default whether brqos.toml names a profile.",
        ),
    ] = None,
    official: Annotated[
        bool | None,
        typer.Option(
            "--from-release/--own-image",
            help="repack: an official image, or one of your own; by default what brqos.toml says, or an official one.",
        ),
    ] = None,
    regions: options.Regions = None,
    profile: options.Profile = None,
    config: options.ConfigFile = None,
    json: options.Json = False,
) -> None:
    """Check that this machine has what the work needs, and say how to get what it has not."""
    with running(json_output=json) as console:
        spec = _spec(config, engine, regions, profile)
        repacks = spec.build.engine.value == EngineName.REPACK.value
        if not repacks and (signed is not None or official is not None):
            raise UsageError(
                "--signed, --unsigned, --from-release and --own-image are about the engine repack",
                todo="Add --engine repack, or leave them out.",
            )
        report = _report(spec, work, signed=signed, official=official)
        _show(console, report, spec.build.engine, json=json)
        if report.lacking:
            raise typer.Exit(ExitCode.TOOL)


def _spec(
    config: "Path | None", engine: EngineName | None, regions: list[str] | None, profile: str | None
) -> "BuildSpec":
    from brqos.errors import ConfigurationError

    flags: dict[str, object | None] = {
        "build.engine": engine.value if engine else None,
        "ami.regions": regions or None,
        "ami.profile": profile,
    }
    try:
        # Which release it is about is told by the file, where the file says a variant.
        return resolved(config, flags).spec
    except ConfigurationError:
        return resolved(config, {"variant": _ANY_VARIANT, **flags}).spec


def _report(spec: "BuildSpec", work: list[Stage] | None, *, signed: bool | None, official: bool | None) -> "Report":
    from brqos.config.model import Engine
    from brqos.doctor.attest import with_signing
    from brqos.doctor.examine import examine

    # A repacked image needs no source.
    usual = [stage for stage in Stage if stage is not Stage.GENERATE or spec.build.engine is Engine.SOURCE]
    has_keys = spec.build.sbkeys_profile is not None and not spec.repack.unsigned
    report = examine(
        work or usual,
        engine=spec.build.engine,
        signed=has_keys if signed is None else signed,
        official=spec.repack.image is None if official is None else official,
        profile=spec.ami.profile,
        regions=spec.ami.regions,
    )
    report = with_signing(report, spec.attest)
    if spec.mirrors == type(spec.mirrors)():
        return report
    from brqos.doctor.mirrors import with_mirrors
    from brqos.resources import cache_directory

    return with_mirrors(report, spec, cache_directory())


def _show(console: "Console", report: "Report", engine: str, *, json: bool) -> None:
    from brqos.doctor.examine import rows

    if json:
        console.data({"engine": str(engine), **report.as_json()})
    console.table(("", "found", "needed", "remedy"), rows(report.checks))
    console.line("")
    if report.lacking:
        console.line(f"Missing or too old: {', '.join(check.name for check in report.lacking)}.", "bold red")
        if report.at_once:
            console.line(f"At once: {report.at_once}")
    else:
        console.line(f"All is there for {', '.join(stage.value for stage in report.stages)}.", "green")
