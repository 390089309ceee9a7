"""Faults on demand: the tests say which call shall go wrong, how, and how often; or let chance say it.

    emulator.faults.inject("PutSnapshotBlock", Fault(kind="throttled"), skip=3, times=2)
    emulator.faults.inject("CompleteSnapshot", Fault(reset="answer", after_effect=True))
    emulator.faults.mix({Fault(kind="throttled"): 3, Fault(reset="body"): 1}, 0.05, {"PutSnapshotBlock"}, seed=1)
    emulator.faults.unknown_after_start = 2.0

In a process of its own the emulator takes the same as a script: see `fault_script`.
"""

import random
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass

PID_HEADER = "x-emulator-client-pid"
"""The header in which a client may say its process id."""
BY_HEADER = -1
"""As `kill`: the process that the request's PID_HEADER names."""


@dataclass(frozen=True, slots=True)
class Fault:
    """How one call goes wrong. With `after_effect` the call is carried out, and only its answer is lost or spoilt.

    - `code`, `status`, `message`, `reason`: an error of the service's own; or `kind`, one of `errors.KINDS`, for the
      one that this service uses for it (throttled, expired, denied, internal, unavailable, unknown-key).
    - `location`: a redirect (by `status`, such as 307) to there.
    - `drop`: the connection is closed instead of answering.
    - `reset`: it is reset, "body" in the middle of the request's body, "answer" in the middle of the answer (which
      implies that the call is carried out), "now" in between.
    - `hang`: so many seconds pass first. `slow`: the answer takes so many seconds, piece by piece.
    - `kill`: SIGKILL to this process, before or (with `after_effect`) after the call; BY_HEADER: see there.
    """

    code: str = ""
    status: int = 500
    message: str = "injected"
    reason: str = ""
    drop: bool = False
    hang: float = 0.0
    after_effect: bool = False
    kind: str = ""
    location: str = ""
    reset: str = ""
    slow: float = 0.0
    kill: int = 0


@dataclass(slots=True)
class _Waiting:
    fault: Fault
    skip: int
    times: int
    region: str | None

    def takes(self, region: str) -> bool:
        """Whether this call is the one; counts it."""
        if self.times <= 0 or (self.region is not None and self.region != region):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.times -= 1
        return True


@dataclass(slots=True)
class _Mix:
    faults: list[Fault]
    weights: list[float]
    probability: float
    operations: Collection[str]
    limit: int
    dice: random.Random

    def throw(self, operation: str) -> Fault | None:
        """One call's fate."""
        if self.limit <= 0 or (self.operations and operation not in self.operations):
            return None
        if self.dice.random() >= self.probability:
            return None
        self.limit -= 1
        return self.dice.choices(self.faults, self.weights)[0]


@dataclass(slots=True)
class _Failing:
    snapshots: int = 0
    images: int = 0
    copies: int = 0


class Faults:
    """The faults that wait for their calls; safe to use from any thread.

    `unknown_after_start`: for so many seconds after StartSnapshot, EBS direct says of the snapshot that it does not
    exist (404), as the service may for about two minutes. `unknown_after_making`: the same for DescribeImages and
    DescribeSnapshots by id, after RegisterImage, CopyImage and CompleteSnapshot.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, list[_Waiting]] = {}
        self._mixes: list[_Mix] = []
        self._failing = _Failing()
        self.met: dict[str, int] = {}
        self.unknown_after_start = 0.0
        self.unknown_after_making = 0.0

    @property
    def waiting(self) -> bool:
        """Whether anything may go wrong at all."""
        return bool(self._waiting or self._mixes)

    def inject(self, operation: str, fault: Fault, *, times: int = 1, skip: int = 0, region: str | None = None) -> None:
        """After `skip` good calls the next `times` of `operation` (such as `PutSnapshotBlock`) go wrong.

        With `region` only the calls of that region count.
        """
        with self._lock:
            self._waiting.setdefault(operation, []).append(_Waiting(fault, skip, times, region))

    def mix(
        self,
        weights: Mapping[Fault, float],
        probability: float,
        operations: Collection[str] = (),
        *,
        seed: int = 0,
        limit: int = 1 << 30,
    ) -> None:
        """Each call of `operations` (all, if empty) meets one of the faults with this probability, `limit` in all."""
        with self._lock:
            dice = random.Random(seed)  # noqa: S311 - a test has to be able to repeat it
            self._mixes.append(_Mix(list(weights), list(weights.values()), probability, operations, limit, dice))

    def fail_snapshots(self, count: int = 1) -> None:
        """The next `count` snapshots that are completed end in the state `error`."""
        with self._lock:
            self._failing.snapshots += count

    def fail_images(self, count: int = 1) -> None:
        """The next `count` images that are registered end in the state `failed`."""
        with self._lock:
            self._failing.images += count

    def fail_copies(self, count: int = 1) -> None:
        """The next `count` images that are copied end in the state `failed`."""
        with self._lock:
            self._failing.copies += count

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        with self._lock:
            self._waiting.clear()
            self._mixes.clear()
            self._failing = _Failing()
            self.unknown_after_start = self.unknown_after_making = 0.0

    def next_for(self, operation: str, region: str = "") -> Fault | None:
        """The fault that this call meets, if any; it is used up."""
        # Nothing waits in most calls, and block puts are many: what is read here is replaced, never half changed.
        if not self.waiting:
            return None
        with self._lock:
            fault = self._chosen(operation, region)
            if fault is not None:
                self.met[operation] = self.met.get(operation, 0) + 1
            return fault

    def _chosen(self, operation: str, region: str) -> Fault | None:
        for waiting in self._waiting.get(operation, ()):
            if waiting.takes(region):
                return waiting.fault
        for mix in self._mixes:
            if (fault := mix.throw(operation)) is not None:
                return fault
        return None

    def snapshot_fails(self) -> bool:
        """Whether the snapshot that is being completed shall fail."""
        with self._lock:
            self._failing.snapshots, fails = max(0, self._failing.snapshots - 1), self._failing.snapshots > 0
        return fails

    def image_fails(self) -> bool:
        """Whether the image that is being registered shall fail."""
        with self._lock:
            self._failing.images, fails = max(0, self._failing.images - 1), self._failing.images > 0
        return fails

    def copy_fails(self) -> bool:
        """Whether the image that is being copied shall fail."""
        with self._lock:
            self._failing.copies, fails = max(0, self._failing.copies - 1), self._failing.copies > 0
        return fails
