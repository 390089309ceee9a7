"""Many regions at once."""

import threading
import time

import pytest

from brqos.ami import everywhere as everywhere_module
from brqos.ami.everywhere import WORKERS, everywhere, told
from brqos.errors import AwsError


def test_a_failure_hides_nobody() -> None:
    def work(region: str) -> str:
        if region == "b":
            raise AwsError("no", why="because")
        return region.upper()

    outcome = everywhere(["c", "b", "a", "c"], work)
    assert outcome.results == {"c": "C", "a": "A"}
    assert list(outcome.results) == ["c", "a"], "in the order that was asked for"
    assert told(outcome.failures) == "b: no\nbecause"


def test_a_bug_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        everywhere(["a", "b"], lambda _: 1 / 0)


def test_an_interrupt_stops_the_others() -> None:
    stop = threading.Event()

    def work(region: str) -> bool:
        if region == "a":
            raise KeyboardInterrupt
        return stop.wait(10)

    with pytest.raises(KeyboardInterrupt):
        everywhere(["a", "b"], work, stop=stop)
    assert stop.is_set()


def test_so_many_at_once_and_no_more() -> None:
    under_way, most, lock = 0, 0, threading.Lock()
    gate = threading.Barrier(WORKERS, timeout=10)

    def work(region: str) -> None:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        gate.wait()
        with lock:
            under_way -= 1

    everywhere([str(number) for number in range(2 * WORKERS)], work)
    assert most == WORKERS


def test_no_region() -> None:
    assert everywhere([], lambda _: 1 / 0).results == {}


def test_an_interrupt_does_not_wait_for_calls_that_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(everywhere_module, "_GRACE_SECONDS", 0.2)
    stop, hang = threading.Event(), threading.Event()

    def work(region: str) -> None:
        if region == "a":
            raise KeyboardInterrupt
        hang.wait(30)

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        everywhere(["a", "b"], work, stop=stop)
    assert stop.is_set()
    assert time.monotonic() - began < 20, "the one that hangs is left behind"
    hang.set()
