"""S3: a bucket of the account's own, and objects whose bytes are proved by a SHA-256.

Every call says whose the bucket has to be (ExpectedBucketOwner): names of buckets are the whole world's, so that
somebody else may have made one of a name that can be foreseen, to read what is put there or to give back something
else (S3 guide, "Verifying bucket ownership").
"""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from brqos.aws.errors import AwsCallError, ErrorKind, translate, translated
from brqos.aws.retry import Retry
from brqos.aws.s3_bucket import Setting, settings_of
from brqos.aws.s3_errors import altered, not_ours, not_there

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SHA256 = "sha256"
"""The user metadata that holds the SHA-256 of an object's bytes, in hex. S3's own of a multipart upload is not that."""
_TRIES = 3
_FIRST_REGION = "us-east-1"
# A bucket that was just made may be changed by one call at a time only (OperationAborted), or not be seen everywhere.
_SETTLING = Retry({ErrorKind.CONFLICT: 60.0, ErrorKind.NOT_FOUND: 30.0}, first_delay=0.5, longest_delay=4.0)


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket of the account; one that was begun and not finished has no tags: `create_bucket` finishes it."""

    name: str
    region: str
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as a listing tells it."""

    key: str
    bytes: int
    modified: datetime


class S3:
    """S3 in one region; safe to use from any thread. All methods raise AwsCallError, OSError for a local file.

    `account` is asked once for the account (12 digits) that owns all buckets; it may raise AwsCallError too.
    """

    def __init__(self, client: "S3Client", region: str, profile: str | None, account: Callable[[], str]) -> None:
        self._client = client
        self._profile = profile
        self._account = account
        self.region = region

    @cached_property
    def owner(self) -> str:
        """The account whose the buckets are."""
        return self._account()

    def bucket(self, name: str) -> Bucket | None:
        """The account's bucket of that name, wherever it is; None if nobody has one.

        An error of kind ACCESS_DENIED if it is another account's, or may not be looked at.
        """
        try:
            with self._translated("HeadBucket"):
                answer = self._client.head_bucket(Bucket=name, ExpectedBucketOwner=self.owner)
        except AwsCallError as error:
            if error.kind is ErrorKind.NOT_FOUND:
                return None
            if error.kind is ErrorKind.ACCESS_DENIED:
                raise not_ours(error, name) from error
            raise
        # Older botocores do not read the region, but hand its header on.
        headers = answer["ResponseMetadata"]["HTTPHeaders"]
        region = str(answer.get("BucketRegion") or headers.get("x-amz-bucket-region", "")) or self.region
        return Bucket(name, region, self._tags(name))

    def create_bucket(self, name: str, tags: Mapping[str, str], expire_days: int) -> None:
        """Make a bucket in this region that only the account may use, encrypted, and only over TLS.

        Objects expire after so many days, what is left of uploads after one. It may be called again for one that was
        begun: the tags come last. An error of kind DUPLICATE_NAME if another account has the name.
        """
        where: Any = {} if self.region == _FIRST_REGION else {"LocationConstraint": self.region}
        asked: dict[str, Any] = {"CreateBucketConfiguration": where} if where else {}
        try:
            _SETTLING.limited(ErrorKind.NOT_FOUND, 0.0).call(lambda: self._create(name, asked))
        except AwsCallError as error:
            if error.code != "BucketAlreadyOwnedByYou":
                raise
        for setting, parameters in settings_of(name, self.region, tags, expire_days):
            _SETTLING.call(partial(self._set, name, setting, parameters))

    def put(self, bucket: str, key: str, data: bytes) -> None:
        """Write an object of few bytes."""
        with self._translated("PutObject"):
            self._client.put_object(
                Bucket=bucket,
                Key=key,
                Body=data,
                ExpectedBucketOwner=self.owner,
                ChecksumAlgorithm="SHA256",
                Metadata={SHA256: hashlib.sha256(data).hexdigest()},
            )

    def upload(self, bucket: str, key: str, file: Path, on_bytes: Callable[[int], None] | None = None) -> None:
        """Write an object from a file, in parts where it is large.

        `on_bytes` is told, from several threads, how many more bytes have gone; fewer than none where a part goes
        again. What an interrupt leaves of the parts is removed, or else expires.
        """
        with file.open("rb") as source, self._translated("PutObject"):
            digest = hashlib.file_digest(source, "sha256").hexdigest()
            source.seek(0)
            self._client.upload_fileobj(
                source,
                bucket,
                key,
                ExtraArgs={
                    "ExpectedBucketOwner": self.owner,
                    "ChecksumAlgorithm": "SHA256",
                    "Metadata": {SHA256: digest},
                },
                Callback=on_bytes,
                Config=_transfer(),
            )

    def get(self, bucket: str, key: str) -> bytes | None:
        """The bytes of an object; None if there is none. An error of kind NOT_FOUND if there is no such bucket."""
        try:
            for tries in range(1, _TRIES + 1):
                try:
                    return self._got(bucket, key)
                except AwsCallError as error:
                    # botocore tries a call again, but not the reading of its answer.
                    if error.kind is not ErrorKind.CONNECTION or tries == _TRIES:
                        raise
        except AwsCallError as error:
            if error.code != "NoSuchKey":
                raise
        return None

    def download(self, bucket: str, key: str, file: Path, on_bytes: Callable[[int], None] | None = None) -> None:
        """Write an object's bytes to a file, which appears when it is whole and its SHA-256 is right.

        `on_bytes` as in `upload`. An error of kind NOT_FOUND if there is no such object.
        """
        wanted = self._digest_of(bucket, key)
        descriptor, partial = tempfile.mkstemp(prefix=f".{file.name}.", suffix=".partial", dir=file.parent)
        try:
            with os.fdopen(descriptor, "w+b") as target:
                with self._translated("GetObject"):
                    self._client.download_fileobj(
                        bucket,
                        key,
                        target,
                        ExtraArgs={"ExpectedBucketOwner": self.owner},
                        Callback=on_bytes,
                        Config=_transfer(),
                    )
                target.seek(0)
                found = hashlib.file_digest(target, "sha256").hexdigest()
                if wanted and found != wanted:
                    raise altered(bucket, key, wanted, found)
                os.fsync(target.fileno())
            Path(partial).replace(file)
        finally:
            Path(partial).unlink(missing_ok=True)

    def listed(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        """The objects whose keys begin so, by key, asked for as they are needed."""
        asked: dict[str, Any] = {"Bucket": bucket, "Prefix": prefix, "ExpectedBucketOwner": self.owner}
        while True:
            with self._translated("ListObjectsV2"):
                answer = self._client.list_objects_v2(**asked)
            for item in answer.get("Contents", []):
                yield StoredObject(item["Key"], item["Size"], item["LastModified"])
            if not answer.get("NextContinuationToken"):
                return
            asked["ContinuationToken"] = answer["NextContinuationToken"]

    def _create(self, name: str, asked: Mapping[str, Any]) -> None:
        with self._translated("CreateBucket"):
            self._client.create_bucket(Bucket=name, **asked)

    def _set(self, name: str, setting: Setting, parameters: Mapping[str, Any]) -> None:
        with self._translated(setting.operation):
            getattr(self._client, setting.method)(Bucket=name, ExpectedBucketOwner=self.owner, **parameters)

    def _got(self, bucket: str, key: str) -> bytes:
        with self._translated("GetObject"):
            answer = self._client.get_object(Bucket=bucket, Key=key, ExpectedBucketOwner=self.owner)
            data = answer["Body"].read()
        wanted = answer.get("Metadata", {}).get(SHA256)
        if wanted and (found := hashlib.sha256(data).hexdigest()) != wanted:
            raise altered(bucket, key, wanted, found)
        return data

    def _digest_of(self, bucket: str, key: str) -> str:
        try:
            with self._translated("HeadObject"):
                answer = self._client.head_object(Bucket=bucket, Key=key, ExpectedBucketOwner=self.owner)
        except AwsCallError as error:
            if error.kind is not ErrorKind.NOT_FOUND:
                raise
            raise not_there(error, bucket, key) from error
        return answer.get("Metadata", {}).get(SHA256, "")

    def _tags(self, name: str) -> dict[str, str]:
        try:
            with self._translated("GetBucketTagging"):
                answer = self._client.get_bucket_tagging(Bucket=name, ExpectedBucketOwner=self.owner)
        except AwsCallError as error:
            if error.code != "NoSuchTagSet":
                raise
            return {}
        return {tag["Key"]: tag["Value"] for tag in answer.get("TagSet", [])}

    @contextmanager
    def _translated(self, operation: str) -> Iterator[None]:
        from botocore.exceptions import IncompleteReadError, ResponseStreamingError
        from s3transfer.exceptions import RetriesExceededError

        try:
            with translated(operation, self.region, self._profile):
                yield
        except RetriesExceededError as error:
            last = cast("Exception", error.last_exception)
            raise translate(last, operation, self.region, self._profile) from error
        except AwsCallError as error:
            if isinstance(error.__cause__, IncompleteReadError | ResponseStreamingError):
                raise AwsCallError(error.what, kind=ErrorKind.CONNECTION, why=error.why, todo=error.todo) from error
            raise


def _transfer() -> Any:  # noqa: ANN401 - boto3's TransferConfig, which is imported late
    from boto3.s3.transfer import TransferConfig

    # The other one, of awscrt, would go by another configuration wherever it happens to be installed.
    return TransferConfig(preferred_transfer_client="classic")
