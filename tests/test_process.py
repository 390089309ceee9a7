"""Starting programs, and above all stopping them: an interrupt leaves nothing running."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from brqos import process
from brqos.errors import ToolError

pytestmark = pytest.mark.processes

# Five: a program, its child, a grandchild, one that left its session and its parent, and one that ignores SIGTERM.
TREE = """
import os, signal, subprocess, sys, time
pids = sys.argv[1]
def note():
    with open(os.path.join(pids, str(os.getpid())), "w"):
        pass
def nap():
    note()
    while True:
        time.sleep(1)
if os.fork() == 0:
    if os.fork() == 0:
        nap()
    nap()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        nap()
    os._exit(0)
if os.fork() == 0:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    nap()
note()
while len(os.listdir(pids)) < 5:
    time.sleep(0.01)
print("ready", flush=True)
while True:
    time.sleep(1)
"""

# What brqos itself does with it: stream it, and end in order at Ctrl-C or SIGTERM.
DRIVER = """
import sys
import typer
from brqos import process
from brqos.cli.session import running
process._GRACE_SECONDS = float(sys.argv[2])
app = typer.Typer()
@app.command()
def command() -> None:
    with running() as console:
        argv = [sys.executable, "-c", sys.stdin.read(), sys.argv[1]]
        process.stream(argv, on_line=lambda line: print(line, flush=True))
app(args=[])
"""


@pytest.fixture
def pids(tmp_path: Path) -> Path:
    folder = tmp_path / "pids"
    folder.mkdir()
    return folder


@pytest.fixture(autouse=True)
def _short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_GRACE_SECONDS", 0.5)


def _running(pids: Path) -> list[int]:
    numbers = [int(file.name) for file in pids.iterdir()]
    assert len(numbers) == 5
    return [pid for pid in numbers if psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE]


def _soon_gone(pids: Path) -> bool:
    deadline = time.monotonic() + 5
    while _running(pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not _running(pids)


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_error_in_the_middle_of_a_stream_stops_the_whole_tree(error: type[BaseException], pids: Path) -> None:
    def on_line(line: str) -> None:
        assert line == "ready"
        assert len(_running(pids)) == 5
        raise error

    with pytest.raises(error):
        process.stream([sys.executable, "-c", TREE, str(pids)], on_line=on_line)
    assert _soon_gone(pids)


def _driven(pids: Path, grace: float) -> "subprocess.Popen[bytes]":
    """A brqos that streams the tree, which is all there when this returns."""
    argv = [sys.executable, "-c", DRIVER, str(pids), str(grace)]
    driver = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert driver.stdin is not None
    assert driver.stdout is not None
    driver.stdin.write(TREE.encode())
    driver.stdin.close()
    assert driver.stdout.readline() == b"ready\n"
    assert len(_running(pids)) == 5
    return driver


@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_brqos_stops_the_whole_tree(which: signal.Signals, pids: Path) -> None:
    with _driven(pids, grace=0.5) as driver:
        driver.send_signal(which)
        assert driver.wait(timeout=20) == 130
        assert driver.stderr is not None
        assert b"interrupted" in driver.stderr.read()
    assert _soon_gone(pids)


def test_a_second_interrupt_stops_it_at_once(pids: Path) -> None:
    with _driven(pids, grace=60) as driver:
        driver.send_signal(signal.SIGINT)
        deadline = time.monotonic() + 10
        # All but the one that ignores SIGTERM are gone: brqos is waiting for that one now.
        while len(_running(pids)) > 1 and time.monotonic() < deadline:
            time.sleep(0.05)
        driver.send_signal(signal.SIGINT)
        assert driver.wait(timeout=20) == 130
    assert _soon_gone(pids)


def test_a_timeout_stops_the_whole_tree(pids: Path) -> None:
    with pytest.raises(process.TimedOut):
        process.run([sys.executable, "-c", TREE, str(pids)], timeout=2)
    assert _soon_gone(pids)


def test_processes_of_others_are_left_alone(pids: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as other:
        with pytest.raises(process.TimedOut):
            process.run([sys.executable, "-c", TREE, str(pids)], timeout=2)
        assert other.poll() is None
        other.kill()


def test_run() -> None:
    code = "import sys; print(sys.stdin.read() + '!'); print('told', file=sys.stderr); sys.exit(3)"
    done = process.run([sys.executable, "-c", code], stdin=b"hello", check=False)
    assert (done.status, done.text, done.stderr) == (3, "hello!\n", "told\n")
    with pytest.raises(process.ProcessError) as caught:
        process.run([sys.executable, "-c", code])
    assert caught.value.reason == "told"
    assert "ended with status 3" in str(caught.value)


def test_environment_is_added_to(tmp_path: Path) -> None:
    code = "import os; print(os.environ['OURS'], 'PATH' in os.environ, os.getcwd())"
    assert process.run([sys.executable, "-c", code], env={"OURS": "1"}, cwd=tmp_path).text.split() == [
        *("1", "True"),
        os.path.realpath(tmp_path),
    ]


def test_nothing_to_read() -> None:
    assert process.run([sys.executable, "-c", "import sys; print(repr(sys.stdin.read()))"]).text == "''\n"


def test_stream_hands_over_both_streams_line_by_line() -> None:
    lines: list[str] = []
    code = (
        "import sys\nprint('one', flush=True)\nprint('two', file=sys.stderr, flush=True)\n"
        "print('0 %\\r50 %\\r100 %', flush=True)\nsys.stdout.buffer.write(b'\\xff')\nsys.exit(4)"
    )
    assert process.stream([sys.executable, "-c", code], on_line=lines.append) == 4
    assert lines == ["one", "two", "100 %", "\ufffd"]


def test_a_program_that_is_not_there() -> None:
    with pytest.raises(ToolError, match="no-such-program") as caught:
        process.run(["no-such-program", "--flag"])
    assert "no-such-program --flag" in caught.value.why


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_what_a_killed_run_left_in_a_folder_is_stopped(tmp_path: Path) -> None:
    started = tmp_path / "started"
    code = (
        "from pathlib import Path; from brqos import process\n"
        f"words = ['sh', '-c', 'echo $$ > {started}; exec sleep 60']\n"
        f"process.stream(words, cwd=Path({str(tmp_path)!r}), on_line=print)"
    )
    brqos = subprocess.Popen([sys.executable, "-c", code])
    until(started.exists)
    until(lambda: started.read_text().strip() != "")
    left = psutil.Process(int(started.read_text()))
    brqos.kill()
    brqos.wait()
    assert left.is_running()
    assert not process.stop_left_over(tmp_path / "another")
    assert process.stop_left_over(tmp_path)
    until(lambda: not left.is_running() or left.status() == psutil.STATUS_ZOMBIE)
    assert not process.stop_left_over(tmp_path)


def test_the_administrators_programs_are_found_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "sbin" / "brqos-test-program"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho here\n")
    program.chmod(0o755)
    monkeypatch.setattr(process, "_ADMINISTRATORS", (str(program.parent),))
    assert process.find("brqos-test-program") == program
    assert process.run(["brqos-test-program"]).text == "here\n"


@pytest.mark.processes
def test_an_interrupt_while_a_program_is_started_leaves_it_not_running(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []

    class Interrupted(subprocess.Popen):
        def __init__(self, *words: object, **more: object) -> None:
            super().__init__(*words, **more)
            started.append(self)
            # As if somebody pressed Ctrl-C before anybody knows of the program.
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        process.run([sys.executable, "-c", "import time; time.sleep(60)"])
    assert len(started) == 1
    assert started[0].poll() is not None
