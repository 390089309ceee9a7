"""Log events, held against moto and the emulator alike; pages and lateness against the emulator."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import boto3
import moto
import pytest

from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.logs import Logs
from brqos.aws.session import AwsSession
from brqos.rehearsal.emulator import ACCESS_KEY, ACCOUNT, SECRET_KEY, Emulator, Fault

pytestmark = pytest.mark.loopback

REGION = "eu-west-1"
GROUP = "/aws/codebuild/brqos"
# moto takes no events that are older than two weeks.
NOW = int(time.time()) * 1000


@dataclass(frozen=True)
class Place:
    """Logs, and how something gets there: stream, milliseconds after NOW, message."""

    logs: Logs
    say: Callable[[str, int, str], None]


@pytest.fixture
def place(emulator: Emulator) -> Place:
    def say(stream: str, after: int, message: str) -> None:
        emulator.store.logs.say(ACCOUNT, REGION, GROUP, stream, (NOW + after) / 1000, message)

    emulator.store.forward = 3600
    return Place(AwsSession(endpoint=emulator.endpoint, credentials=(ACCESS_KEY, SECRET_KEY)).logs(REGION), say)


@pytest.fixture(params=["moto", "emulator"])
def either(request: pytest.FixtureRequest) -> Iterator[Place]:
    """Logs as moto has them, and as the emulator does."""
    if request.param == "emulator":
        yield request.getfixturevalue("place")
        return
    with moto.mock_aws():
        client = boto3.client("logs", REGION, aws_access_key_id="testing", aws_secret_access_key="testing")
        streams: set[str] = set()

        def say(stream: str, after: int, message: str) -> None:
            if not streams:
                client.create_log_group(logGroupName=GROUP)
            if stream not in streams:
                client.create_log_stream(logGroupName=GROUP, logStreamName=stream)
                streams.add(stream)
            event = {"timestamp": NOW + after, "message": message}
            client.put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=[event])

        yield Place(Logs(client, REGION, None), say)


def told(place: Place, **asked: object) -> list[tuple[str, int, str]]:
    """Stream, milliseconds after NOW, and message of all events."""
    return [
        (event.stream, event.time - NOW, event.message)
        for event in place.logs.events(GROUP, **{"since": NOW, **asked})  # type: ignore[arg-type]
    ]


def test_a_group_that_is_not_there_yet_says_nothing(either: Place) -> None:
    assert told(either) == []
    assert either.logs.tail(GROUP, "one", 5) == []
    either.say("one", 0, "x")
    assert either.logs.tail(GROUP, "two", 5) == []


A, B, C, D = ("one", 0, "a"), ("two", 1, "b"), ("one", 2, "c"), ("two", 5, "d")


def test_events_of_all_streams(either: Place) -> None:
    for stream, after, message in (A, B, C, D):
        either.say(stream, after, message)
    # moto tells one stream after the other.
    assert set(told(either)) == {A, B, C, D}
    assert set(told(either, since=NOW + 1)) == {B, C, D}
    assert set(told(either, since=NOW + 1, until=NOW + 5)) == {B, C}
    assert told(either, streams=["two"]) == [B, D]


def test_events_come_in_their_order(place: Place) -> None:
    for stream, after, message in (C, A, D, B):
        place.say(stream, after, message)
    assert told(place) == [A, B, C, D]


def test_an_event_has_the_same_id_whenever_it_is_asked_for(either: Place) -> None:
    either.say("one", 0, "a")
    either.say("one", 0, "a")
    first, again = ([event.id for event in either.logs.events(GROUP, since=NOW)] for _ in range(2))
    assert first == again and len(set(first)) == 2


def test_a_pattern_of_quoted_words(either: Place) -> None:
    for message in ("::brqos:: stage", "something else", "a ::brqos:: b"):
        either.say("one", 0, message)
    assert [message for _, _, message in told(either, pattern='"::brqos::"')] == ["::brqos:: stage", "a ::brqos:: b"]


def test_the_end_of_a_stream(either: Place) -> None:
    for number in range(7):
        either.say("one", number, str(number))
    either.say("two", 9, "other")
    assert either.logs.tail(GROUP, "one", 3) == ["4", "5", "6"]
    assert either.logs.tail(GROUP, "one", 50) == [str(number) for number in range(7)]


def test_empty_pages_are_not_the_end(emulator: Emulator, place: Place) -> None:
    for number in range(30):
        place.say("one", number, "found" if number in (0, 29) else "other")
    emulator.store.logs.scanned = 4
    assert [after for _, after, _ in told(place, pattern="found")] == [0, 29]
    assert emulator.calls["FilterLogEvents"] == 8


def test_pages_are_asked_for_as_they_are_read(emulator: Emulator, place: Place) -> None:
    for number in range(10):
        place.say("one", number, "x")
    emulator.store.logs.scanned = 2
    next(place.logs.events(GROUP, since=NOW))
    assert emulator.calls["FilterLogEvents"] == 1


def test_the_end_comes_in_pages_too(emulator: Emulator, place: Place) -> None:
    for number in range(25):
        place.say("one", number, str(number))
    emulator.faults.inject("GetLogEvents", Fault(kind="throttled"))
    place.logs._client.meta.events.register(
        "provide-client-params.logs.GetLogEvents", lambda params, **_: {**params, "limit": min(params["limit"], 4)}
    )
    assert place.logs.tail(GROUP, "one", 10) == [str(number) for number in range(15, 25)]
    assert place.logs.tail(GROUP, "one", 100) == [str(number) for number in range(25)]


def test_late_events_come_when_they_are_there(emulator: Emulator, place: Place) -> None:
    emulator.store.logs.delay = 7200
    place.say("one", 0, "late")
    assert told(place) == []
    emulator.store.forward = 10_000
    assert told(place) == [("one", 0, "late")]


def test_refusals(emulator: Emulator, place: Place) -> None:
    place.say("one", 0, "x")
    with pytest.raises(AwsCallError) as raised:
        told(place, pattern="{ $.x = 1 }")
    assert raised.value.kind is ErrorKind.VALIDATION
    emulator.deny("logs:FilterLogEvents")
    with pytest.raises(AwsCallError) as raised:
        told(place)
    assert raised.value.kind is ErrorKind.ACCESS_DENIED


def test_what_a_wrong_endpoint_says_is_no_missing_group(emulator: Emulator, place: Place) -> None:
    emulator.faults.inject("FilterLogEvents", Fault(code="NotFound", status=404))
    with pytest.raises(AwsCallError):
        told(place)
