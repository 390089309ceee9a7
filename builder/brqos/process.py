"""The one place where processes are started.

Every program runs without a shell, with standard input closed unless something is handed to it, and in a session of
its own, so that an interrupt reaches brqos first and brqos takes the whole tree of processes down with it. What ran,
and how it ended, is told in the error so that a person can paste it.
"""

import contextlib
import hashlib
import os
import shlex
import shutil
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from brqos.errors import ToolError

# Every process that we start inherits this variable: a child that left its session and its parent is still found by it.
_COOKIE = "BRQOS_PROCESS_TREE"
_GRACE_SECONDS = 5.0
_ADMINISTRATORS = ("/usr/local/sbin", "/usr/sbin", "/sbin")

# What `run` raises after its timeout, for those who may not import subprocess.
TimedOut = subprocess.TimeoutExpired


@dataclass(frozen=True, slots=True)
class Completed:
    """A program that ended: its exit status and all that it printed."""

    argv: tuple[str, ...]
    status: int
    stdout: bytes
    stderr: str

    @property
    def text(self) -> str:
        """Standard output as text."""
        return self.stdout.decode(errors="replace")


class ProcessError(Exception):
    """A program ended with another status than 0; the stage that ran it says what that means."""

    def __init__(self, completed: Completed) -> None:
        super().__init__(f"{command_line(completed.argv)} ended with status {completed.status}")
        self.completed = completed

    @property
    def reason(self) -> str:
        """The last lines that the program printed about its failure."""
        lines = [line for line in self.completed.stderr.splitlines() if line.strip()]
        return "\n".join(lines[-5:]) or str(self)


def command_line(argv: Sequence[str]) -> str:
    """The command as a person would type it."""
    return shlex.join(argv)


def find(program: str) -> Path | None:
    """Where the program is, on the PATH or among the administrator's, or None."""
    found = shutil.which(program, path=_search_path(os.environ))
    return Path(found) if found else None


def _search_path(environment: Mapping[str, str]) -> str:
    # Debian keeps programs such as debugfs and veritysetup from other users' PATH, who can run them all the same.
    return os.pathsep.join([environment.get("PATH", os.defpath), *_ADMINISTRATORS])


def run(
    argv: Sequence[str | os.PathLike[str]],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str | None] | None = None,
    stdin: bytes | None = None,
    check: bool = True,
    timeout: float | None = None,
) -> Completed:
    """Run a program to its end and return what it printed.

    `env` is added to our own environment; None takes a variable out of it. Raises ToolError if the program is not
    there, ProcessError for a status other than 0 (unless `check` is false), subprocess.TimeoutExpired after `timeout`
    seconds.
    """
    words = tuple(os.fspath(word) for word in argv)
    with _started(words, cwd, env, subprocess.PIPE, stdin is not None) as process:
        try:
            out, err = process.communicate(stdin, timeout=timeout)
        except BaseException:
            stop_tree(process.pid, _cookie_of(process))
            raise
    completed = Completed(words, process.returncode, out or b"", (err or b"").decode(errors="replace"))
    if check and completed.status != 0:
        raise ProcessError(completed)
    return completed


def stream(
    argv: Sequence[str | os.PathLike[str]],
    *,
    on_line: Callable[[str], None],
    cwd: Path | None = None,
    env: Mapping[str, str | None] | None = None,
) -> int:
    """Run a program and hand over each line of its output (both streams, as they come); return its exit status.

    On an interrupt, or if `on_line` raises, the whole tree of processes is stopped before the exception goes on.
    """
    words = tuple(os.fspath(word) for word in argv)
    with _started(words, cwd, env, subprocess.STDOUT, False) as process:
        assert process.stdout is not None
        try:
            for line in _lines(process.stdout):
                on_line(line)
            return process.wait()
        except BaseException:
            stop_tree(process.pid, _cookie_of(process))
            raise


