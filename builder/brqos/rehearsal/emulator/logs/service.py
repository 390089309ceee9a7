"""CloudWatch Logs (JSON 1.1): reading events. What writes them is CodeBuild, or a test."""

import re
import uuid
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from brqos.rehearsal.emulator.logs.pattern import PatternError, matcher
from brqos.rehearsal.emulator.logs.state import Event, Place
from brqos.rehearsal.emulator.paging import UnknownTokenError
from brqos.rehearsal.emulator.store import Store
from brqos.rehearsal.emulator.wire import Caller, Request, Response, ServiceError, json_object, json_response

_TARGET = "Logs_20140328."
_CONTENT_TYPE = "application/x-amz-json-1.1"
_LARGEST_PAGE = 10_000
_GROUP = re.compile(r"[.\-_/#A-Za-z0-9]{1,512}")
_STREAM = re.compile(r"[^:*]{1,512}")
_TOKEN = re.compile(r"(?P<way>[fb])/(?P<time>\d+)/(?P<number>-?\d+)")


def operation_of(target: str | None) -> str:
    """The operation that a request's X-Amz-Target names; empty if it is none of this service."""
    return target.removeprefix(_TARGET) if target and target.startswith(_TARGET) else ""


def logs_response(_operation: str, told: dict[str, Any]) -> Response:
    """An answer of CloudWatch Logs."""
    return json_response(told, headers={"Content-Type": _CONTENT_TYPE, "x-amzn-RequestId": str(uuid.uuid4())})


@dataclass(frozen=True, slots=True)
class _Call:
    store: Store
    asked: Mapping[str, Any]
    caller: Caller

    @property
    def place(self) -> Place:
        """The group; raises ServiceError if there is none."""
        name = self.asked.get("logGroupName")
        if not isinstance(name, str) or not _GROUP.fullmatch(name):
            raise _invalid("1 validation error detected: Value at 'logGroupName' failed to satisfy constraint")
        place = (self.caller.account, self.caller.region, name)
        if place not in self.store.logs.groups:
            raise _missing("The specified log group does not exist.")
        return place

    def number(self, name: str, default: int, least: int, most: int) -> int:
        value = self.asked.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise _invalid(f"1 validation error detected: Value at '{name}' failed to satisfy constraint")
        return value

    def stream(self, place: Place, name: object) -> str:
        if not isinstance(name, str) or not _STREAM.fullmatch(name):
            raise _invalid("1 validation error detected: Value at 'logStreamName' failed to satisfy constraint")
        if name not in self.store.logs.streams.get(place, ()):
            raise _missing("The specified log stream does not exist.")
        return name


class Logs:
    """The service `logs`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def answer(self, operation: str, request: Request, caller: Caller) -> Response:
        """Carry out one operation; raises ServiceError."""
        if operation not in ACTIONS:
            raise ServiceError("UnknownOperationException", f"{operation} is not emulated, or not known")
        carry_out, members = ACTIONS[operation]
        asked = json_object(request.body)
        if unknown := sorted(set(asked) - members):
            raise _invalid(f"{unknown[0]} is not emulated, or not known to {operation}")
        with self._store.lock:
            told = carry_out(_Call(self._store, asked, caller))
        return logs_response(operation, told)


def _filter(call: _Call) -> dict[str, Any]:
    place = call.place
    since, until = call.number("startTime", 0, 0, 1 << 62), call.number("endTime", 1 << 62, 0, 1 << 62)
    size = min(call.number("limit", _LARGEST_PAGE, 1, _LARGEST_PAGE), call.store.logs.scanned)
    names = call.asked.get("logStreamNames")
    if names is not None and (not isinstance(names, list) or not 1 <= len(names) <= 100):
        raise _invalid("1 validation error detected: Value at 'logStreamNames' failed to satisfy constraint")
    streams = None if names is None else {call.stream(place, name) for name in names}
    try:
        fits = matcher(str(call.asked.get("filterPattern", "")))
    except PatternError as error:
        raise _invalid(str(error)) from None
    now = int(call.store.clock() * 1000)
    events = call.store.logs.groups[place]
    # Of FilterLogEvents it is said that events later than the end are left out, of GetLogEvents: that time and later.
    window = (event for event in events[_index(events, since) : _index(events, until + 1)] if event.ingested <= now)
    found = {event.id: event for event in window if streams is None or event.stream in streams}
    asked = {name: value for name, value in call.asked.items() if name != "nextToken"}
    query, token = f"FilterLogEvents {place} {asked}", call.asked.get("nextToken")
    try:
        page, following = call.store.pager.page(query, list(found), size, token)
    except UnknownTokenError:
        raise _invalid("The specified nextToken is invalid.") from None
    fitting = [found[each] for each in page if each in found and fits(found[each].message)]
    return {
        "events": [{"logStreamName": event.stream, "eventId": event.id, **_told(event)} for event in fitting],
        "searchedLogStreams": [],
        "nextToken": following,
    }


def _get(call: _Call) -> dict[str, Any]:
    place = call.place
    stream = call.stream(place, call.asked.get("logStreamName"))
    limit, now = call.number("limit", _LARGEST_PAGE, 1, _LARGEST_PAGE), int(call.store.clock() * 1000)
    since, until = call.number("startTime", 0, 0, 1 << 62), call.number("endTime", 1 << 62, 0, 1 << 62)
    events = [
        event
        for event in call.store.logs.groups[place]
        if event.stream == stream and event.ingested <= now and since <= event.time < until
    ]
    token = call.asked.get("nextToken")
    if token is None:
        page = events[:limit] if call.asked.get("startFromHead") else events[-limit:]
        back, forth = (_key(page[0]), _key(page[-1])) if page else ("0/-1", "0/-1")
    else:
        match = _TOKEN.fullmatch(token) if isinstance(token, str) else None
        if match is None:
            raise _invalid("The specified nextToken is invalid.")
        at = Event(int(match["time"]), int(match["number"]), 0, "", "")
        if match["way"] == "b":
            page = events[: bisect_left(events, at)][-limit:]
        else:
            page = events[bisect_right(events, at) :][:limit]
        here = token[2:]
        # At either end the token comes back that was given.
        back = _key(page[0]) if page else here
        forth = _key(page[-1]) if page else here
    return {
        "events": [_told(event) for event in page],
        "nextForwardToken": f"f/{forth}",
        "nextBackwardToken": f"b/{back}",
    }


def _index(events: list[Event], time: int) -> int:
    return bisect_left(events, Event(time, -1, 0, "", ""))


def _key(event: Event) -> str:
    return f"{event.time}/{event.number}"


def _told(event: Event) -> dict[str, Any]:
    return {"timestamp": event.time, "message": event.message, "ingestionTime": event.ingested}


def _invalid(message: str) -> ServiceError:
    return ServiceError("InvalidParameterException", message)


def _missing(message: str) -> ServiceError:
    return ServiceError("ResourceNotFoundException", message)


ACTIONS: dict[str, tuple[Callable[[_Call], dict[str, Any]], frozenset[str]]] = {
    "FilterLogEvents": (
        _filter,
        frozenset({"logGroupName", "logStreamNames", "startTime", "endTime", "filterPattern", "nextToken", "limit"}),
    ),
    "GetLogEvents": (
        _get,
        frozenset({"logGroupName", "logStreamName", "startTime", "endTime", "nextToken", "limit", "startFromHead"}),
    ),
}
"""What carries out an operation, and the members that it knows."""
