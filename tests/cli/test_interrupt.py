"""Ctrl-C in a real process: the exit code, nothing left running, and the same command going on."""

import os
import signal
import subprocess  # noqa: TID251 - a process of its own, to be interrupted
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

pytestmark = [pytest.mark.processes, pytest.mark.loopback]
COMMAND = [sys.executable, "-m", "brqos", "build", "--variant", "aws-k8s-1.29", "--rehearse"]


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_build_leaves_nothing_running_and_goes_on(tmp_path: Path, sent: signal.Signals) -> None:
    log = tmp_path / "log"
    with log.open("w") as output:
        running = subprocess.Popen(
            [*COMMAND, "--make-env", "BRQOS_REHEARSAL_PACE=3"],
            cwd=tmp_path,
            stdout=output,
            stderr=output,
            env=os.environ,
        )
    until(lambda: any(tmp_path.rglob("build.log")), "the build did not begin")
    children = psutil.Process(running.pid).children(recursive=True)
    assert children
    running.send_signal(sent)
    assert running.wait(30) == 130
    assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
    told = log.read_text()
    assert "interrupted" in told
    assert "Traceback" not in told
    again = subprocess.run(
        [*COMMAND, "--make-env", "BRQOS_REHEARSAL_PACE=0"], cwd=tmp_path, capture_output=True, check=False
    )
    assert again.returncode == 0, again.stderr
