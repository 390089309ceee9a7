"""Builds of the emulated CodeBuild that really run: the rehearsal of a fleet, on this machine.

What CodeBuild's agent does (user guide, "Build specification reference" and "Build phase transitions"): the source is
unpacked, then the phases run their commands one after another in what behaves like one shell. Here each command has a
shell of its own, which begins with the folder and the exported variables that the one before left behind; what a shell
does not export (functions, options) is not handed on. Where install or pre_build fails nothing more runs; where build
does, post_build still runs, unless `on-failure` says ABORT.

The commands are the user's own, as they are for CodeBuild. They get this machine's environment without its AWS
configuration, and the emulator's endpoint and key.
"""

import contextlib
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from brqos import process
from brqos.errors import BrqosError
from brqos.rehearsal.archive import UnpackError, unpack
from brqos.rehearsal.emulator.codebuild.buildspec import PhaseSpec
from brqos.rehearsal.emulator.codebuild.runs import FAILED, FAULT, STOPPED, SUCCEEDED, Order, Phase

_BEFORE_BUILD = ("install", "pre_build")
# What of this machine's could lead a build to another AWS than the emulator's.
_FORGOTTEN = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CA_BUNDLE")
_NOWHERE = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
# $1 is the command, $2 a file with the exported variables, $3 one with the folder. The names are known to the trap
# alone: the command may set the parameters otherwise.
_ONE_COMMAND = """\
. "$2"
cd "$(cat "$3")" || exit
_codebuild_command=$1 _codebuild_exported=$2 _codebuild_folder=$3
set --
trap '_codebuild_status=$?; export -p >"$_codebuild_exported"; pwd >"$_codebuild_folder"; exit $_codebuild_status' EXIT
eval "$_codebuild_command"
"""


class ExecutingRunner:
    """Runs builds, at most `most` at once, each in a folder of its own below `folder` (by default the machine's)."""

    real = True

    def __init__(self, folder: Path | None = None, most: int = 2) -> None:
        self.most: int | None = most
        self._folder = folder
        self._runs: list[RealRun] = []

    def start(self, order: Order, now: float) -> "RealRun":
        """Run a build, in a thread."""
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
        run = RealRun(order, now, Path(tempfile.mkdtemp(prefix="brqos-codebuild-", dir=self._folder)))
        self._runs = [known for known in self._runs if known.alive] + [run]
        run.begin()
        return run

    def close(self) -> None:
        """End all runs, and wait for what they started."""
        for run in self._runs:
            run.stop(0.0, STOPPED)
        for run in self._runs:
            run.join()


