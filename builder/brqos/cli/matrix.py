"""`brqos matrix`: the builds that configuration files stand for, less those that are there already."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from brqos.cli import options
from brqos.cli.session import running
from brqos.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brqos.console import Console
    from brqos.fleet.expand import Only
    from brqos.fleet.known import Standing
    from brqos.fleet.survey import Survey


def matrix(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", help="Configuration files; ./brqos.toml by default.", show_default=False),
    ] = None,
    variant: Annotated[
        list[str] | None, typer.Option("--variant", metavar="NAME", help="Only builds of this variant; repeat it.")
    ] = None,
    arch: Annotated[
        list[str] | None, typer.Option("--arch", metavar="ARCH", help="Only builds for this architecture; repeat it.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also builds that are there already, each with its state.")
    ] = False,
    records: Annotated[
        list[Path] | None,
        typer.Option(
            "--records",
            metavar="DIR",
            help="Folder with folders of builds, such as other jobs left them; .brqos/builds by default; repeat it.",
        ),
    ] = None,
    aws: Annotated[
        bool, typer.Option("--aws/--no-aws", help="Ask AWS for the AMIs of all regions, where there is a login.")
    ] = True,
    offline: options.Offline = None,
    confirm_public: options.ConfirmPublic = False,
    github: Annotated[
        bool, typer.Option("--github", help="Print matrix=JSON in one line, to be appended to $GITHUB_OUTPUT.")
    ] = False,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print the matrix as JSON, as GitHub Actions takes it.")
    ] = False,
    quiet: options.Quiet = False,
) -> None:
    """Tell what is to be built: the variants and architectures of the files, less what is published already.

    A build is one image, in all of its regions. It is left out if every region
    has an available AMI with brqos's tags that was made from these inputs:
    source, settings, name, keys. The inputs' digest tells, so nothing is built
    to find out. In doubt a build stays in the list. Builds without regions are
    left out where their image lies beside its record.
    """
    with running(json_output=json_output or github, quiet=quiet) as console:
        from brqos.ami.wishes import check_confirmed
        from brqos.config.resolve import FILE_NAME
        from brqos.fleet.expand import expand
        from brqos.fleet.survey import survey
        from brqos.resources import cache_directory

        if github and json_output:
            raise UsageError("--github and --json both want standard output", todo="Keep one of them.")
        entries = expand(files or [Path(FILE_NAME)], only=_only(variant, arch), offline=offline)
        for entry in entries:
            check_confirmed(entry.spec.ami, confirmed=confirm_public and entry.spec.ami.public)
        found = survey(entries, cache_directory(), console, records=records, aws=aws)
        _show(console, found, everything=everything, github=github)


def _only(variants: "Sequence[str] | None", archs: "Sequence[str] | None") -> "Only":
    from brqos.architecture import Architecture
    from brqos.fleet.expand import Only
    from brqos.variant import VariantName

    return Only(
        frozenset(VariantName.parse(text).base for text in variants or ()),
        frozenset(Architecture.parse(text) for text in archs or ()),
    )


def _show(console: "Console", found: "Survey", *, everything: bool, github: bool) -> None:
    from brqos.fleet.shape import github_output, matrix_of

    shown = found.standings if everything else found.open
    for remark in found.remarks:
        console.note(f"Not compared, {remark}")
    if github:
        console.text(github_output(shown))
    elif console.json_output:
        console.data(matrix_of(shown))
    elif shown:
        several = len({one.entry.file for one in found.standings}) > 1
        columns = ["VARIANT", "ARCH", "RELEASE", "ENGINE", "REGIONS", "STATE"]
        console.table(["FILE", *columns] if several else columns, [_cells(one, file=several) for one in shown])
    _say_how_many(console, found, everything=everything)
    if not shown and github:
        console.note(
            "GitHub cannot run an empty matrix: give the job"
            " if: ${{ fromJSON(needs.JOB.outputs.matrix).include[0] != null }}"
        )


def _say_how_many(console: "Console", found: "Survey", *, everything: bool) -> None:
    total, still = len(found.standings), len(found.open)
    if not total:
        console.note("There is nothing to build: [matrix] leaves everything out.")
        return
    done = total - still
    text = f"{still} of {total} builds to make"
    if done:
        text += f"; {done} {'is' if done == 1 else 'are'} there already"
        text += "" if everything else " and left out (--all shows them)"
    console.note(f"{text}.")


def _cells(one: "Standing", *, file: bool) -> list[str]:
    from brqos.fleet.known import State

    spec = one.entry.spec
    sign = "+" if one.is_done else "" if one.state is State.OPEN else "~"
    state = f"{sign}{one.state.value}"
    if one.state is State.PARTLY:
        state += f", not in {', '.join(one.missing)}"
    elif one.state is State.BUILT and spec.ami.regions:
        state += ", not published"
    cells = [
        spec.variant, spec.arch.value, one.release, spec.build.engine.value, ", ".join(spec.ami.regions) or "-", state,
    ]  # fmt: skip
    return [str(one.entry.file), *cells] if file else cells
