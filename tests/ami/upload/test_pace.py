"""The pace against simulated services: no thread, no second that really passes."""

import heapq
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brqos.ami.upload.pace import Pace
from brqos.aws.retry import StoppedError


class Service:
    """Answers after `latency`, and serves `per_second` puts at the most; more of them wait in a queue."""

    def __init__(self, latency: float, per_second: float, *, refuses_above: float | None = None) -> None:
        self.now = 0.0
        self.latency = latency
        self.spacing = 1 / per_second
        self.refuses_above = refuses_above
        self.served_until = 0.0
        self.done = 0
        self.refused = 0
        self.recent: list[float] = []

    def clock(self) -> float:
        return self.now

    def run(self, pace: Pace, seconds: float) -> float:
        """Keep as many puts under way as the pace allows; the puts a second of the second half."""
        under_way: list[tuple[float, int, object]] = []
        number, half = 0, None
        while self.now < seconds:
            while len(under_way) < pace.limit:
                turn = pace.turn(threading.Event())
                turn.__enter__()
                self.served_until = max(self.now, self.served_until) + self.spacing
                heapq.heappush(under_way, (self.served_until + self.latency, number, turn))
                number += 1
            self.now, _, ended = heapq.heappop(under_way)
            ended.__exit__(None, None, None)  # type: ignore[attr-defined]
            self.done += 1
            self._refuse(pace)
            if half is None and self.now > seconds / 2:
                half = (self.now, self.done)
        assert half is not None
        return (self.done - half[1]) / (self.now - half[0])

    def _refuse(self, pace: Pace) -> None:
        if self.refuses_above is None:
            return
        self.recent = [moment for moment in self.recent if moment > self.now - 1] + [self.now]
        if len(self.recent) > self.refuses_above:
            self.refused += 1
            pace.throttled()


def paced(service: Service, **fields: float) -> Pace:
    return Pace(clock=service.clock, per_second=fields.pop("per_second", 1e9), **fields)  # type: ignore[arg-type]


def test_a_far_service_gets_many_at_once() -> None:
    service = Service(latency=0.1, per_second=1e6)
    pace = paced(service)
    rate = service.run(pace, 30)
    assert pace.limit == 64
    assert rate == pytest.approx(640, rel=0.05)


def test_a_near_service_is_not_given_more_than_helps() -> None:
    service = Service(latency=0.002, per_second=900)
    pace = paced(service)
    rate = service.run(pace, 30)
    assert rate == pytest.approx(900, rel=0.05)
    assert pace.limit <= 16


def test_a_service_that_refuses_is_asked_less_often() -> None:
    service = Service(latency=0.05, per_second=1e6, refuses_above=300)
    pace = paced(service)
    rate = service.run(pace, 120)
    assert 100 < rate < 330
    assert service.refused / service.done < 0.3


def test_refusals_of_one_moment_count_once() -> None:
    pace = Pace(clock=lambda: 100.0)
    before = pace.limit
    for _ in range(50):
        pace.throttled()
    assert before > pace.limit >= before // 2


def test_the_quota_spaces_the_starts() -> None:
    pace = Pace(per_second=50.0)
    stop = threading.Event()
    import time

    began = time.monotonic()
    for _ in range(11):
        with pace.turn(stop):
            pass
    assert time.monotonic() - began >= 0.19


def test_a_stop_ends_the_waiting() -> None:
    stop = threading.Event()
    pace = Pace(most=1)
    with pace.turn(stop):
        stop.set()
        with pytest.raises(StoppedError), pace.turn(stop):
            pass
    stop.clear()
    with pace.turn(stop):
        pass


@settings(max_examples=20, deadline=None)
@given(
    latency=st.floats(0.0005, 0.5),
    per_second=st.floats(20, 5000),
    most=st.integers(1, 64),
)
def test_the_limit_stays_in_its_bounds(latency: float, per_second: float, most: int) -> None:
    service = Service(latency, per_second)
    pace = paced(service, most=most)
    service.run(pace, 4)
    assert 1 <= pace.limit <= most
