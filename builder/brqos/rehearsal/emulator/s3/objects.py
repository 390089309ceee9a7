"""Objects: put, got, whole or a range of their bytes, and deleted."""

import re
from email.utils import formatdate

from brqos.rehearsal.emulator.s3.call import Call, no_such_key
from brqos.rehearsal.emulator.s3.state import S3Object, etag_of
from brqos.rehearsal.emulator.s3.xml import parsed, told
from brqos.rehearsal.emulator.wire import Response, ServiceError

LONGEST_KEY = 1024
_MOST_KEYS = 1000
_KEPT = ("content-type", "content-encoding", "content-disposition", "cache-control", "content-language")
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
_ENCRYPTED = {"x-amz-server-side-encryption": "AES256"}


def headers_of(call: Call) -> dict[str, str]:
    """The headers of a request that come back with the object; raises ServiceError."""
    metadata = {name: value for name, value in call.headers.items() if name.startswith("x-amz-meta-")}
    if sum(len(name) - 11 + len(value) for name, value in metadata.items()) > 2048:
        raise ServiceError("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size")
    kept = {name: call.headers[name] for name in _KEPT if call.headers.get(name)}
    # What only says how the body came is no property of the object.
    if "content-encoding" in kept:
        kept["content-encoding"] = ",".join(
            part for part in kept["content-encoding"].split(",") if part.strip() != "aws-chunked"
        )
    return {name: value for name, value in {**kept, **metadata}.items() if value}


def check_key(call: Call) -> None:
    """Whether the key is one; raises ServiceError."""
    if len(call.route.key.encode()) > LONGEST_KEY:
        raise ServiceError("KeyTooLongError", "Your key is too long")


def put(call: Call) -> Response:
    """PutObject."""
    bucket, key = call.bucket, call.route.key
    check_key(call)
    for name in ("x-amz-acl", "x-amz-copy-source", "if-match"):
        if name in call.headers:
            raise ServiceError("NotImplemented", f"{name} is not emulated", status=501)
    if call.headers.get("if-none-match") == "*" and key in bucket.objects:
        raise _precondition()
    stored = S3Object(call.body, etag_of(call.body), call.store.clock(), headers_of(call), dict(call.checksums))
    bucket.objects[key] = stored
    return Response(200, b"", {"ETag": stored.etag, **_ENCRYPTED, **stored.checksums})


def get(call: Call) -> Response:
    """GetObject; with a single range only those bytes."""
    stored = _found(call)
    given = call.headers.get("range")
    if given is None:
        return Response(200, stored.data, _told(call, stored))
    match = _RANGE.fullmatch(given)
    if match is None:
        raise ServiceError("NotImplemented", f"the range {given} is not emulated", status=501)
    start, size = int(match[1]), len(stored.data)
    last = min(int(match[2] or size), size - 1)
    if start > last:
        raise ServiceError("InvalidRange", "The requested range is not satisfiable", status=416)
    headers = {name: value for name, value in _told(call, stored).items() if not name.startswith("x-amz-checksum-")}
    headers["Content-Range"] = f"bytes {start}-{last}/{size}"
    return Response(206, stored.data[start : last + 1], headers)


def head(call: Call) -> Response:
    """HeadObject: what GetObject would tell, without the bytes."""
    stored = _found(call)
    return Response(200, b"", {**_told(call, stored), "Content-Length": str(len(stored.data))})


def delete(call: Call) -> Response:
    """DeleteObject."""
    call.bucket.objects.pop(call.route.key, None)
    return Response(204)


def delete_several(call: Call) -> Response:
    """DeleteObjects."""
    bucket = call.bucket
    if not call.checksums and "content-md5" not in call.headers:
        message = "Missing required header for this request: Content-MD5 OR x-amz-checksum-*"
        raise ServiceError("InvalidRequest", message)
    document = parsed(call.body, "Delete")
    keys = [element.findtext("Key") or "" for element in document.findall("Object")]
    if not 1 <= len(keys) <= _MOST_KEYS or not all(keys):
        raise ServiceError("MalformedXML", "The XML you provided was not well-formed or did not validate")
    for key in keys:
        bucket.objects.pop(key, None)
    quiet = document.findtext("Quiet") == "true"
    return told("DeleteResult", {} if quiet else {"Deleted": [{"Key": key} for key in keys]})


def _found(call: Call) -> S3Object:
    stored = call.bucket.objects.get(call.route.key)
    if stored is None:
        raise no_such_key()
    if call.headers.get("if-match", stored.etag).strip('"') != stored.etag.strip('"'):
        raise _precondition()
    return stored


def _precondition() -> ServiceError:
    message = "At least one of the pre-conditions you specified did not hold"
    return ServiceError("PreconditionFailed", message, status=412)


def _told(call: Call, stored: S3Object) -> dict[str, str]:
    asked = call.headers.get("x-amz-checksum-mode", "").upper() == "ENABLED"
    return {
        "Content-Type": "binary/octet-stream",
        **stored.headers,
        "ETag": stored.etag,
        "Last-Modified": formatdate(stored.modified, usegmt=True),
        "Accept-Ranges": "bytes",
        **_ENCRYPTED,
        **(stored.checksums if asked else {}),
    }


ACTIONS = {
    "PutObject": put,
    "GetObject": get,
    "HeadObject": head,
    "DeleteObject": delete,
    "DeleteObjects": delete_several,
}
