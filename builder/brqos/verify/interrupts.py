"""Signals while something is in the cluster that has to be removed again."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

_ENDING = ("SIGINT", "SIGTERM", "SIGHUP")


class _Handler:
    """Ends the work as Ctrl-C does; once the cleaning is under way, a signal waits for its end."""

    def __init__(self) -> None:
        self.cleaning = False
        self.held_back = False

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        if not self.cleaning:
            raise KeyboardInterrupt
        self.held_back = True


@contextlib.contextmanager
def cleaned_after(clean: Callable[[], None]) -> Iterator[None]:
    """Run `clean` at the end of the body, however that comes: an error, Ctrl-C, a cancelled job, a closed terminal.

    Signals do not stop `clean` itself, so it has to end by its own; one that came meanwhile is raised afterwards.
    """
    handler = _Handler()
    with _handling(handler):
        try:
            try:
                yield
            finally:
                handler.cleaning = True
        finally:
            # Also reached where the line above was interrupted itself.
            handler.cleaning = True
            clean()
    if handler.held_back:
        raise KeyboardInterrupt


@contextlib.contextmanager
def _handling(handler: _Handler) -> Iterator[None]:
    before = {}
    if threading.current_thread() is threading.main_thread():
        for name in _ENDING:
            number = getattr(signal, name, None)
            # Whoever started us with nohup wants us to survive the terminal.
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, handler)
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)
