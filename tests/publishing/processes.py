"""Real processes by way of the zygote: emulators and runs of brqos, started in milliseconds, killed by real signals."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

TESTS = Path(__file__).resolve().parents[1]
_SECONDS = 120.0


class Zygote:
    """The process that forks all others; a context manager."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="brqos-zygote-")
        self._socket = str(Path(self._folder.name, "socket"))
        path = os.pathsep.join([str(TESTS), str(TESTS.parent / "builder")])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "publishing.zygote", self._socket],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n", "the zygote did not start"

    def connect(self, asked: Mapping[str, object]) -> socket.socket:
        """The connection to a new process."""
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(_SECONDS)
        connection.connect(self._socket)
        connection.sendall(json.dumps(asked).encode() + b"\n")
        return connection

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._folder.cleanup()


class AwsProcess:
    """An emulator in a process of its own, spoken to by its own paths; a context manager."""

    def __init__(self, zygote: Zygote, *argv: object) -> None:
        words = [str(word) for word in argv]
        self._connection = zygote.connect({"do": "emulator", "argv": ["--until-stdin-closes", *words]})
        lines = self._connection.makefile("r")
        self.endpoint = lines.readline().strip()
        self.environment = dict(lines.readline().strip().split("=", 1) for _ in range(2))
        assert self.endpoint, "the emulator did not start"

    def state(self, *, blocks: bool = True) -> dict[str, Any]:
        """All that there is."""
        return self._ask("GET", "state" if blocks else "state?blocks=no")

    def calls(self) -> dict[str, int]:
        """How often each operation was called."""
        return self._ask("GET", "calls")["calls"]

    def met(self) -> int:
        """How many faults calls have met."""
        return sum(self._ask("GET", "calls")["faults"].values())

    def script(self, script: Mapping[str, object]) -> None:
        """Have something go wrong."""
        self._ask("POST", "faults", script)

    def settings(self, settings: Mapping[str, object]) -> None:
        """Change the account's settings."""
        self._ask("POST", "settings", settings)

    def heal(self) -> None:
        """Nothing goes wrong any more."""
        self._ask("DELETE", "faults")

    def forward(self, seconds: float) -> None:
        """Set the clock forward."""
        self._ask("POST", "clock", {"forward": seconds})

    def _ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.endpoint}/_emulator/{path}", data, method=method)
        try:
            with _OPENER.open(request, timeout=_SECONDS) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"the emulator refuses {method} {path}: {error.read().decode()}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._connection.shutdown(socket.SHUT_WR)
        while self._connection.recv(4096):
            pass
        self._connection.close()


# No proxy of this machine knows what loopback is.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run has ended: its exit status (negative for a signal), and what it said."""

    status: int
    out: str
    err: str
    seconds: float

    @property
    def json(self) -> dict[str, Any]:
        """The result that `--json` prints."""
        return json.loads(self.out)

    @property
    def killed(self) -> bool:
        """Whether SIGKILL has ended it."""
        return self.status == -signal.SIGKILL

    @property
    def summary(self) -> str:
        """How it ended, and its last words."""
        return f"exit {self.status}\n{self.err[-3000:]}"


class BrqosRun:
    """A run of brqos that has not begun: its `pid` is known, and `go` lets it begin."""

    def __init__(self, zygote: Zygote, argv: list[str], environment: Mapping[str, str], folder: Path) -> None:
        self._files = [folder / f"run-{time.monotonic_ns()}.{kind}" for kind in ("out", "err")]
        for file in self._files:
            file.touch()
        self._connection = zygote.connect(
            {
                "do": "brqos",
                "argv": argv,
                "environment": dict(environment),
                "folder": str(folder),
                "output": str(self._files[0]),
                "errors": str(self._files[1]),
            }
        )
        self._lines = self._connection.makefile("r")
        self.pid = int(self._lines.readline())
        self._began = time.monotonic()

    def go(self) -> Self:
        """Let it begin."""
        self._connection.sendall(b"go\n")
        self._began = time.monotonic()
        return self

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it has not ended by now."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def said(self) -> str:
        """What it has said on standard error by now."""
        return self._files[1].read_text(errors="replace")

    def wait(self, seconds: float = _SECONDS) -> Ended:
        """Wait for its end; a run that takes longer than `seconds` is killed, which is a failure."""
        self._connection.settimeout(seconds)
        try:
            status = int(self._lines.readline())
        except TimeoutError:
            self.send(signal.SIGKILL)
            raise AssertionError(f"brqos did not end within {seconds:.0f} s:\n{self.said()[-3000:]}") from None
        finally:
            self._connection.close()
        out, err = (file.read_text(errors="replace") for file in self._files)
        for file in self._files:
            file.unlink()
        return Ended(status, out, err, time.monotonic() - self._began)


def until(condition: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    """Wait for something; AssertionError with `what` if it does not come."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)
