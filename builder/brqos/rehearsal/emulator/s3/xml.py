"""S3's XML: what is asked, what is told, and errors."""

import uuid
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from brqos.rehearsal.emulator.wire import Response, ServiceError

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def parsed(body: bytes, root: str) -> ET.Element:
    """A document without its namespaces; raises ServiceError (MalformedXML) for anything else than this one."""
    try:
        # Documents that define entities of their own, which is all that could do harm here, come from no client.
        if b"<!DOCTYPE" in body:
            raise _malformed()
        element = ET.fromstring(body)  # noqa: S314 - see above
    except ET.ParseError:
        raise _malformed() from None
    for each in element.iter():
        each.tag = each.tag.rpartition("}")[2]
    if element.tag != root:
        raise _malformed()
    return element


def told(root: str, members: Mapping[str, object]) -> Response:
    """An answer; the items of a list stand beside each other, each under the list's name."""
    return Response(200, document(root, members), {"Content-Type": "application/xml"})


def document(root: str, members: Mapping[str, object]) -> bytes:
    """The answer's text."""
    return f'{_HEAD}<{root} xmlns="{NAMESPACE}">{_members(members)}</{root}>'.encode()


def s3_error(error: ServiceError) -> Response:
    """An error in S3's form."""
    request_id = uuid.uuid4().hex[:16].upper()
    members = {"Code": error.code, "Message": error.message, "RequestId": request_id, "HostId": uuid.uuid4().hex}
    text = f"{_HEAD}<Error>{_members(members)}</Error>"
    return Response(error.status, text.encode(), {"Content-Type": "application/xml", "x-amz-request-id": request_id})


def _members(members: Mapping[str, object]) -> str:
    return "".join(_member(name, value) for name, value in members.items() if value is not None)


def _member(name: str, value: object) -> str:
    if isinstance(value, Mapping):
        return f"<{name}>{_members(value)}</{name}>"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "".join(_member(name, item) for item in value)
    if isinstance(value, bool):
        value = "true" if value else "false"
    return f"<{name}>{escape(str(value))}</{name}>"


def _malformed() -> ServiceError:
    message = "The XML you provided was not well-formed or did not validate against our published schema"
    return ServiceError("MalformedXML", message)
