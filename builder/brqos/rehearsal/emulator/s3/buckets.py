"""Buckets: making one, its settings, and what it holds.

Names: S3 guide, "General purpose bucket naming rules". Of the settings the tags and the policy are read, and the rest
is kept as it was put.
"""

import json
import re
from urllib.parse import quote

from brqos.rehearsal.emulator.ec2.call import timestamp
from brqos.rehearsal.emulator.paging import UnknownTokenError
from brqos.rehearsal.emulator.s3.call import Call
from brqos.rehearsal.emulator.s3.state import S3Bucket
from brqos.rehearsal.emulator.s3.xml import parsed, told
from brqos.rehearsal.emulator.wire import Response, ServiceError

_FIRST_REGION = "us-east-1"
_NAME = re.compile(
    r"(?!xn--|sthree-)(?!.*-s3alias$)(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9](?:[a-z0-9-]|\.(?!\.)){1,61}[a-z0-9]"
)
_ROOTS = {
    "PutBucketTagging": ("tagging", "Tagging"),
    "PutBucketEncryption": ("encryption", "ServerSideEncryptionConfiguration"),
    "PutBucketLifecycleConfiguration": ("lifecycle", "LifecycleConfiguration"),
    "PutPublicAccessBlock": ("publicAccessBlock", "PublicAccessBlockConfiguration"),
    "PutBucketPolicy": ("policy", ""),
}
_MISSING = {
    "GetBucketTagging": ("tagging", "NoSuchTagSet", "The TagSet does not exist"),
    "GetBucketEncryption": (
        "encryption", "ServerSideEncryptionConfigurationNotFoundError", "The encryption configuration was not found",
    ),
    "GetBucketLifecycleConfiguration": (
        "lifecycle", "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist",
    ),
    "GetPublicAccessBlock": (
        "publicAccessBlock", "NoSuchPublicAccessBlockConfiguration", "The configuration was not found",
    ),
    "GetBucketPolicy": ("policy", "NoSuchBucketPolicy", "The bucket policy does not exist"),
}  # fmt: skip


def create(call: Call) -> Response:
    """CreateBucket."""
    name, region = call.route.bucket, call.caller.region
    if not _NAME.fullmatch(name):
        raise ServiceError("InvalidBucketName", "The specified bucket is not valid.")
    _check_location(call.body, region)
    known = call.store.s3.known.get(name)
    if known is not None and known.owner != call.caller.account:
        message = (
            "The requested bucket name is not available. The bucket namespace is shared by all users of the system."
        )
        raise ServiceError("BucketAlreadyExists", message, status=409)
    if known is not None and (known.region, region) != (_FIRST_REGION, _FIRST_REGION):
        message = "Your previous request to create the named bucket succeeded and you already own it."
        raise ServiceError("BucketAlreadyOwnedByYou", message, status=409)
    if known is None:
        call.store.s3.known[name] = S3Bucket(name, region, call.caller.account, call.store.clock())
    return Response(200, b"", {"Location": f"/{name}"})


def head(call: Call) -> Response:
    """HeadBucket."""
    return Response(200, b"", {"x-amz-bucket-region": call.bucket.region})


def delete(call: Call) -> Response:
    """DeleteBucket."""
    bucket = call.bucket
    if bucket.objects:
        raise ServiceError("BucketNotEmpty", "The bucket you tried to delete is not empty", status=409)
    del call.store.s3.known[bucket.name]
    return Response(204)


def put_setting(call: Call) -> Response:
    """PutBucketTagging, PutBucketPolicy and the like."""
    bucket = call.bucket
    name, root = _ROOTS[call.route.operation]
    if not call.checksums and "content-md5" not in call.headers:
        message = "Missing required header for this request: Content-MD5 OR x-amz-checksum-*"
        raise ServiceError("InvalidRequest", message)
    if name == "policy":
        _check_policy(call.body, bucket)
    else:
        document = parsed(call.body, root)
        if name == "tagging":
            _check_tags(document)
        if name == "lifecycle" and any(int(days.text or 0) < 1 for days in document.iter("Days")):
            raise ServiceError("InvalidArgument", "'Days' for Expiration action must be a positive integer")
    bucket.settings[name] = call.body
    return Response(204 if name in ("tagging", "policy") else 200)


