"""`scripts/bench`."""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.measures import all_trees, launcher, one_tree, start_up
from bench.publishing import upload
from bench.timing import Line, table
from bench.trees import miniature, real
from bench.workloads import explain_many
from brqos.process import ProcessError

_CHECKOUT = Path(__file__).resolve().parents[2]


def main(arguments: Sequence[str]) -> int:
    """Always 0 unless a command that is measured fails."""
    options = _options().parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="brqos-bench-"))
    try:
        given = (options.releases, options.bottlerocket, options.core_kit)
        trees = real(*given) if all(given) else miniature(folder / "miniature")
        lines = [
            start_up(folder, options.times),
            launcher(_CHECKOUT, options.times),
            one_tree(trees, folder, options.times),
            all_trees(trees, folder),
            *explain_many(folder, options.times),
            *upload(folder, options.times),
        ]
    except ProcessError as error:
        sys.stdout.write(f"{error}\n{error.reason}\n")
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    measured: list[Line] = [line for line in lines if line is not None]
    sys.stdout.write(f"{table(measured)}\n\ngenerate was measured on {trees.title}\n")
    if len(measured) < len(lines):
        sys.stdout.write("scripts/brqos was not measured: its environment cannot be made here\n")
    return 0


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
    parser.add_argument("--times", type=int, default=7, metavar="N", help="runs of each, of which the median counts")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
