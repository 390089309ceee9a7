"""The query protocol of EC2, STS, IAM and Auto Scaling: parameters in a form, answers in XML."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from brqos.rehearsal.emulator.wire import Request, Response, ServiceError

_EC2_NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"
_NAMESPACES = {
    "sts": "https://sts.amazonaws.com/doc/2011-06-15/",
    "iam": "https://iam.amazonaws.com/doc/2010-05-08/",
    "autoscaling": "http://autoscaling.amazonaws.com/doc/2011-01-01/",
}


def parameters_of(request: Request) -> dict[str, Any]:
    """The parameters of a request as a tree; raises ServiceError without an action."""
    pairs = parse_qsl(bytes(request.body).decode("utf-8", "replace"), keep_blank_values=True)
    asked = query_parameters(pairs)
    if request.method != "POST" or request.path != "/" or not isinstance(asked.get("Action"), str):
        raise ServiceError("MissingAction", "The request must contain the parameter Action")
    return asked


def query_parameters(pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The flat parameters as a tree: `Filter.1.Value.1=x` -> {"Filter": [{"Value": ["x"]}]}; raises ServiceError."""
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


def members(asked: Mapping[str, Any], name: str) -> list[Any]:
    """A list of STS or Auto Scaling, whose items are called `member`."""
    given = asked.get(name, {})
    items = given.get("member", []) if isinstance(given, dict) else []
    return items if isinstance(items, list) else []


def ec2_response(action: str, told: Mapping[str, object]) -> Response:
    """An answer of EC2: `<ActionResponse>` with its members, the items of lists called `item`."""
    inner = _members({"requestId": str(uuid.uuid4()), **told}, "item")
    return _xml(f'<{action}Response xmlns="{_EC2_NAMESPACE}">{inner}</{action}Response>')


def result_response(service: str, action: str, told: Mapping[str, object]) -> Response:
    """An answer of STS or Auto Scaling: `<ActionResult>` in `<ActionResponse>`, items called `member`."""
    result = f"<{action}Result>{_members(told, 'member')}</{action}Result>"
    metadata = f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata>"
    return _xml(f'<{action}Response xmlns="{_NAMESPACES[service]}">{result}{metadata}</{action}Response>')


def query_error(service: str, error: ServiceError) -> Response:
    """An error in the form of these services."""
    request_id = str(uuid.uuid4())
    told = f"<Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
    if service == "ec2":
        inner = f"<Errors><Error>{told}</Error></Errors><RequestID>{request_id}</RequestID>"
        return _xml(f"<Response>{inner}</Response>", error.status)
    side = "Sender" if error.status < 500 else "Receiver"
    inner = f"<Error><Type>{side}</Type>{told}</Error><RequestId>{request_id}</RequestId>"
    return _xml(f'<ErrorResponse xmlns="{_NAMESPACES[service]}">{inner}</ErrorResponse>', error.status)


def _xml(text: str, status: int = 200) -> Response:
    return Response(
        status,
        f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'.encode(),
        {"Content-Type": "text/xml;charset=UTF-8"},
    )


def _members(value: Mapping[str, object], item_name: str) -> str:
    return "".join(f"<{name}>{_content(item, item_name)}</{name}>" for name, item in value.items() if item is not None)


def _content(value: object, item_name: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return _members(value, item_name)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "".join(f"<{item_name}>{_content(item, item_name)}</{item_name}>" for item in value)
    return escape(str(value))
