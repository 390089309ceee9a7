"""Options of the repack engine, grouped in the help, and how they become values of `[repack]`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from brqos.errors import UsageError

if TYPE_CHECKING:
    from brqos.config.resolve import Resolved

_PANEL = "With --engine repack"
_OF_SOURCE = ("upstream.repository", "upstream.core-kit", "build.jobs", "build.make-env")

Image = Annotated[
    Path | None,
    typer.Option(
        "--image",
        metavar="FILE",
        rich_help_panel=_PANEL,
        help="OS image to change, .img or .img.lz4; it stays as it is.",
    ),
]
DataImage = Annotated[
    Path | None,
    typer.Option(
        "--data-image", metavar="FILE", rich_help_panel=_PANEL, help="Its data image; the one beside it by default."
    ),
]
FromRelease = Annotated[
    str | None,
    typer.Option(
        "--from-release",
        metavar="VERSION",
        rich_help_panel=_PANEL,
        help="The official image of this release (newest, 1.50.0), verified by TUF; without --image the pinned one.",
    ),
]
Unsigned = Annotated[
    bool | None,
    typer.Option(
        "--unsigned/--signed",
        rich_help_panel=_PANEL,
        help="Without signatures, so without Secure Boot; else --sbkeys-profile has your keys (`brqos keys new`).",
    ),
]
SwitchUpdatesOff = Annotated[
    bool | None,
    typer.Option(
        "--switch-updates-off/--keep-updates",
        rich_help_panel=_PANEL,
        help="Switch in-place updates off in the image's defaults.",
    ),
]
Stream = Annotated[
    bool | None,
    typer.Option(
        "--stream/--keep-image",
        rich_help_panel=_PANEL,
        help="Upload the image as it is made; no file of it is packed and kept.",
    ),
]
MetadataUrl = Annotated[
    str | None,
    typer.Option(
        "--metadata-url",
        metavar="URL|PATH",
        rich_help_panel=_PANEL,
        help="A mirror's metadata; {variant} and {arch} stand for theirs.",
    ),
]
TargetsUrl = Annotated[
    str | None, typer.Option("--targets-url", metavar="URL|PATH", rich_help_panel=_PANEL, help="A mirror's targets.")
]
TufRoot = Annotated[
    Path | None,
    typer.Option(
        "--tuf-root", metavar="FILE", rich_help_panel=_PANEL, help="Root of trust (root.json) of a mirror of your own."
    ),
]
TufRootSha512 = Annotated[
    str | None, typer.Option("--tuf-root-sha512", metavar="HASH", rich_help_panel=_PANEL, help="Its SHA-512.")
]


def repack_flags(
    engine: str | None,
    image: Path | None,
    data_image: Path | None,
    from_release: str | None,
    unsigned: bool | None,
    switch_updates_off: bool | None,
    stream: bool | None,
) -> dict[str, object | None]:
    """Which image is changed, and how; raises UsageError for two images."""
    if image is not None and from_release is not None:
        raise UsageError(
            "--image does not go together with --from-release",
            why="Each of them says which image is changed.",
            todo="Keep one of them.",
        )
    return {
        "build.engine": engine,
        "repack.image": image,
        "repack.data-image": data_image,
        "repack.release": from_release.removeprefix("v") if from_release else None,
        "repack.unsigned": unsigned,
        "repack.switch-updates-off": switch_updates_off,
        "repack.stream": stream,
    }


def mirror_flags(
    metadata_url: str | None, targets_url: str | None, tuf_root: Path | None, tuf_root_sha512: str | None
) -> dict[str, object | None]:
    """Where official images come from."""
    return {
        "repack.metadata-url": metadata_url,
        "repack.targets-url": targets_url,
        "repack.tuf-root": tuf_root,
        "repack.tuf-root-sha512": tuf_root_sha512,
    }


def is_repack(configuration: "Resolved") -> bool:
    """Whether the repack engine is asked for; raises UsageError for a flag that means nothing to the engine."""
    from brqos.config.model import Engine

    engine, repack = configuration.spec.build.engine, configuration.spec.repack
    foreign: tuple[str, ...] = ("repack.",)
    why, todo = "It builds from Bottlerocket's source.", "Leave it out, or add --engine repack."
    if engine is Engine.REPACK:
        why = "It changes the image that is given." if repack.image else "It fetches an official image, and changes it."
        foreign, todo = _OF_SOURCE, "Leave it out."
        foreign += ("repack.metadata-url", "repack.targets-url", "repack.tuf-root") if repack.image else ()
        foreign += () if repack.image else ("upstream.offline",)
        foreign += ("upstream.ref",) if repack.image or repack.release else ()
    for key, origin in configuration.origins.items():
        # What a file says may be there for the other engine; a flag is meant.
        if origin.startswith("flag ") and key.replace("_", "-").startswith(foreign):
            raise UsageError(f"{origin.removeprefix('flag ')} means nothing to --engine {engine}", why=why, todo=todo)
    return engine is Engine.REPACK
