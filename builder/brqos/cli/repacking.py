"""`brqos build --engine repack`: a built image, changed."""

from dataclasses import replace
from typing import TYPE_CHECKING

from brqos.cli.built import result_of, show_result, show_steps
from brqos.errors import ConfigurationError, UsageError

if TYPE_CHECKING:
    from brqos.cli.build_results import How
    from brqos.config.model import BuildSpec
    from brqos.console import Console
    from brqos.pipeline.results import Delivery
    from brqos.record import StoredBuild

_OFFICIAL = (
    "Use the official AMI, with these settings in its user data, which this writes: "
    "brqos nodegroup --official --variant {} --arch {} --cluster NAME\n"
    "To bake them into an image all the same, add --bake."
)
_TRY_IT = "No official image could be booted where brqos is developed: try the first AMI on one node (`brqos verify`)."


def run_repacking(console: "Console", spec: "BuildSpec", how: "How", delivery: "Delivery", *, rehearse: bool) -> None:
    """Repack, publish, and print the result; raises BrqosError."""
    from brqos.image.repack.plan import NothingToDoError
    from brqos.pipeline.repack import check_before_repack, run_repack
    from brqos.pipeline.repack_preview import preview_repack
    from brqos.pipeline.surroundings import real

    if rehearse:
        raise UsageError(
            "--rehearse does not go together with --engine repack",
            why="A rehearsal stands in for upstream's build; repacking needs none, it takes seconds.",
            todo="Leave out --rehearse. Without --region nothing leaves this machine.",
        )
    around = replace(real(spec), signs=how.signs)
    check_before_repack(around, console, aws=not how.dry_run)
    try:
        if how.dry_run:
            show_steps(console, preview_repack(around, console))
            return
        stored = run_repack(around, console, force=how.force, wait=how.wait, delivery=delivery)
    except NothingToDoError as error:
        raise ConfigurationError(error.what, why=error.why, todo=_OFFICIAL.format(spec.variant, spec.arch)) from None
    if console.json_output:
        repack = stored.record.repack
        console.data({**result_of(stored), "repack": repack.model_dump(mode="json") if repack else None})
    else:
        _show_changes(console, stored)
        show_result(console, stored)
    console.note(_TRY_IT)


def _show_changes(console: "Console", stored: "StoredBuild") -> None:
    repack = stored.record.repack
    if repack is None:
        return
    console.line("Changed, and nothing else:")
    for line in repack.changes:
        console.line(f"  {line}")
    console.line("Checked:")
    for line in repack.checks:
        console.line(f"  {line}")
