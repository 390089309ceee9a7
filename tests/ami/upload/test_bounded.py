import threading

import pytest

from brqos.ami.upload.bounded import BoundedPool
from brqos.aws.retry import StoppedError


def pool(workers: int, ahead: int = 2, stop: threading.Event | None = None) -> BoundedPool:
    return BoundedPool(workers, ahead, stop or threading.Event(), "test")


def test_everything_is_done_when_the_batch_ends() -> None:
    done: list[int] = []
    with pool(4) as workers:
        with workers.batch() as batch:
            for index in range(50):
                batch.submit(done.append, index)
        assert sorted(done) == list(range(50))


def test_only_so_much_is_taken_ahead() -> None:
    gate, taken = threading.Event(), 0

    def feed(workers: BoundedPool) -> None:
        nonlocal taken
        with workers.batch() as batch:
            for _ in range(20):
                batch.submit(lambda: gate.wait(5) and None)
                taken += 1

    with pool(3, ahead=3) as workers:
        feeder = threading.Thread(target=feed, args=(workers,))
        feeder.start()
        feeder.join(0.3)
        assert taken == 6, "six are taken, the seventh waits"
        gate.set()
        feeder.join(5)
        assert taken == 20


def fail() -> None:
    raise ZeroDivisionError


def test_a_failure_ends_its_batch_and_no_other() -> None:
    done: list[int] = []
    with pool(2) as workers, workers.batch() as good:
        with pytest.raises(ZeroDivisionError), workers.batch() as bad:
            bad.submit(fail)
            for index in range(10_000):
                bad.submit(done.append, index)
        assert len(done) < 10_000
        good.submit(done.append, -1)
    assert -1 in done


def test_the_failure_of_the_last_call_is_heard_of() -> None:
    with pool(2) as workers, pytest.raises(ZeroDivisionError), workers.batch() as batch:
        batch.submit(fail)


def test_an_error_outside_of_the_calls_ends_what_waits() -> None:
    gate, done = threading.Event(), []

    def first() -> None:
        gate.wait(5)

    with pool(1, ahead=5) as workers:
        with pytest.raises(KeyError), workers.batch() as batch:
            batch.submit(first)
            for index in range(4):
                batch.submit(done.append, index)
            threading.Timer(0.1, gate.set).start()
            raise KeyError
        assert done == []


def test_a_stop_ends_it() -> None:
    stop = threading.Event()
    with pool(1, stop=stop) as workers, pytest.raises(StoppedError), workers.batch() as batch:
        for index in range(10_000):
            batch.submit(lambda number: stop.set() if number == 5 else None, index)
