"""`scripts/bench`."""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.following import follow
from bench.matrix import matrix
from bench.measures import all_trees, launcher, one_tree, start_up
from bench.publishing import upload
from bench.repack import repack
from bench.timing import Line, table
from bench.trees import Trees, miniature, real
from bench.workloads import explain_many
from brqos.errors import ToolError
from brqos.process import ProcessError
from image.repack.synthetic import MissingError

_CHECKOUT = Path(__file__).resolve().parents[2]
# Each takes many seconds.
_REPACKINGS = 3


def main(arguments: Sequence[str]) -> int:
    """Always 0 unless a command that is measured fails."""
    options = _options().parse_args(arguments)
    bench = _Bench(Path(tempfile.mkdtemp(prefix="brqos-bench-")), options)
    lines: list[Line] = []
    try:
        for part in options.only or _PARTS:
            lines += _PARTS[part](bench)
    except ProcessError as error:
        sys.stdout.write(f"{error}\n{error.reason}\n")
        return 1
    finally:
        shutil.rmtree(bench.folder, ignore_errors=True)
    sys.stdout.write(f"{table(lines)}\n\n" if lines else "")
    sys.stdout.write("".join(f"{note}\n" for note in bench.notes))
    return 0


@dataclass
class _Bench:
    """Where and on what it is measured, and what there is to say beside the table."""

    folder: Path
    options: argparse.Namespace
    notes: list[str] = field(default_factory=list)
    trees: Trees | None = None


def _start(bench: _Bench) -> list[Line]:
    lines = [start_up(bench.folder, bench.options.times)]
    if (through := launcher(_CHECKOUT, bench.options.times)) is not None:
        return [*lines, through]
    bench.notes.append("scripts/brqos was not measured: its environment cannot be made here")
    return lines


def _generate(bench: _Bench) -> list[Line]:
    trees = _trees(bench)
    bench.notes.append(f"generate was measured on {trees.title}")
    return [one_tree(trees, bench.folder, bench.options.times), all_trees(trees, bench.folder)]


def _matrix(bench: _Bench) -> list[Line]:
    trees = _trees(bench)
    bench.notes.append(f"matrix was measured on {trees.title}")
    return [matrix(trees, bench.folder, bench.options.times)]


def _trees(bench: _Bench) -> Trees:
    given = (bench.options.releases, bench.options.bottlerocket, bench.options.core_kit)
    if bench.trees is None:
        bench.trees = real(*given) if all(given) else miniature(bench.folder / "miniature")
    return bench.trees


def _repack(bench: _Bench) -> list[Line]:
    try:
        done = repack(bench.folder, min(bench.options.times, _REPACKINGS))
    except (MissingError, ToolError) as error:
        bench.notes.append(f"repack was not measured: {error}")
        return []
    bench.notes.extend(done.notes)
    return list(done.lines)


_PARTS: dict[str, Callable[[_Bench], Iterable[Line]]] = {
    "start": _start,
    "generate": _generate,
    "matrix": _matrix,
    "follow": lambda bench: [follow(bench.folder)],
    "explain": lambda bench: explain_many(bench.folder, bench.options.times),
    "upload": lambda bench: upload(bench.folder, bench.options.times),
    "repack": _repack,
}


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measure what the README promises about speed.")
    for flag, text in {
        "releases": "JSON file with releases, as scripts/fidelity takes it; the newest is measured",
        "bottlerocket": "git repository with the Bottlerocket commits",
        "core-kit": "git repository with the core kit's commits",
    }.items():
        variable = f"BRQOS_FIDELITY_{flag.upper().replace('-', '_')}"
        value = os.environ.get(variable)
        parser.add_argument(
            f"--{flag}", type=Path, metavar="PATH", default=Path(value) if value else None, help=f"{text} ({variable})"
        )
    parser.add_argument("--only", action="append", choices=list(_PARTS), help="only this part; may be repeated")
    parser.add_argument("--times", type=int, default=7, metavar="N", help="runs of each, of which the median counts")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
