"""Uploads in parts: begun, filled, and put together or dropped.

Limits: S3 guide, "Amazon S3 multipart upload limits". The ETag and the checksum of the whole are those of the parts'
own, with the number of parts behind them (guide, "Checking object integrity").
"""

import base64
import hashlib
import secrets

from brqos.rehearsal.emulator.s3.bodies import digest_of
from brqos.rehearsal.emulator.s3.call import Call
from brqos.rehearsal.emulator.s3.objects import check_key, headers_of
from brqos.rehearsal.emulator.s3.state import Part, S3Object, Upload, etag_of
from brqos.rehearsal.emulator.s3.xml import parsed, told
from brqos.rehearsal.emulator.wire import Response, ServiceError

_SMALLEST_PART = 5 << 20
_MOST_PARTS = 10_000


def create(call: Call) -> Response:
    """CreateMultipartUpload."""
    bucket = call.bucket
    check_key(call)
    algorithm = call.headers.get("x-amz-checksum-algorithm", "").lower()
    if algorithm:
        digest_of(algorithm, b"")
    if call.headers.get("x-amz-checksum-type", "COMPOSITE" if algorithm != "crc32" else "FULL_OBJECT") == "FULL_OBJECT":
        # Such a checksum is put together from those of the parts, which is left to S3.
        algorithm = algorithm if algorithm != "crc32" else "crc32-whole"
    upload_id = secrets.token_urlsafe(48)
    call.store.s3.uploads[upload_id] = Upload(bucket.name, call.route.key, headers_of(call), algorithm)
    members = {"Bucket": bucket.name, "Key": call.route.key, "UploadId": upload_id}
    return told("InitiateMultipartUploadResult", members)


def upload(call: Call) -> Response:
    """UploadPart."""
    begun = _upload(call)
    number = call.number("partNumber", 0, _MOST_PARTS)
    if not number:
        raise ServiceError("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive")
    if begun.algorithm and f"x-amz-checksum-{begun.algorithm.partition('-')[0]}" not in call.checksums:
        given = ", ".join(call.checksums) or "null"
        message = f"Checksum Type mismatch occurred, expected checksum Type: {begun.algorithm}, actual: {given}"
        raise ServiceError("InvalidRequest", message)
    part = Part(call.body, etag_of(call.body), dict(call.checksums))
    begun.parts[number] = part
    return Response(200, b"", {"ETag": part.etag, **part.checksums})


def complete(call: Call) -> Response:
    """CompleteMultipartUpload; asked for again it tells the same."""
    begun, bucket = _upload(call), call.bucket
    listed = [
        (int(element.findtext("PartNumber") or 0), element.findtext("ETag") or "")
        for element in parsed(call.body, "CompleteMultipartUpload").findall("Part")
    ]
    if begun.done:
        return _completed(begun)
    numbers = [number for number, _ in listed]
    if not listed or numbers != sorted(set(numbers)):
        raise ServiceError("InvalidPartOrder", "The list of parts was not in ascending order.")
    parts = [begun.parts.get(number) for number in numbers]
    for part, (_, etag) in zip(parts, listed, strict=True):
        if part is None or part.etag.strip('"') != etag.strip('"'):
            message = "One or more of the specified parts could not be found."
            raise ServiceError("InvalidPart", f"{message} The part may not have been uploaded, or its ETag differs.")
    whole = [part for part in parts if part is not None]
    if any(len(part.data) < _SMALLEST_PART for part in whole[:-1]):
        raise ServiceError("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
    stored = _together(begun, whole, call.store.clock())
    bucket.objects[begun.key] = stored
    begun.done = stored.etag
    begun.parts.clear()
    return _completed(begun)


def abort(call: Call) -> Response:
    """AbortMultipartUpload."""
    if not _upload(call).done:
        del call.store.s3.uploads[call.route.query["uploadId"]]
    return Response(204)


def _together(begun: Upload, parts: list[Part], now: float) -> S3Object:
    data = b"".join(part.data for part in parts)
    digests = b"".join(bytes.fromhex(part.etag.strip('"')) for part in parts)
    etag = f'"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(parts)}"'
    return S3Object(data, etag, now, begun.headers, _checksum_of(begun, parts, data))


def _checksum_of(begun: Upload, parts: list[Part], data: bytes) -> dict[str, str]:
    if not begun.algorithm:
        return {}
    if begun.algorithm == "crc32-whole":
        return {"x-amz-checksum-crc32": _base64(digest_of("crc32", data)), "x-amz-checksum-type": "FULL_OBJECT"}
    name = f"x-amz-checksum-{begun.algorithm}"
    digests = b"".join(base64.b64decode(part.checksums[name]) for part in parts)
    composite = f"{_base64(digest_of(begun.algorithm, digests))}-{len(parts)}"
    return {name: composite, "x-amz-checksum-type": "COMPOSITE"}


def _completed(begun: Upload) -> Response:
    members = {"Location": f"/{begun.bucket}/{begun.key}", "Bucket": begun.bucket, "Key": begun.key, "ETag": begun.done}
    return told("CompleteMultipartUploadResult", members)


def _upload(call: Call) -> Upload:
    bucket = call.bucket
    found = call.store.s3.uploads.get(call.route.query.get("uploadId", ""))
    if found is None or (found.bucket, found.key) != (bucket.name, call.route.key):
        message = "The specified upload does not exist. The upload ID may be invalid, or it may have been aborted."
        raise ServiceError("NoSuchUpload", message, status=404)
    return found


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


ACTIONS = {
    "CreateMultipartUpload": create,
    "UploadPart": upload,
    "CompleteMultipartUpload": complete,
    "AbortMultipartUpload": abort,
}
