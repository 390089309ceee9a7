"""What `brqos pipeline container` does beside parsing."""

from pathlib import Path
from typing import TYPE_CHECKING

from brqos.cli.pipeline_written import check_unchanged, write_file

if TYPE_CHECKING:
    from brqos.console import Console


def write_container(console: "Console", folder: Path, requirement: str | None, *, force: bool) -> None:
    """Write the recipe of the container image and say how it is built; raises ConfigurationError."""
    from brqos import __version__
    from brqos.fleet.pipelines.container import build_command, recipe
    from brqos.fleet.pipelines.wishes import check_requirement

    wanted = requirement or f"brqos=={__version__}"
    check_requirement(wanted)
    files = {folder / name: text for name, text in recipe().items()}
    if not force:
        for path, text in files.items():
            # All of them or none.
            check_unchanged(path, text, look="--output-dir OTHER")
    statuses = {str(path): write_file(console, path, text, force=force) for path, text in files.items()}
    command = build_command(folder, wanted)
    if console.json_output:
        console.data({"files": statuses, "command": command})
        return
    console.note(f"Next: {command}")
    console.note("What it takes, and how jobs and pipelines use the image, is told at the top of the recipe.")