def get_setting(call: Call) -> Response:
    """GetBucketTagging, GetBucketPolicy and the like: what was put."""
    name, code, message = _MISSING[call.route.operation]
    document = call.bucket.settings.get(name)
    if document is None:
        raise ServiceError(code, message, status=404)
    return Response(200, document, {"Content-Type": "application/json" if name == "policy" else "application/xml"})


def list_objects(call: Call) -> Response:
    """ListObjectsV2."""
    query, bucket = call.route.query, call.bucket
    known = {"list-type", "prefix", "max-keys", "continuation-token", "start-after", "encoding-type", "fetch-owner"}
    if unknown := sorted(set(query) - known - {"x-id"}):
        raise ServiceError("NotImplemented", f"{unknown[0]} is not emulated", status=501)
    prefix, after = query.get("prefix", ""), query.get("start-after", "")
    keys = sorted(key for key in bucket.objects if key.startswith(prefix) and key > after)
    size = min(call.number("max-keys", 1000, 1 << 31), 1000)
    token = query.get("continuation-token")
    try:
        page, following = call.store.pager.page(f"ListObjectsV2 {bucket.name} {prefix}", keys, size, token)
    except UnknownTokenError:
        raise ServiceError("InvalidArgument", "The continuation token provided is incorrect") from None

    def written(text: str) -> str:
        return quote(text, safe="/") if query.get("encoding-type") == "url" else text

    found = [(key, bucket.objects[key]) for key in page if key in bucket.objects]
    return told(
        "ListBucketResult",
        {
            "Name": bucket.name,
            "Prefix": written(prefix),
            "KeyCount": len(found),
            "MaxKeys": size,
            "EncodingType": query.get("encoding-type"),
            "IsTruncated": following is not None,
            "ContinuationToken": token,
            "NextContinuationToken": following,
            "Contents": [
                {
                    "Key": written(key),
                    "LastModified": timestamp(stored.modified),
                    "ETag": stored.etag,
                    "Size": len(stored.data),
                    "StorageClass": "STANDARD",
                }
                for key, stored in found
            ],
        },
    )


def _check_location(body: bytes, region: str) -> None:
    given = ""
    if body:
        element = parsed(body, "CreateBucketConfiguration").find("LocationConstraint")
        given = (element.text or "") if element is not None else ""
    if given == _FIRST_REGION:
        raise ServiceError("InvalidLocationConstraint", "The specified location-constraint is not valid")
    if (given or _FIRST_REGION) != region:
        message = f"The {given or 'unspecified'} location constraint is incompatible for the region specific endpoint"
        raise ServiceError("IllegalLocationConstraintException", f"{message} this request was sent to.")


def _check_policy(body: bytes, bucket: S3Bucket) -> None:
    try:
        statements = json.loads(body)["Statement"]
        resources = [each for item in statements for each in _listed(item["Resource"])]
    except (ValueError, KeyError, TypeError):
        raise ServiceError("MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'") from None
    for each in resources:
        if str(each).rpartition(":::")[2].partition("/")[0] != bucket.name:
            raise ServiceError("MalformedPolicy", "Policy has invalid resource")


def _check_tags(document: object) -> None:
    keys = [element.text or "" for element in document.iter("Key")]  # type: ignore[attr-defined]
    if len(keys) > 50:
        raise ServiceError("BadRequest", "Bucket tag count cannot be greater than 50")
    if len(set(keys)) < len(keys):
        raise ServiceError("InvalidTag", "Cannot provide multiple Tags with the same key")
    if any(not key or key.startswith("aws:") for key in keys):
        raise ServiceError("InvalidTag", "System tags cannot be added/updated by requester")


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


ACTIONS = {
    "CreateBucket": create,
    "HeadBucket": head,
    "DeleteBucket": delete,
    "ListObjectsV2": list_objects,
    **dict.fromkeys(_ROOTS, put_setting),
    **dict.fromkeys(_MISSING, get_setting),
}
