import threading

import pytest

from brqos.ami.bounded import BoundedPool
from brqos.aws.retry import StoppedError


def test_everything_is_done() -> None:
    done: list[int] = []
    with BoundedPool(4, threading.Event(), "test") as pool:
        for index in range(50):
            pool.submit(lambda number, _: done.append(number), index, b"")
    assert sorted(done) == list(range(50))


def test_only_so_much_is_taken_ahead() -> None:
    gate, running, most = threading.Event(), 0, 0
    lock = threading.Lock()

    def call(_index: int, _data: bytes) -> None:
        nonlocal running
        gate.wait(5)
        with lock:
            running -= 1

    def feed(pool: BoundedPool) -> None:
        nonlocal running, most
        for index in range(20):
            with lock:
                running += 1
                most = max(most, running)
            pool.submit(call, index, b"")

    with BoundedPool(3, threading.Event(), "test") as pool:
        feeder = threading.Thread(target=feed, args=(pool,))
        feeder.start()
        feeder.join(0.3)
        assert most <= 7, "six are taken, the seventh waits"
        gate.set()
        feeder.join(5)


def test_a_failure_ends_it() -> None:
    def call(index: int, _data: bytes) -> None:
        if index == 3:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), BoundedPool(2, threading.Event(), "test") as pool:
        for index in range(10_000):
            pool.submit(call, index, b"")


def test_the_failure_of_the_last_call_is_heard_of() -> None:
    def call(_index: int, _data: bytes) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), BoundedPool(2, threading.Event(), "test") as pool:
        pool.submit(call, 0, b"")


def test_a_stop_ends_it() -> None:
    stop = threading.Event()
    with pytest.raises(StoppedError), BoundedPool(1, stop, "test") as pool:
        for index in range(10_000):
            pool.submit(lambda number, _: stop.set() if number == 5 else None, index, b"")
