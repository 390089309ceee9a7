"""Faults on demand: the tests say which call shall go wrong, how, and how often."""

import threading
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """How one call goes wrong.

    `code` and `status` make an error of the service's own. `drop` closes the connection instead of answering;
    `hang` waits so many seconds first. With `after_effect` the call is carried out, and only its answer is lost.
    """

    code: str = ""
    status: int = 500
    message: str = "injected"
    reason: str = ""
    drop: bool = False
    hang: float = 0.0
    after_effect: bool = False


@dataclass(slots=True)
class _Waiting:
    fault: Fault
    skip: int
    times: int


class Faults:
    """The faults that wait for their calls; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, list[_Waiting]] = {}
        self._failing_snapshots = 0
        self._failing_images = 0

    def inject(self, operation: str, fault: Fault, *, times: int = 1, skip: int = 0) -> None:
        """After `skip` good calls the next `times` of `operation` (such as `PutSnapshotBlock`) go wrong."""
        with self._lock:
            self._waiting.setdefault(operation, []).append(_Waiting(fault, skip, times))

    def fail_snapshots(self, count: int = 1) -> None:
        """The next `count` snapshots that are completed end in the state `error`."""
        with self._lock:
            self._failing_snapshots += count

    def fail_images(self, count: int = 1) -> None:
        """The next `count` images that are registered end in the state `failed`."""
        with self._lock:
            self._failing_images += count

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        with self._lock:
            self._waiting.clear()
            self._failing_snapshots = self._failing_images = 0

    def next_for(self, operation: str) -> Fault | None:
        """The fault that this call meets, if any; it is used up."""
        with self._lock:
            for waiting in self._waiting.get(operation, ()):
                if waiting.skip > 0:
                    waiting.skip -= 1
                elif waiting.times > 0:
                    waiting.times -= 1
                    return waiting.fault
        return None

    def snapshot_fails(self) -> bool:
        """Whether the snapshot that is being completed shall fail."""
        with self._lock:
            self._failing_snapshots, failing = max(0, self._failing_snapshots - 1), self._failing_snapshots > 0
        return failing

    def image_fails(self) -> bool:
        """Whether the image that is being registered shall fail."""
        with self._lock:
            self._failing_images, failing = max(0, self._failing_images - 1), self._failing_images > 0
        return failing
