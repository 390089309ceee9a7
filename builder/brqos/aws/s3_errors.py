"""What S3's refusals mean for buckets and objects of ours."""

from brqos.aws.errors import AwsCallError, ErrorKind


def not_there(error: AwsCallError, bucket: str, key: str) -> AwsCallError:
    """An object that does not exist."""
    return AwsCallError(
        f"there is no {key} in the bucket {bucket}",
        kind=ErrorKind.NOT_FOUND,
        code=error.code,
        why="It was never put there, it has expired, or it was deleted.",
    )


def not_ours(error: AwsCallError, name: str) -> AwsCallError:
    """A bucket that may not be looked at."""
    return AwsCallError(
        f"the bucket {name} cannot be used",
        kind=error.kind,
        code=error.code,
        why="Another account has a bucket of that name, or this identity may not look at it (s3:ListBucket).",
        todo="Name another bucket, or ask whoever manages the account for the permission.",
    )


def altered(bucket: str, key: str, wanted: str, found: str) -> AwsCallError:
    """An object whose bytes are others than those that were put."""
    return AwsCallError(
        f"{key} in the bucket {bucket} is not what was put there",
        kind=ErrorKind.OTHER,
        why=f"Its SHA-256 should be {wanted}, but is {found}.",
        todo="Run the same command again; if that does not help, do not use the object.",
    )
