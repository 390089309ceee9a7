"""What runs a build: the interface between the emulated service and whoever gives its builds their lives."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from brqos.rehearsal.emulator.codebuild.buildspec import Buildspec

SUCCEEDED, FAILED, FAULT, TIMED_OUT, STOPPED = "SUCCEEDED", "FAILED", "FAULT", "TIMED_OUT", "STOPPED"


@dataclass(slots=True)
class Phase:
    """A phase of a build or a batch; times are the store's. `code` and `message` say why it went wrong."""

    type: str
    started: float
    ended: float | None = None
    status: str | None = None
    code: str = ""
    message: str = ""

    def end(self, now: float, status: str = SUCCEEDED, code: str = "", message: str = "") -> None:
        """It is over."""
        self.ended, self.status, self.code, self.message = now, status, code, message


@dataclass(frozen=True, slots=True)
class Order:
    """A build that is to be run.

    `variables` is its whole environment beside that of the machine, `archive` the source (a ZIP). `put` writes into the
    emulated S3 (bucket, key, bytes); `clock` is the store's. `changed` may be called from any thread but not under a
    lock, and lets the service see what has become of the run.
    """

    build: str
    project: str
    identifier: str
    region: str
    account: str
    spec: Buildspec
    variables: Mapping[str, str]
    archive: bytes
    put: Callable[[str, str, bytes], None]
    clock: Callable[[], float]
    changed: Callable[[], None]


class Run(Protocol):
    """A build that was started. All methods are called with the store locked, and must not wait."""

    def phases(self, now: float) -> list[Phase]:
        """The phases that have begun by now, from PROVISIONING on."""

    def ended(self) -> float | None:
        """When it ends or has ended; None as long as nobody knows."""

    def state(self) -> str:
        """How it ends."""

    def lines(self, now: float) -> list[tuple[float, str]]:
        """What it has printed by now and since the last time."""

    def stop(self, now: float, state: str) -> None:
        """End it, in STOPPED or TIMED_OUT."""


class Runner(Protocol):
    """Starts runs."""

    @property
    def most(self) -> int | None:
        """How many may run at once, beside the limit of the account."""

    @property
    def real(self) -> bool:
        """Whether runs go on by themselves, so that the service has to look after them without being asked."""

    def start(self, order: Order, now: float) -> Run:
        """Run a build from now on."""

    def close(self) -> None:
        """End all runs and forget them; waits until nothing of them is left."""
