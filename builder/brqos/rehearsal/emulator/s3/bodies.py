"""What comes in the body of a request: as it is or in `aws-chunked` pieces, and the checksums that prove it.

Rules: API reference, "Signature Calculations for the Authorization Header: Transferring Payload in Multiple Chunks" and
the S3 guide, "Checking object integrity". Over plain HTTP boto3 sends bodies whole and signed, with the checksum in a
header; pieces with a trailing checksum come from it over TLS only, and from other clients.
"""

import base64
import binascii
import hashlib
import zlib
from collections.abc import Mapping

from brqos.rehearsal.emulator.signature import UNSIGNED_PAYLOAD, check_payload
from brqos.rehearsal.emulator.wire import Request, ServiceError

UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
_PREFIX = "x-amz-checksum-"
_NOT_CHECKSUMS = (f"{_PREFIX}algorithm", f"{_PREFIX}mode", f"{_PREFIX}type")


def body_of(request: Request) -> tuple[bytes, dict[str, str]]:
    """The body without its wrapping, and the checksums that came with it, which are right; raises ServiceError."""
    declared = request.headers.get("x-amz-content-sha256", "")
    checksums = {
        name: value
        for name, value in request.headers.items()
        if name.startswith(_PREFIX) and name not in _NOT_CHECKSUMS
    }
    if declared == UNSIGNED_TRAILER:
        body, trailers = _unchunked(bytes(request.body))
        if request.headers.get("x-amz-decoded-content-length") != str(len(body)):
            raise ServiceError("IncompleteBody", "The request body terminated unexpectedly")
        wanted = [name.strip() for name in request.headers.get("x-amz-trailer", "").split(",") if name.strip()]
        if sorted(trailers) != sorted(wanted):
            raise _malformed_trailer()
        checksums |= trailers
    elif declared.startswith("STREAMING-"):
        raise ServiceError("NotImplemented", f"{declared} is not emulated", status=501)
    else:
        if not declared:
            raise ServiceError("InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
        check_payload(request, unsigned_allowed=declared == UNSIGNED_PAYLOAD)
        body = bytes(request.body)
    _check(body, checksums, request.headers)
    return body, checksums


def digest_of(algorithm: str, data: bytes) -> bytes:
    """The checksum of data by an algorithm as headers name it, such as `sha256`; raises ServiceError."""
    match algorithm:
        case "sha256":
            return hashlib.sha256(data).digest()
        case "sha1":
            return hashlib.sha1(data, usedforsecurity=False).digest()
        case "crc32":
            return zlib.crc32(data).to_bytes(4, "big")
    raise ServiceError("NotImplemented", f"checksums by {algorithm} are not emulated", status=501)


def _check(body: bytes, checksums: Mapping[str, str], headers: Mapping[str, str]) -> None:
    if "content-md5" in headers:
        wanted = hashlib.md5(body, usedforsecurity=False).digest()
        if _decoded(headers["content-md5"], "InvalidDigest") != wanted:
            raise ServiceError("BadDigest", "The Content-MD5 you specified did not match what we received.")
    if len(checksums) > 1:
        raise ServiceError("InvalidRequest", "Expecting a single x-amz-checksum- header.")
    for name, value in checksums.items():
        algorithm = name.removeprefix(_PREFIX)
        if _decoded(value, "InvalidRequest") != digest_of(algorithm, body):
            message = f"The {algorithm.upper()} you specified did not match the calculated checksum."
            raise ServiceError("BadDigest", message)


def _decoded(value: str, code: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error:
        raise ServiceError(code, "The checksum you specified is not valid.") from None


def _unchunked(data: bytes) -> tuple[bytes, dict[str, str]]:
    """Pieces of `<size in hex>\\r\\n<bytes>\\r\\n`, the last one empty, and then trailers."""
    pieces, at = [], 0
    while True:
        end = data.find(b"\r\n", at)
        try:
            size = int(data[at:end].split(b";")[0], 16) if end >= 0 else -1
        except ValueError:
            size = -1
        if size < 0:
            raise ServiceError("IncompleteBody", "The request body terminated unexpectedly")
        at = end + 2
        if size == 0:
            break
        if data[at + size : at + size + 2] != b"\r\n":
            raise ServiceError("IncompleteBody", "The request body terminated unexpectedly")
        pieces.append(data[at : at + size])
        at += size + 2
    trailers = {}
    for line in data[at:].decode("latin-1").split("\r\n"):
        if line:
            name, colon, value = line.partition(":")
            if not colon:
                raise _malformed_trailer()
            trailers[name.strip().lower()] = value.strip()
    return b"".join(pieces), trailers


def _malformed_trailer() -> ServiceError:
    return ServiceError("MalformedTrailerError", "The request contained trailing data that was not well-formed")
