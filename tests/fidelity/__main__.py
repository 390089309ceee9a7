"""`scripts/fidelity`: the whole matrix, or a sample of it."""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from brqos import process
from fidelity.case import Source
from fidelity.handlebars import default_cache, install
from fidelity.matrix import pairs_of, sample
from fidelity.report import table
from fidelity.runner import Bench, run_all

_NOTHING_TO_DO = 3
_TOOLS = ("git", "cargo", "rpmspec", "rpmbuild", "rpm", "node", "npm")


def main(arguments: Sequence[str]) -> int:
    """0: all pairs are right; 1: some are not; 3: no trees to look at; 4: a tool is missing."""
    options = _options().parse_args(arguments)
    if missing := [tool for tool in _TOOLS if process.find(tool) is None]:
        _say(f"fidelity needs {', '.join(missing)}")
        return 4
    if options.prepare:
        _say(f"Handlebars is in {install(default_cache())}")
        return 0
    wanted = {name: getattr(options, name) for name in ("releases", "fields", "bottlerocket", "core_kit")}
    if absent := [name for name, path in wanted.items() if path is None or not path.exists()]:
        _say(f"Nothing was checked: no {', '.join(absent)} at hand.")
        _say("Name them by --releases, --fields, --bottlerocket and --core-kit, or by BRQOS_FIDELITY_RELEASES etc.")
        return _NOTHING_TO_DO
    return _run(options)


def _run(options: argparse.Namespace) -> int:
    started = time.monotonic()
    pairs = pairs_of(options.releases, options.bottlerocket, options.core_kit)
    if options.sample:
        pairs = sample(pairs)
    if options.only:
        pairs = [pair for pair in pairs if options.only in f"{pair} "]
    folder = Path(tempfile.mkdtemp(prefix="brqos-fidelity-", dir=options.scratch))
    results = []
    try:
        sdk = Source(options.sdk, options.sdk_ref) if options.sdk else None
        bench = Bench.make(folder, sdk, install(default_cache()), options.fields)
        _say(f"{len(pairs)} pairs, {options.jobs} at a time; macros of {'bottlerocket-sdk' if sdk else 'our own'}")
        for result in run_all(pairs, bench, options.jobs):
            results.append(result)
            state = "; ".join(f"{name}: {text}" for name, text in result.failures.items()) or "ok"
            _say(f"[{len(results)}/{len(pairs)}] {result.pair} {state}", sys.stderr)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    _say(table(results))
    _say(f"in {time.monotonic() - started:.0f} s, each through the command line in a process of its own")
    return int(any(result.failures for result in results))


def _say(text: str, stream: TextIO | None = None) -> None:
    stream = stream or sys.stdout
    stream.write(f"{text}\n")
    stream.flush()


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/fidelity",
        description="Hold brqos generate against real upstream trees. Each path may also come from a variable.",
    )
    for flag, text in {
        "releases": "JSON file with the releases: commit, core_kit, core_kit_commit, aws_k8s_variants of each",
        "fields": "JSON file with the top-level fields of KubeletConfiguration per Kubernetes version",
        "bottlerocket": "git repository with the Bottlerocket commits",
        "core-kit": "git repository with the core kit's commits",
        "sdk": "git repository of bottlerocket-sdk, for its RPM macros",
        "scratch": "folder for work trees; the system's own by default",
    }.items():
        variable = f"BRQOS_FIDELITY_{flag.upper().replace('-', '_')}"
        given = os.environ.get(variable)
        parser.add_argument(
            f"--{flag}", type=Path, metavar="PATH", default=Path(given) if given else None, help=f"{text} ({variable})"
        )
    parser.add_argument("--sdk-ref", default="HEAD", metavar="REF", help="commit or tag of the SDK (default: HEAD)")
    parser.add_argument(
        "--sample", action="store_true", help="a few pairs, with each release and each shape among them"
    )
    parser.add_argument("--only", metavar="TEXT", help="only pairs with this in their name, such as “v1.50.0 ”")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="pairs at a time")
    parser.add_argument("--prepare", action="store_true", help="only install Handlebars, for the tests")
    return parser


if __name__ == "__main__":
    # A cancelled job ends as Ctrl-C does, without leaving work trees behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
