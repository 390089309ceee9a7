"""A pool of threads that takes only so much work ahead, and ends at the first failure."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from brqos.aws.retry import StoppedError


class BoundedPool:
    """A context manager: `submit` waits while `workers` calls are under way and as many are waiting.

    The first exception of a call is raised by the next `submit`, or at the end; then nothing more is begun. All calls
    have ended when the context is left.
    """

    def __init__(self, workers: int, stop: threading.Event, name: str) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix=name)
        self._gate = threading.BoundedSemaphore(2 * workers)
        self._stop = stop
        self._errors: list[BaseException] = []

    def submit(self, call: Callable[[int, bytes], None], index: int, data: bytes) -> None:
        """Have it done; raises what an earlier call raised, or StoppedError."""
        while not self._gate.acquire(timeout=0.2):
            self._check()
        try:
            self._check()
            future = self._pool.submit(call, index, data)
        except BaseException:
            self._gate.release()
            raise
        future.add_done_callback(self._done)

    def _done(self, future: Future[None]) -> None:
        self._gate.release()
        if not future.cancelled() and (error := future.exception()) is not None:
            self._errors.append(error)

    def _check(self) -> None:
        if self._stop.is_set():
            raise StoppedError
        if self._errors:
            raise self._errors[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=kind is not None)
        if kind is None:
            self._check()