@contextlib.contextmanager
def _started(
    argv: tuple[str, ...], cwd: Path | None, env: Mapping[str, str | None] | None, stderr: int, with_input: bool
) -> Iterator[subprocess.Popen[bytes]]:
    cookie = f"{_mark(cwd)}{uuid.uuid4().hex}"
    changed = {**os.environ, **(env or {}), _COOKIE: cookie}
    environment = {name: value for name, value in changed.items() if value is not None}
    process: subprocess.Popen[bytes] | None = None
    try:
        with _interrupts_kept():
            process = subprocess.Popen(
                argv,
                cwd=cwd,
                env={**environment, "PATH": _search_path(environment)},
                stdin=subprocess.PIPE if with_input else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                start_new_session=True,
            )
        process.brqos_cookie = cookie  # type: ignore[attr-defined]
        with process:
            yield process
    except FileNotFoundError as error:
        if process is not None or (cwd is not None and not cwd.is_dir()):
            raise
        raise ToolError(
            f"the program “{argv[0]}” is not installed",
            why=f"Needed for: {command_line(argv)}",
            todo="Install it, or see `brqos doctor` for all that is missing and how to get it.",
        ) from error
    except BaseException:
        if process is not None:
            stop_tree(process.pid, cookie)
        raise


@contextlib.contextmanager
def _interrupts_kept() -> Iterator[None]:
    """Let an interrupt wait until a process that has just been started is known: it would be left running.

    Handlers are put in place, and no signal is blocked: a program inherits what is blocked, and not handlers.
    """
    if threading.current_thread() is not threading.main_thread():
        # Interrupts are raised in the main thread only.
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    handlers = {number: handler for number, handler in before.items() if callable(handler)}
    caught: list[int] = []
    for number in handlers:
        signal.signal(number, lambda received, _frame: caught.append(received))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if caught:
        handlers[signal.Signals(caught[0])](caught[0], None)


def _cookie_of(process: "subprocess.Popen[bytes]") -> str:
    return str(process.brqos_cookie)  # type: ignore[attr-defined]


def _lines(stream: IO[bytes]) -> Iterator[str]:
    # A progress bar rewrites its line with carriage returns: only what stood there last is worth keeping.
    for raw in stream:
        yield raw.decode(errors="replace").rstrip("\r\n").rpartition("\r")[2]


def stop_left_over(cwd: Path) -> bool:
    """Stop what a brqos that was killed left running in a folder; whether there was anything.

    Whoever calls this holds the lock on the folder, so nothing that runs there is anybody else's.
    """
    return stop_tree(None, _mark(cwd))


def _mark(cwd: Path | None) -> str:
    """What the cookies of all processes of one folder begin with."""
    return hashlib.sha256(os.fspath((cwd or Path.cwd()).absolute()).encode()).hexdigest()[:12] + "-"


def stop_tree(pid: int | None, cookie: str) -> bool:
    """Stop a process that we started and all that came of it: first politely, after five seconds by force.

    What belongs to it is found by its parents, and by the cookie (or its beginning) in its environment. Returns whether
    there was anything to stop.
    """
    import psutil

    def alive() -> list[psutil.Process]:
        found: dict[int, psutil.Process] = {}
        if pid is not None:
            with contextlib.suppress(psutil.Error):
                root = psutil.Process(pid)
                found = {process.pid: process for process in [root, *root.children(recursive=True)]}
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.pid != os.getpid() and process.environ().get(_COOKIE, "").startswith(cookie):
                    found[process.pid] = process
        left = []
        for process in found.values():
            # One that is gone by now must not hide those that are not.
            with contextlib.suppress(psutil.Error):
                if process.status() != psutil.STATUS_ZOMBIE:
                    left.append(process)
        return left

    deadline = time.monotonic() + _GRACE_SECONDS
    first = alive()
    for process in first:
        with contextlib.suppress(psutil.Error):
            process.send_signal(signal.SIGTERM)
    # A second Ctrl-C means: not so politely.
    with contextlib.suppress(KeyboardInterrupt):
        while alive() and time.monotonic() < deadline:
            time.sleep(0.05)
    for process in alive():
        with contextlib.suppress(psutil.Error):
            process.kill()
    return bool(first)
