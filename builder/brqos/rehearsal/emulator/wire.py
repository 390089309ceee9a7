"""Requests, answers and errors as they go over the wire, whatever the service."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from brqos.rehearsal.emulator.partitions import partition_of


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came in; the names of `headers` are in lower case.

    `body` of a block put is a view of the connection's buffer, which the next request writes over.
    """

    method: str
    path: str
    raw_query: str
    headers: Mapping[str, str]
    body: bytes | memoryview = b""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who signed a request, and for which service and region; `session` is the role session's ARN, if it is one."""

    account: str
    access_key: str
    region: str
    service: str
    session: str = ""

    @property
    def partition(self) -> str:
        """`aws`, `aws-cn` or `aws-us-gov`, by the region."""
        return partition_of(self.region)

    @property
    def arn(self) -> str:
        """The ARN of the user or of the role session."""
        return self.session or f"arn:{self.partition}:iam::{self.account}:user/rehearsal"


@dataclass(frozen=True, slots=True)
class Response:
    """One answer."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class ServiceError(Exception):
    """The service refuses; `reason` is the EBS direct API's word for it, `headers` go with the answer."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int = 400,
        reason: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.reason = reason
        self.headers = dict(headers or {})


def json_response(value: Mapping[str, object], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer in JSON; members that are None are left out."""
    present = {key: item for key, item in value.items() if item is not None}
    return Response(status, json.dumps(present).encode(), {"Content-Type": "application/json", **(headers or {})})


def json_object(body: bytes | memoryview) -> dict[str, object]:
    """The object that a body in JSON holds; raises ServiceError (SerializationException)."""
    try:
        value = json.loads(bytes(body))
    except ValueError:
        raise ServiceError("SerializationException", "The body is not JSON") from None
    if not isinstance(value, dict):
        raise ServiceError("SerializationException", "The body is not a JSON object")
    return value
