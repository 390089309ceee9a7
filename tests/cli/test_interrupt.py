"""Ctrl-C in a real process: the exit code, nothing left running, and the same command going on."""

import json
import os
import signal
import subprocess
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


def test_two_runs_of_the_same_build_at_once_make_one_record_and_one_ami(tmp_path: Path) -> None:
    command = [*COMMAND, "--make-env", "BRQOS_REHEARSAL_PACE=0", "--json"]
    both = [subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    results = []
    for one in both:
        out, err = one.communicate(timeout=60)
        assert one.returncode == 0, err
        results.append(json.loads(out))
    assert results[0] == results[1]
    assert len(list(tmp_path.rglob("*.eksctl.yaml"))) == 1


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
    children: list[psutil.Process] = []

    def has_children() -> bool:
        children[:] = psutil.Process(running.pid).children(recursive=True)
        return bool(children)

    # The log is there a moment before the program that writes it.
    until(has_children, "the build started no program")
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
