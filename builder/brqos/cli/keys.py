"""`brqos keys`: the keys that repacked images are signed with."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from brqos.cli import options
from brqos.cli.session import running

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brqos.console import Console
    from brqos.image.repack.signing.keys import ProfileFile

keys = typer.Typer(
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Make the Secure Boot keys that repacked images are signed with.",
)


@keys.callback()
def _keys() -> None:
    # With one command only, Typer would leave its name out.
    pass


@keys.command("new")
def new(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder to make; it may be there if it is empty.")
    ],
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="What the names of the certificates begin with.")
    ] = "brqos",
    days: Annotated[int, typer.Option("--days", metavar="N", help="How long the certificates are valid.")] = 3650,
    json_output: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Make a signing profile: keys, certificates and UEFI data for Secure Boot.

    It has the same files as upstream's sbkeys/generate-local-sbkeys makes,
    so that both engines of `brqos build` take it with --sbkeys-profile.
    Nothing is sent anywhere.
    """
    with running(json_output=json_output, quiet=quiet) as console:
        from brqos.image.repack.signing.keys import new_profile

        files = new_profile(output, name=name, days=days)
        if json_output:
            console.data(
                {
                    "folder": str(output.absolute()),
                    "files": [
                        {"name": file.name, "purpose": file.purpose, "secret": file.secret, "needed": file.needed}
                        for file in files
                    ],
                }
            )
        else:
            _tell(console, output, files)
        if (tree := _work_tree(output.absolute())) is not None:
            console.warn(
                f"{output} is inside the git work tree {tree}: move it elsewhere, before the keys get into a commit"
            )


def _tell(console: "Console", folder: Path, files: "Sequence[ProfileFile]") -> None:
    console.line(f"Made the signing profile {folder}:")
    console.table(
        ("FILE", "KIND", "WHAT IT IS FOR"),
        [(file.name, "secret" if file.secret else "public", file.purpose) for file in files],
    )
    unneeded = ", ".join(file.name for file in files if not file.needed)
    console.line("")
    for line in (
        "Whoever has the secret files can sign an image that your instances take for yours.",
        (
            "Whoever loses them can make no more images for the same UEFI data: instances that run and AMIs that are "
            "registered go on booting, but the next image needs new keys, new UEFI data, and so new instances."
        ),
        (
            "Keep the folder outside every work tree and repository, readable by you alone (it is: mode 0700), and "
            "back it up where you keep other secrets. The keys have no passphrase."
        ),
        f"Building needs no {unneeded}: keep them offline, and leave them out of what a CI job gets.",
    ):
        console.line(f"- {line}")


def _work_tree(folder: Path) -> Path | None:
    """The git work tree that a folder is in."""
    return next((parent for parent in folder.resolve().parents if (parent / ".git").exists()), None)
