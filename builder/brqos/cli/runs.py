"""Runs on CodeBuild that somebody names, or means: one of this folder, or of another machine."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from brqos.errors import ConfigurationError

if TYPE_CHECKING:
    from brqos.console import Console
    from brqos.fleet.codebuild.run import Run
    from brqos.fleet.codebuild.store import StoredRun
    from brqos.fleet.codebuild.world import World

Files = Annotated[
    list[Path] | None,
    typer.Option("--config", metavar="FILE", help="For a run of another machine: the configuration it was started by."),
]


def open_run(
    console: "Console", name: str | None, *, profile: str | None, files: Sequence[Path]
) -> "tuple[World, StoredRun]":
    """The run of that id, else the only one of this folder that goes on, and the AWS that it is on.

    Raises ConfigurationError where there is none, or several; AwsCallError.
    """
    from brqos.config.resolve import FILE_NAME
    from brqos.fleet.codebuild.place import spec_of
    from brqos.fleet.codebuild.store import StoredRun, load_run
    from brqos.fleet.codebuild.world import real_world

    default = [Path(FILE_NAME)] if Path(FILE_NAME).is_file() else []
    spec = spec_of(list(files) or default, profile=profile)
    world = real_world(spec.profile)
    run = load_run(name) if name is not None else _only_one(console)
    if run is None:
        assert name is not None
        run = _from_bucket(world, spec, name)
    if run.rehearsal:
        raise ConfigurationError(
            f"the run {run.id} was a rehearsal", why="Its AWS was gone when it ended.", todo="Rehearse it again."
        )
    identity = world.session.identity(run.region)
    if identity.account != run.account:
        raise ConfigurationError(
            f"the run {run.id} is in the account {run.account}, and this login is of {identity.account}",
            todo="Log in to that account, or give its profile with --profile.",
        )
    return world, StoredRun(run, world.session.s3(run.region), console)


def _only_one(console: "Console") -> "Run":
    from brqos.fleet.codebuild.store import runs_here

    open_ = [run for run in runs_here(console) if not run.is_over and not run.rehearsal]
    if len(open_) == 1:
        return open_[0]
    if not open_:
        raise ConfigurationError(
            "no run of this folder goes on",
            todo="`brqos status` lists them; one of another machine has to be named, with its configuration"
            " (brqos.toml or --config).",
        )
    raise ConfigurationError(
        f"{len(open_)} runs of this folder go on: {', '.join(run.id for run in open_)}", todo="Name one of them."
    )


def _from_bucket(world: "World", spec: object, name: str) -> "Run":
    from brqos.config.codebuild import CodeBuildSpec
    from brqos.fleet.codebuild.ordering import place_of
    from brqos.fleet.codebuild.place import region_of
    from brqos.fleet.codebuild.store import fetch_run

    assert isinstance(spec, CodeBuildSpec)
    place = place_of(spec, world.session, region_of(spec, world.session.default_region(), ()))
    run = fetch_run(world.session.s3(place.region), place.bucket, name)
    if run is None:
        raise ConfigurationError(
            f"there is no run {name}",
            why=f"It is neither in this folder nor in s3://{place.bucket}.",
            todo="Name its configuration with --config, or its region and bucket there.",
        )
    return run
