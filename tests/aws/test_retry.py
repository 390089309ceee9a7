"""What is tried again, for how long, and what never is."""

import threading
from itertools import pairwise

import pytest

from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.retry import Retry, StoppedError


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def clock(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


class Failing:
    """Fails with one kind of error until the time has come."""

    def __init__(self, time: Time, kind: ErrorKind, until: float) -> None:
        self.time, self.kind, self.until, self.calls = time, kind, until, 0

    def __call__(self) -> str:
        self.calls += 1
        if self.time.now < self.until:
            raise AwsCallError("no", kind=self.kind)
        return "done"


@pytest.mark.parametrize(
    ("kind", "seconds"),
    [
        (ErrorKind.NOT_FOUND, 120),
        (ErrorKind.THROTTLED, 600),
        (ErrorKind.SERVER, 120),
        (ErrorKind.CONNECTION, 60),
    ],
)
def test_what_passes(kind: ErrorKind, seconds: float) -> None:
    time = Time()
    action = Failing(time, kind, seconds - 20)
    assert Retry().call(action, clock=time.clock, wait=time.wait) == "done"
    time = Time()
    action = Failing(time, kind, seconds + 30)
    with pytest.raises(AwsCallError):
        Retry().call(action, clock=time.clock, wait=time.wait)
    assert seconds - 15 <= time.now <= seconds


@pytest.mark.parametrize(
    "kind", [kind for kind in ErrorKind if kind not in Retry().seconds], ids=lambda kind: str(kind.value)
)
def test_nothing_else_is_tried_again(kind: ErrorKind) -> None:
    time = Time()
    action = Failing(time, kind, 0.001)
    with pytest.raises(AwsCallError):
        Retry().call(action, clock=time.clock, wait=time.wait)
    assert action.calls == 1
    assert kind not in (ErrorKind.NOT_FOUND, ErrorKind.THROTTLED, ErrorKind.SERVER)


def test_access_denied_is_among_them() -> None:
    assert ErrorKind.ACCESS_DENIED not in Retry().seconds


def test_the_pauses_grow_and_are_bounded() -> None:
    time, waits = Time(), []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        time.wait(seconds)

    Retry().call(Failing(time, ErrorKind.THROTTLED, 100), clock=time.clock, wait=wait)
    assert waits[0] <= 0.1
    assert max(waits) <= 10
    assert all(later >= 0.9 * earlier for earlier, later in pairwise(waits[:7]))


def test_without_a_kind() -> None:
    time = Time()
    action = Failing(time, ErrorKind.NOT_FOUND, 1)
    with pytest.raises(AwsCallError):
        Retry().limited(ErrorKind.NOT_FOUND, 0).call(action, clock=time.clock, wait=time.wait)
    assert action.calls == 1


def test_a_stop_ends_the_waiting() -> None:
    stop = threading.Event()

    def fail() -> None:
        stop.set()
        raise AwsCallError("no", kind=ErrorKind.THROTTLED)

    with pytest.raises(StoppedError):
        Retry(first_delay=60).call(fail, stop)
