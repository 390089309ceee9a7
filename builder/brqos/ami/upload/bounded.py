"""A pool of threads that takes only so much work ahead, shared by batches of which each ends at its first failure."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import ParamSpec, Self

from brqos.aws.retry import StoppedError

_P = ParamSpec("_P")
_LOOK_SECONDS = 0.2


class BoundedPool:
    """A context manager: at most `workers` calls are under way, and at most `ahead` more are waiting.

    All calls have ended when the context is left.
    """

    def __init__(self, workers: int, ahead: int, stop: threading.Event, name: str) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix=name)
        self._gate = threading.BoundedSemaphore(workers + ahead)
        self._stop = stop

    def batch(self) -> "Batch":
        """A context manager for calls that belong together; several may be open at once, in threads of their own."""
        return Batch(self._pool, self._gate, self._stop)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=kind is not None)


class Batch:
    """Calls that belong together.

    The first exception of a call is raised by the next `submit`, or when the context is left; then nothing more is
    begun. All of its calls have ended when the context is left.
    """

    def __init__(self, pool: ThreadPoolExecutor, gate: threading.BoundedSemaphore, stop: threading.Event) -> None:
        self._pool = pool
        self._gate = gate
        self._stop = stop
        self._lock = threading.Lock()
        self._open: set[Future[None]] = set()
        self._errors: list[BaseException] = []

    def submit(self, call: Callable[_P, None], *args: _P.args, **kwargs: _P.kwargs) -> None:
        """Have it done, as soon as there is room; raises what an earlier call raised, or StoppedError."""
        while not self._gate.acquire(timeout=_LOOK_SECONDS):
            self._check()
        try:
            self._check()
            future = self._pool.submit(call, *args, **kwargs)
        except BaseException:
            self._gate.release()
            raise
        with self._lock:
            self._open.add(future)
        future.add_done_callback(self._done)

    def _done(self, future: Future[None]) -> None:
        self._gate.release()
        with self._lock:
            self._open.discard(future)
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
        while waiting := self._waiting():
            if kind is not None or self._errors or self._stop.is_set():
                for future in waiting:
                    future.cancel()
            wait(waiting, timeout=_LOOK_SECONDS)
        if kind is None:
            self._check()

    def _waiting(self) -> set[Future[None]]:
        # One that has ended is among them until its error is noted.
        with self._lock:
            return set(self._open)
