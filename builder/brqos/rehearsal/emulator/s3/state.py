"""Buckets and objects as the emulated accounts keep them. All bytes are in memory: rehearsals are small."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class S3Object:
    """An object; `headers` are those that come back with it (type, user metadata, checksums)."""

    data: bytes
    etag: str
    modified: float
    headers: Mapping[str, str] = field(default_factory=dict)
    checksums: Mapping[str, str] = field(default_factory=dict)
    """By the name of the header, such as x-amz-checksum-sha256; told where a client asks for them."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an upload, with the checksum that it was sent with."""

    data: bytes
    etag: str
    checksums: Mapping[str, str]


@dataclass(slots=True)
class Upload:
    """An upload in parts; `done` is the answer to its completion, which may be asked for again."""

    bucket: str
    key: str
    headers: Mapping[str, str]
    algorithm: str
    parts: dict[int, Part] = field(default_factory=dict)
    done: str = ""


@dataclass(slots=True)
class S3Bucket:
    """A bucket; `settings` are the documents of its subresources (tagging, policy and so on) as they were put."""

    name: str
    region: str
    owner: str
    created_at: float
    objects: dict[str, S3Object] = field(default_factory=dict)
    settings: dict[str, bytes] = field(default_factory=dict)


@dataclass(slots=True)
class Buckets:
    """All buckets: their names are the world's, not an account's."""

    known: dict[str, S3Bucket] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)

    def read(self, bucket: str, key: str) -> bytes | None:
        """The bytes of an object, for other services; None if there is none."""
        found = self.known.get(bucket)
        stored = found.objects.get(key) if found is not None else None
        return None if stored is None else stored.data

    def put(self, bucket: str, key: str, data: bytes, now: float) -> None:
        """Put an object there for a test or a build; the bucket has to exist (KeyError)."""
        headers = {"x-amz-meta-sha256": hashlib.sha256(data).hexdigest()}
        self.known[bucket].objects[key] = S3Object(data, etag_of(data), now, headers)


def etag_of(data: bytes) -> str:
    """The ETag of an object that was put whole."""
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'
