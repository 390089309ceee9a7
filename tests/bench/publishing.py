"""`brqos register` of an image of incompressible data, against the emulator in a process of its own."""

import contextlib
import json
import os
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.timing import Line
from bench.workloads import WITH_PEAK
from brqos import process

MIB = 1 << 20
SIZES_MIB = (1024, 4096)
"""The larger one shows that memory does not grow with the image."""
VERIFY_EVERY = 64
"""The emulator shares the two cores: it checks the SHA-256 of a sample of the blocks only."""


@dataclass(frozen=True, slots=True)
class Upload:
    """One run: puts a second while uploading, peak memory in MiB."""

    puts_per_second: float
    peak: float


def upload(folder: Path, times: int) -> tuple[Line, Line]:
    """Puts a second (median of several runs), and peak memory of the largest image."""
    runs = [_measured(folder, SIZES_MIB[0], number) for number in range(times)]
    large = _measured(folder, SIZES_MIB[1], times)
    rates = [run.puts_per_second for run in runs]
    detail = (
        f"raw image of {SIZES_MIB[0]} MiB, plain HTTP, {min(rates):.0f} to {max(rates):.0f} in {times} runs;"
        f" {large.puts_per_second:.0f} with {SIZES_MIB[1]} MiB"
    )
    return (
        Line("register, puts of 512 KiB", statistics.median(rates), 800, "/s", detail, at_least=True),
        Line("register, peak memory", max(run.peak for run in [*runs, large]), 300, "MiB", f"{SIZES_MIB[1]} MiB image"),
    )


def _measured(folder: Path, mib: int, number: int) -> Upload:
    image = folder / f"image-{mib}.img"
    if not image.exists():
        _write_random(image, mib)
    with _emulator(folder) as endpoint:
        done = process.run(
            [
                sys.executable, "-c", WITH_PEAK, "register", "--image", str(image), "--variant", "aws-k8s-1.29",
                "--arch", "x86_64", "--image-version", f"1.50.0-bench{number}", "--region", "eu-west-1", "--json",
            ],
            env={
                "AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "AKIABENCH", "AWS_SECRET_ACCESS_KEY": "bench",
                "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
                "XDG_STATE_HOME": str(folder / "state"), "PYTHONDONTWRITEBYTECODE": "",
            },
        )  # fmt: skip
    peak = re.search(r"peak (\d+) KiB", done.stderr)
    assert peak is not None, done.stderr
    return Upload(json.loads(done.text)["puts_per_second"], int(peak[1]) / 1024)


def _write_random(image: Path, mib: int) -> None:
    with image.open("wb") as file:
        for _ in range(mib):
            file.write(os.urandom(MIB))


@contextlib.contextmanager
def _emulator(folder: Path) -> Iterator[str]:
    """An emulator that keeps no data, for one run; its endpoint."""
    command = [
        sys.executable, "-m", "brqos.rehearsal.emulator", "--until-stdin-closes", "--discard",
        "--verify-every", str(VERIFY_EVERY), "--delay", "0.05",
    ]  # fmt: skip
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder) as running:
        assert running.stdout is not None
        assert running.stdin is not None
        try:
            yield running.stdout.readline().strip()
        finally:
            running.stdin.close()
            running.wait(10)
