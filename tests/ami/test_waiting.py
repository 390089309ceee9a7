import threading

import pytest

from brqos.ami.waiting import wait_until
from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.retry import StoppedError


class Time:
    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def clock(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


def test_it_looks_until_there_is_something() -> None:
    time = Time()
    found = wait_until(lambda: "x" if time.now > 300 else None, 600, clock=time.clock, pause=time.pause)
    assert found == "x"
    assert 300 < time.now < 311
    assert (time.pauses[0], max(time.pauses)) == (0.1, 10)


def test_it_gives_up() -> None:
    time = Time()
    assert wait_until(lambda: None, 60, clock=time.clock, pause=time.pause) is None
    assert 60 <= time.now < 61


def test_not_found_is_not_yet_for_two_minutes() -> None:
    time = Time()

    def look(until: float) -> str:
        if time.now < until:
            raise AwsCallError("no", kind=ErrorKind.NOT_FOUND)
        return "x"

    assert wait_until(lambda: look(100), 600, clock=time.clock, pause=time.pause) == "x"
    time.now = 0
    with pytest.raises(AwsCallError):
        wait_until(lambda: look(300), 600, clock=time.clock, pause=time.pause)
    assert 120 < time.now < 140


def test_other_errors_end_it() -> None:
    def look() -> None:
        raise AwsCallError("no", kind=ErrorKind.ACCESS_DENIED)

    with pytest.raises(AwsCallError):
        wait_until(look, 600)


def test_a_stop_ends_it() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(StoppedError):
        wait_until(lambda: None, 600, stop=stop)