class RealRun:
    """One build in a folder, which goes with it; its thread writes down what happens, and whoever asks reads it."""

    def __init__(self, order: Order, now: float, folder: Path) -> None:
        self._order = order
        self._lock = threading.Lock()
        self._phases = [Phase("PROVISIONING", now)]
        self._lines: list[tuple[float, str]] = []
        self._ended: float | None = None
        self._state = SUCCEEDED
        self._stopped = ""
        self._folder = folder
        self._thread = threading.Thread(target=self._work, name="codebuild-run", daemon=True)

    def begin(self) -> None:
        """Start the thread."""
        self._thread.start()

    def join(self) -> None:
        """Wait until nothing of it is left."""
        self._thread.join()

    @property
    def alive(self) -> bool:
        """Whether its thread still works."""
        return self._thread.is_alive()

    def phases(self, now: float) -> list[Phase]:
        """The phases that have begun."""
        with self._lock:
            return [Phase(it.type, it.started, it.ended, it.status, it.code, it.message) for it in self._phases]

    def ended(self) -> float | None:
        """When it has ended."""
        with self._lock:
            return self._ended

    def state(self) -> str:
        """How it has ended."""
        with self._lock:
            return self._stopped or self._state

    def lines(self, now: float) -> list[tuple[float, str]]:
        """What it has printed since the last time."""
        with self._lock:
            said, self._lines = self._lines, []
        return said

    def stop(self, now: float, state: str) -> None:
        """End it: whatever it has started is asked to end, and ended."""
        with self._lock:
            if self._ended is not None or self._stopped:
                return
            self._stopped = state
        threading.Thread(target=self._kill, name="codebuild-stop", daemon=True).start()

    def _kill(self) -> None:
        # A command may begin between two looks.
        while self.alive:
            process.stop_left_over(self._source)
            time.sleep(0.05)

    @property
    def _source(self) -> Path:
        return self._folder / "src"

    def _work(self) -> None:
        try:
            self._run()
        except Exception as error:  # noqa: BLE001 - as in CodeBuild: what is no fault of the build's is told to be so
            self._say(f"{type(error).__name__}: {error}")
            self._fail(FAULT, "INTERNAL_SERVICE_ERROR", str(error))
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)
            with self._lock:
                self._ended = self._order.clock()
        self._order.changed()

    def _run(self) -> None:
        self._next("DOWNLOAD_SOURCE")
        try:
            if self._order.spec.elsewhere:
                raise UnpackError(f"env/{self._order.spec.elsewhere[0]} is not there in a rehearsal")
            unpack(self._order.archive, self._source)
        except UnpackError as error:
            self._fail(FAILED, "CLIENT_ERROR", str(error))
            return
        shell = _Shell(self._order, self._folder, self._source)
        phases = {phase.name: phase for phase in self._order.spec.phases}
        for name in ("install", "pre_build", "build", "post_build"):
            self._next(name.upper())
            phase = phases.get(name)
            if phase is None or self._ran(phase, shell):
                continue
            if self._stopped or phase.on_failure == "ABORT":
                break
            if name in _BEFORE_BUILD and phase.on_failure != "CONTINUE":
                break
        for name in ("UPLOAD_ARTIFACTS", "FINALIZING"):
            self._next(name)
        self._end_phase()

    def _ran(self, phase: PhaseSpec, shell: "_Shell") -> bool:
        """Whether all commands of a phase succeeded."""
        self._say(f"Entering phase {phase.name.upper()}")
        failed = self._first_failure(phase.commands, shell)
        failed_at_last = self._first_failure(phase.at_last, shell)
        message = failed or failed_at_last
        if message:
            shell.failed()
            if self._stopped:
                # Whatever its commands came to, that is not why.
                self._fail(self._state, "", "")
                return False
            self._fail(FAILED, "COMMAND_EXECUTION_ERROR", message)
        self._say(f"Phase complete: {phase.name.upper()} State: {FAILED if message else SUCCEEDED}")
        if message:
            self._say(f"Phase context status code: COMMAND_EXECUTION_ERROR Message: {message}")
        return not message

    def _first_failure(self, commands: tuple[str, ...], shell: "_Shell") -> str:
        for command in commands:
            with self._lock:
                if self._stopped:
                    return "stopped"
            self._say(f"Running command {command.rstrip()}")
            status = shell.run(command, self._print)
            if status != 0:
                return f"Error while executing command: {command.rstrip()}. Reason: exit status {status}"
        return ""

    def _next(self, name: str) -> None:
        """End the phase before, if it has not failed, and begin one."""
        self._end_phase()
        with self._lock:
            self._phases.append(Phase(name, self._order.clock()))

    def _end_phase(self) -> None:
        with self._lock:
            last = self._phases[-1]
            if last.ended is None:
                last.end(self._order.clock(), self._stopped or SUCCEEDED)

    def _fail(self, state: str, code: str, message: str) -> None:
        with self._lock:
            self._state = state
            self._phases[-1].end(self._order.clock(), self._stopped or state, code, message)

    def _say(self, text: str) -> None:
        """What CodeBuild's agent says itself."""
        stamp = datetime.fromtimestamp(self._order.clock(), UTC).strftime("%Y/%m/%d %H:%M:%S.%f")
        self._print(f"[Container] {stamp} {text}")

    def _print(self, line: str) -> None:
        # An event without a message does not exist.
        with self._lock:
            self._lines.append((self._order.clock(), line or " "))


class _Shell:
    """Runs commands as if in one shell."""

    def __init__(self, order: Order, folder: Path, source: Path) -> None:
        self._shell = order.spec.shell
        self._source = source
        self._exported, self._folder = folder / "exported", folder / "folder"
        self._exported.write_text("")
        self._folder.write_text(f"{source}\n")
        self._environment: dict[str, str | None] = {
            **dict.fromkeys(_FORGOTTEN, None),
            **_NOWHERE,
            **order.variables,
            "CODEBUILD_SRC_DIR": str(source),
            "CODEBUILD_BUILD_SUCCEEDING": "1",
        }

    def failed(self) -> None:
        """Let the commands that follow know that one has failed."""
        self._environment["CODEBUILD_BUILD_SUCCEEDING"] = "0"
        with self._exported.open("a") as file:
            file.write("export CODEBUILD_BUILD_SUCCEEDING=0\n")

    def run(self, command: str, on_line: Callable[[str], None]) -> int:
        """Run one command; its exit status."""
        # It always starts in the same folder, by which whatever it leaves running is found again.
        argv = [self._shell, "-c", _ONE_COMMAND, "codebuild", command, str(self._exported), str(self._folder)]
        with contextlib.suppress(BrqosError):
            return process.stream(argv, on_line=on_line, cwd=self._source, env=self._environment)
        return 127
