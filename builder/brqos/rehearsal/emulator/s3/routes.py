"""Which operation of S3 a request asks for, on which bucket and object.

A bucket is named in the path, or in front of `localhost` in the host (virtual-hosted style).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

from brqos.rehearsal.emulator.wire import ServiceError

_VIRTUAL = ".localhost"
_SUBRESOURCES = {
    "tagging": "BucketTagging",
    "policy": "BucketPolicy",
    "encryption": "BucketEncryption",
    "lifecycle": "BucketLifecycleConfiguration",
    "publicAccessBlock": "PublicAccessBlock",
}
_BUCKET = {"GET": "ListObjects", "HEAD": "HeadBucket", "PUT": "CreateBucket", "DELETE": "DeleteBucket"}
_OBJECT = {"GET": "GetObject", "HEAD": "HeadObject", "PUT": "PutObject", "DELETE": "DeleteObject"}
_UPLOAD = {"PUT": "UploadPart", "POST": "CompleteMultipartUpload", "DELETE": "AbortMultipartUpload"}
_PERMISSIONS = {
    "HeadBucket": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "HeadObject": "GetObject",
    "DeleteObjects": "DeleteObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
}


@dataclass(frozen=True, slots=True)
class Route:
    """What a request asks for; `key` is empty where it is for the bucket."""

    operation: str
    bucket: str
    key: str
    query: Mapping[str, str]

    @property
    def permission(self) -> str:
        """The action that the caller has to be allowed (Service Authorization Reference)."""
        return f"s3:{_PERMISSIONS.get(self.operation, self.operation)}"


def route(method: str, path: str, raw_query: str, host: str) -> Route:
    """What a request asks for; raises ServiceError if it is nothing that is emulated."""
    query = dict(parse_qsl(raw_query, keep_blank_values=True))
    name = host.partition(":")[0]
    virtual = name.removesuffix(_VIRTUAL) if name.endswith(_VIRTUAL) else ""
    bucket, _, key = path.removeprefix("/").partition("/")
    if virtual:
        bucket, key = virtual, path.removeprefix("/")
    operation = _of_object(method, query) if key else _of_bucket(method, query)
    if not bucket or not operation:
        message = "A header or query you provided implies functionality that is not emulated"
        raise ServiceError("NotImplemented", message, status=501)
    return Route(operation, unquote(bucket), unquote(key), query)


def _of_bucket(method: str, query: Mapping[str, str]) -> str:
    for name, resource in _SUBRESOURCES.items():
        if name in query:
            return {"GET": "Get", "PUT": "Put"}[method] + resource if method in ("GET", "PUT") else ""
    if method == "POST":
        return "DeleteObjects" if "delete" in query else ""
    if method == "GET":
        return "ListObjectsV2" if query.get("list-type") == "2" else ""
    return "" if set(query) - {"x-id"} else _BUCKET.get(method, "")


def _of_object(method: str, query: Mapping[str, str]) -> str:
    if "uploads" in query:
        return "CreateMultipartUpload" if method == "POST" else ""
    if "uploadId" in query:
        return {"PUT": "UploadPart", "POST": "CompleteMultipartUpload", "DELETE": "AbortMultipartUpload"}.get(
            method, ""
        )
    return "" if set(query) - {"x-id"} else _OBJECT.get(method, "")
