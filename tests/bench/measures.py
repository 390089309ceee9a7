"""The measurements, each of a promise of the README."""

import itertools
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.timing import Line, median_seconds, seconds
from bench.trees import Trees
from brqos import process
from brqos.process import ProcessError

_TYPER = """\
import typer

app = typer.Typer(no_args_is_help=True)


@app.command()
def one(name: str) -> None:
    '''The first.'''


@app.command()
def two(count: int = 1) -> None:
    '''The second.'''


app()
"""

# A user's Python keeps its compiled modules: so must this one, whatever the surroundings say.
_ENVIRONMENT = {"PYTHONDONTWRITEBYTECODE": ""}


def start_up(folder: Path, times: int) -> Line:
    """`brqos --help` against a Typer program with two commands."""
    program = folder / "two_commands.py"
    program.write_text(_TYPER, encoding="utf-8")
    brqos = median_seconds(lambda: _run(sys.executable, "-m", "brqos", "--help"), times)
    typer = median_seconds(lambda: _run(sys.executable, str(program), "--help"), times)
    return Line("brqos --help", brqos / typer, 1.5, "x", f"{brqos:.3f} s, a two-command Typer program {typer:.3f} s")


def launcher(checkout: Path, times: int) -> Line | None:
    """A second call of `scripts/brqos` over brqos itself; None where its environment cannot be made."""
    script, python = checkout / "scripts/brqos", checkout / ".venv/bin/python"
    try:
        _run(str(script), "--version")
    except ProcessError:
        return None
    through = median_seconds(lambda: _run(str(script), "--version"), times)
    itself = median_seconds(lambda: _run(str(python), "-m", "brqos", "--version"), times)
    return Line(
        "scripts/brqos, second call", through - itself, 0.1, "s", f"{through:.3f} s, brqos itself {itself:.3f} s"
    )


def one_tree(trees: Trees, folder: Path, times: int) -> Line:
    """`generate` with the mirror at hand, less what git needs for a work tree of the same commit."""
    numbers = itertools.count()
    variant = trees.variants[0]

    def generate() -> None:
        _generate(trees, ["--variant", variant], folder, folder / f"tree-{next(numbers)}")

    def check_out() -> None:
        target = str(folder / f"git-{next(numbers)}")
        _run("git", "clone", "--quiet", "--local", "--no-checkout", trees.bottlerocket, target)
        _run("git", "-C", target, "checkout", "--quiet", "--detach", trees.commit)

    whole, git = median_seconds(generate, times), median_seconds(check_out, times)
    return Line("generate beyond git", whole - git, 1.5, "s", f"{whole:.2f} s, git's work tree {git:.2f} s")


def all_trees(trees: Trees, folder: Path) -> Line:
    """`generate --all`: every variant of the release in one run, work trees included."""
    taken = seconds(lambda: _generate(trees, ["--all"], folder, folder / "all"))
    made = len(list((folder / "all").glob("*/.git")))
    return Line("generate --all", taken, 10, "s", f"{made} variants")


def _generate(trees: Trees, which: Sequence[str], folder: Path, target: Path) -> None:
    process.run(
        [
            sys.executable, "-m", "brqos", "generate", "--quiet", "--json", *which,
            "--upstream", trees.bottlerocket, "--ref", trees.commit,
            "--core-kit", trees.core_kit, "--core-kit-ref", trees.core_kit_commit, "--work-tree", str(target),
        ],
        cwd=folder,
        env={**_ENVIRONMENT, "XDG_CACHE_HOME": str(folder / "cache")},
    )  # fmt: skip


def _run(*command: str) -> None:
    process.run(command, env=_ENVIRONMENT)
