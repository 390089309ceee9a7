"""`brqos register --rollback`: `latest` names the version before again."""

from pathlib import Path

from brqos.ami.publication import publication_of
from brqos.ami.publishing.promotion import preview_rollback, rollback
from brqos.ami.setting import settings_for
from brqos.architecture import Architecture
from brqos.cli.ami_flags import AmiFlags
from brqos.cli.registered import show_rollback
from brqos.console import Console
from brqos.errors import UsageError
from brqos.pipeline.register import registrable_build
from brqos.pipeline.surroundings import aws_of

_NO_VERSION = "unknown"


def roll_back(
    console: Console,
    flags: AmiFlags,
    config: Path | None,
    *,
    build: str | None,
    record: Path | None,
    variant: str | None,
    arch: str | None,
    to: str | None,
    dry_run: bool,
) -> None:
    """Roll back in all regions; what it is about is told by --variant and --arch, or by a build."""
    if (variant is None) != (arch is None):
        raise UsageError(
            "--rollback needs --variant and --arch, or neither of them",
            why="Together they say whose `latest` it is; without both the build does.",
            todo="Give both, such as --variant aws-k8s-1.29-memoryqos --arch x86_64.",
        )
    known = None if variant else registrable_build(build, record).record
    spec = flags.resolved(config, known.spec if known else None)
    if not spec.regions:
        raise UsageError("--rollback needs the regions", todo="Give all that were promoted, with --region.")
    publication = publication_of(
        spec,
        variant=known.variant if known else str(variant),
        arch=known.spec.arch if known else Architecture.parse(str(arch)),
        # Which one it will be is told by the history.
        image_version=to or _NO_VERSION,
        tags={},
    )
    settings = settings_for(spec.regions, aws_of(spec), console)
    sessions = {region: setting.session for region, setting in settings.items()}
    act = preview_rollback if dry_run else rollback
    show_rollback(console, act(publication, sessions, console, to=to), dry_run=dry_run)
