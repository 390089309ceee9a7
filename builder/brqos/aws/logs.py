"""CloudWatch Logs: what builds print. Times are milliseconds since 1970, as in the API."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from brqos.aws.errors import AwsCallError, ErrorKind, translated

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

MOST_STREAMS = 100
"""The most streams that FilterLogEvents takes by name."""
_LARGEST_PAGE = 10_000


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One message; `time` is when it was said, `ingested` when CloudWatch Logs got it.

    `id` is the same whenever the event is asked for again.
    """

    id: str
    stream: str
    time: int
    ingested: int
    message: str


class Logs:
    """CloudWatch Logs in one region; safe to use from any thread. All methods raise AwsCallError."""

    def __init__(self, client: "CloudWatchLogsClient", region: str, profile: str | None) -> None:
        self._client = client
        self._profile = profile
        self.region = region

    def events(
        self, group: str, *, since: int, pattern: str = "", until: int | None = None, streams: Sequence[str] = ()
    ) -> Iterator[LogEvent]:
        """The events of a group with `since` <= time < `until`, of all streams or at most MOST_STREAMS named ones.

        `pattern` is a filter pattern: `"quoted words"` have to be in the message as they are. Pages are asked for as
        they are needed; between two questions late events may come in before the last one that was told. Nothing comes
        from a group, or from streams, that are not there (yet).
        """
        asked: dict[str, Any] = {"logGroupName": group, "startTime": since, "limit": _LARGEST_PAGE}
        if pattern:
            asked["filterPattern"] = pattern
        if until is not None:
            # The reference leaves out later events, and not those of that time.
            asked["endTime"] = until - 1
        if streams:
            asked["logStreamNames"] = list(streams)
        while True:
            answer = self._ask("FilterLogEvents", asked)
            for item in answer.get("events", ()):
                yield LogEvent(
                    item.get("eventId", ""),
                    item.get("logStreamName", ""),
                    item.get("timestamp", 0),
                    item.get("ingestionTime", 0),
                    item.get("message", "").rstrip("\r\n"),
                )
            # A page may be empty and not the last one: each call looks at so much of the log only.
            if not answer.get("nextToken"):
                return
            asked["nextToken"] = answer["nextToken"]

    def tail(self, group: str, stream: str, lines: int) -> list[str]:
        """The last messages of a stream, at most so many, the oldest first; none of a stream that is not there."""
        found: list[str] = []
        asked: dict[str, Any] = {"logGroupName": group, "logStreamName": stream, "startFromHead": False}
        while len(found) < lines:
            asked["limit"] = min(lines - len(found), _LARGEST_PAGE)
            answer = self._ask("GetLogEvents", asked)
            found[:0] = [item.get("message", "").rstrip("\r\n") for item in answer.get("events", ())]
            following = answer.get("nextBackwardToken")
            # The beginning is reached when the same token comes back, not when a page is empty.
            if not following or following == asked.get("nextToken"):
                break
            asked["nextToken"] = following
        return found

    def _ask(self, operation: str, asked: dict[str, Any]) -> Any:  # noqa: ANN401 - one of two answers
        ask: Any = self._client.filter_log_events if operation == "FilterLogEvents" else self._client.get_log_events
        try:
            with translated(operation, self.region, self._profile):
                return ask(**asked)
        except AwsCallError as error:
            if error.kind is ErrorKind.NOT_FOUND and error.code == "ResourceNotFoundException":
                return {}
            raise
