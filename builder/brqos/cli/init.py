"""`brqos init`: a documented `brqos.toml` to begin with."""

from pathlib import Path
from typing import Annotated

import typer

from brqos.cli import options
from brqos.cli.session import running


def init(
    variant: Annotated[
        str, typer.Option("--variant", metavar="NAME", help="The variant to write into it.")
    ] = "aws-k8s-1.34",
    force: Annotated[bool, typer.Option("--force", help="Write over a brqos.toml that is there.")] = False,
    print_only: Annotated[bool, typer.Option("--print", help="Print the sample, and write nothing.")] = False,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema of brqos.toml.")] = False,
    quiet: options.Quiet = False,
) -> None:
    """Write a brqos.toml in which every key is explained."""
    with running(quiet=quiet) as console:
        from brqos.config import documents
        from brqos.config.resolve import FILE_NAME
        from brqos.errors import ConfigurationError
        from brqos.files import write_atomically
        from brqos.variant import VariantName

        if schema:
            console.data(documents.schema())
            return
        sample = documents.sample(VariantName.parse(variant))
        if print_only:
            console.text(sample)
            return
        target = Path(FILE_NAME)
        if target.exists() and not force:
            raise ConfigurationError(
                f"there is a {FILE_NAME} here already",
                why="It would be overwritten.",
                todo="Look at the sample with --print, or write over it with --force.",
            )
        write_atomically(target, sample)
        console.line(f"Wrote {FILE_NAME}. Next: brqos build --rehearse")
