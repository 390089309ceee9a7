"""`brqos build --engine repack` of a 2 GiB image: how long, each step of it, and how much memory."""

import json
import os
import shutil
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.timing import Line
from brqos import process
from brqos.image.repack.tools import require
from image.repack.synthetic import REAL, Filesystem, ImageOptions, compress, make_image, make_profile

VARIANT, ARCHITECTURE = "aws-k8s-1.29", "x86_64"
PROMISED = {Filesystem.EXT4: 15, Filesystem.EROFS: 45}
"""Seconds, on two processors."""
PROMISED_MIB = 512
CONTENT_MIB = 600
"""In the root file system of 920 MiB: half of it does not compress, half to a half."""

# The command as it is, which also says how long each step took, and with BENCH_PEAK how much memory it and all programs
# that it started took together, at ten moments of a second. Memory that they share counts for each of them, but for a
# child that has not become its program yet: that one has our own memory, and our own command line.
_COMMAND = """\
import atexit, json, os, runpy, sys, threading

from brqos.pipeline import repack as stage

def told(*arguments, repack=stage.repack, **words):
    done = repack(*arguments, **words)
    sys.stderr.write(f"steps {json.dumps(done.steps)}\\n")
    return done

def watch():
    import psutil
    own, peak, stop = psutil.Process(), 0, threading.Event()
    words = own.cmdline()
    def taken(child):
        try:
            return 0 if child.cmdline() == words else child.memory_info().rss
        except psutil.Error:
            return 0
    def look():
        nonlocal peak
        while not stop.wait(0.1):
            peak = max(peak, own.memory_info().rss + sum(map(taken, own.children(recursive=True))))
    threading.Thread(target=look, daemon=True).start()
    atexit.register(lambda: (stop.set(), sys.stderr.write(f"peak {peak}\\n")))

stage.repack = told
if os.environ.get("BENCH_PEAK"):
    watch()
runpy.run_module("brqos", run_name="__main__", alter_sys=True)
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One run: wall, processor and the steps' wall times in seconds; peak memory in MiB, where it was watched."""

    seconds: float
    processor: float
    steps: Mapping[str, float]
    load: float
    peak: float | None


@dataclass(frozen=True, slots=True)
class Repacking:
    """Lines of the table, and what does not fit into one."""

    lines: tuple[Line, ...]
    notes: tuple[str, ...]


def repack(folder: Path, times: int) -> Repacking:
    """The median wall times of the whole command for both file systems, and the peak memory.

    Raises MissingError, ToolError where a program is missing.
    """
    require(signing=True)
    keys = folder / "keys"
    process.run([sys.executable, "-m", "brqos", "keys", "new", "--output", keys])
    profile = make_profile(folder / "original-keys")
    lines, notes = [], []
    for kind, promised in PROMISED.items():
        image = _image(kind, profile, folder / kind.value)
        # The first run has the image read into memory, and is the one that is watched.
        watched = _measured(image, keys, folder / "run", watch=True)
        runs = [_measured(image, keys, folder / "run") for _ in range(times)]
        whole = [run.seconds for run in runs]
        detail = (
            f"{min(whole):.1f} to {max(whole):.1f} in {times} runs, {image.stat().st_size / 2**20:.0f} MiB packed;"
            f" processors {statistics.median(run.processor for run in runs):.1f} s"
        )
        assert watched.peak is not None
        lines += [
            Line(f"repack, {kind.value} of 2 GiB", statistics.median(whole), promised, "s", detail),
            Line(
                f"repack, {kind.value}, peak memory", watched.peak, PROMISED_MIB, "MiB", "its programs' memory included"
            ),
        ]
        notes.append(_told(kind, runs))
        shutil.rmtree(folder / kind.value)
    return Repacking(tuple(lines), tuple(notes))


def _image(kind: Filesystem, profile: Path, folder: Path) -> Path:
    """The OS image as it is published, beside its data image."""
    options = ImageOptions(
        layout=REAL,
        filesystem=kind,
        profile=profile,
        variant=VARIANT,
        filler_files=CONTENT_MIB,
        filler_bytes=2**20,
        # Upstream's lz4hc,12 takes minutes for this content; what is there is never compressed anew.
        erofs_compression="lz4",
    )
    made = make_image(options, folder)
    packed = compress(made.os_image)
    compress(made.data_image)
    made.os_image.unlink()
    made.data_image.unlink()
    # So that nothing of it is still on its way to the disk when the clock runs.
    os.sync()
    return packed


def _measured(image: Path, keys: Path, folder: Path, *, watch: bool = False) -> Run:
    folder.mkdir()
    load, before = os.getloadavg()[0], os.times()
    began = time.perf_counter()
    done = process.run(
        [
            sys.executable, "-c", _COMMAND, "build", "--engine", "repack", "--variant", VARIANT, "--arch", ARCHITECTURE,
            "--image", image, "--sbkeys-profile", keys, "--quiet", "--json",
        ],
        cwd=folder,
        env={"PYTHONDONTWRITEBYTECODE": "", "BENCH_PEAK": "1" if watch else ""},
    )  # fmt: skip
    seconds, after = time.perf_counter() - began, os.times()
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    # What a run leaves is taken away outside its time, and is not written to the disk in the next one's.
    shutil.rmtree(folder)
    said = dict(line.split(" ", 1) for line in done.stderr.splitlines() if line.startswith(("steps ", "peak ")))
    peak = int(said["peak"]) / 2**20 if "peak" in said else None
    return Run(seconds, processor, json.loads(said["steps"]), load, peak)


def _told(kind: Filesystem, runs: Sequence[Run]) -> str:
    """Each step's median."""
    names = runs[0].steps
    medians = {name: statistics.median(run.steps[name] for run in runs) for name in names}
    steps = ", ".join(f"{name} {seconds:.1f}" for name, seconds in medians.items() if name != "total")
    load = f"{min(run.load for run in runs):.1f} to {max(run.load for run in runs):.1f}"
    return (
        f"repack, {kind.value}: {medians['total']:.1f} s in the engine, of them (some at the same time) {steps};"
        f" the machine's load was {load} before the runs"
    )
