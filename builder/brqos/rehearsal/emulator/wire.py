"""Requests, answers and errors as they go over the wire, and the XML of EC2 and STS."""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

_EC2_NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"
_STS_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came in; the names of `headers` are in lower case."""

    method: str
    path: str
    raw_query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Caller:
    """Who signed a request, and for which service and region."""

    account: str
    access_key: str
    region: str
    service: str


@dataclass(frozen=True, slots=True)
class Response:
    """One answer."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class ServiceError(Exception):
    """The service refuses; `reason` is the EBS direct API's word for it."""

    def __init__(self, code: str, message: str, *, status: int = 400, reason: str = "") -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.reason = reason


def json_response(value: Mapping[str, object], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer of EBS direct; members that are None are left out."""
    present = {key: item for key, item in value.items() if item is not None}
    return Response(status, json.dumps(present).encode(), {"Content-Type": "application/json", **(headers or {})})


def ec2_response(action: str, members: Mapping[str, object]) -> Response:
    """An answer of EC2: `<ActionResponse>` with its members."""
    inner = _members({"requestId": str(uuid.uuid4()), **members})
    return _xml(f'<{action}Response xmlns="{_EC2_NAMESPACE}">{inner}</{action}Response>')


def sts_response(action: str, members: Mapping[str, object]) -> Response:
    """An answer of STS: `<ActionResponse>` around `<ActionResult>`."""
    result = f"<{action}Result>{_members(members)}</{action}Result>"
    metadata = f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata>"
    return _xml(f'<{action}Response xmlns="{_STS_NAMESPACE}">{result}{metadata}</{action}Response>')


def error_response(service: str, error: ServiceError) -> Response:
    """The error in the form of the service that was asked."""
    request_id = str(uuid.uuid4())
    if service == "ebs":
        value = {"Message": error.message, "Reason": error.reason or None}
        return json_response(value, error.status, {"x-amzn-ErrorType": error.code, "x-amzn-RequestId": request_id})
    told = f"<Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
    if service == "sts":
        side = "Sender" if error.status < 500 else "Receiver"
        inner = f"<Error><Type>{side}</Type>{told}</Error><RequestId>{request_id}</RequestId>"
        return _xml(f'<ErrorResponse xmlns="{_STS_NAMESPACE}">{inner}</ErrorResponse>', error.status)
    inner = f"<Errors><Error>{told}</Error></Errors><RequestID>{request_id}</RequestID>"
    return _xml(f"<Response>{inner}</Response>", error.status)


def _xml(text: str, status: int = 200) -> Response:
    return Response(
        status,
        f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'.encode(),
        {"Content-Type": "text/xml;charset=UTF-8"},
    )


def _members(value: Mapping[str, object]) -> str:
    return "".join(_element(name, item) for name, item in value.items() if item is not None)


def _element(name: str, value: object) -> str:
    return f"<{name}>{_content(value)}</{name}>"


def _content(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return _members(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "".join(_element("item", item) for item in value)
    return escape(str(value))


def query_parameters(pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The flat parameters of the query protocol as a tree: `Filter.1.Value.1=x` -> {"Filter": [{"Value": ["x"]}]}."""
    tree: dict[str, Any] = {}
    for name, value in pairs:
        node = tree
        *parents, last = name.split(".")
        for parent in parents:
            node = node.setdefault(parent, {})
            if not isinstance(node, dict):
                raise ServiceError("InvalidParameterCombination", f"The parameter {name} contradicts another one")
        node[last] = value
    return {name: _listed(node) for name, node in tree.items()}


def _listed(node: object) -> object:
    if not isinstance(node, dict):
        return node
    if all(key.isdecimal() for key in node):
        return [_listed(node[key]) for key in sorted(node, key=int)]
    return {key: _listed(item) for key, item in node.items()}
