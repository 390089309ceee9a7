"""What a bucket of ours is like: nobody else's, encrypted, only over TLS, and emptied by itself."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_PARTITIONS = {"cn": "aws-cn", "us-gov": "aws-us-gov"}


@dataclass(frozen=True, slots=True)
class Setting:
    """An operation of S3, and boto3's name for it."""

    operation: str
    method: str


def settings_of(
    name: str, region: str, tags: Mapping[str, str], expire_days: int
) -> Iterator[tuple[Setting, dict[str, Any]]]:
    """The calls that make a new bucket so, in their order, with their parameters beside its name.

    All may be made again. The tags come last: a bucket that has them has all the rest too.
    """
    blocked = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    yield (
        Setting("PutPublicAccessBlock", "put_public_access_block"),
        {"PublicAccessBlockConfiguration": dict.fromkeys(blocked, True)},
    )
    encryption = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
    yield (
        Setting("PutBucketEncryption", "put_bucket_encryption"),
        {"ServerSideEncryptionConfiguration": encryption},
    )
    yield Setting("PutBucketPolicy", "put_bucket_policy"), {"Policy": json.dumps(_only_tls(name, region))}
    rule = {
        "ID": "brqos",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "Expiration": {"Days": expire_days},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
    }
    yield (
        Setting("PutBucketLifecycleConfiguration", "put_bucket_lifecycle_configuration"),
        {"LifecycleConfiguration": {"Rules": [rule]}},
    )
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    yield Setting("PutBucketTagging", "put_bucket_tagging"), {"Tagging": {"TagSet": listed}}


def _only_tls(name: str, region: str) -> dict[str, Any]:
    """The policy of the S3 guide's "Enforce encryption of data in transit"."""
    partition = next((it for prefix, it in _PARTITIONS.items() if region.startswith(f"{prefix}-")), "aws")
    bucket = f"arn:{partition}:s3:::{name}"
    statement = {
        "Sid": "OnlyTls",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [bucket, f"{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}
