"""KMS keys as far as EBS looks at them: which region they are of, whether they are there, and who manages them.

The AWS-managed key of EBS (`alias/aws/ebs`) is in every region of every account; what it encrypted cannot be shared.
"""

import re
import uuid

from brqos.rehearsal.emulator.partitions import partition_of

_KEY_ARN = re.compile(
    r"arn:(?P<partition>aws|aws-cn|aws-us-gov):kms:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):key/(?P<id>[A-Za-z0-9-]+)"
)
_ALIAS_ARN = re.compile(
    r"arn:(aws|aws-cn|aws-us-gov):kms:(?P<region>[a-z0-9-]+):\d{12}:(?P<alias>alias/[A-Za-z0-9/_-]+)"
)
_KEY_ID = re.compile(r"(mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})")
_ALIAS = re.compile(r"alias/[A-Za-z0-9/_-]+")
_MANAGED_ALIAS = "alias/aws/ebs"


def managed_key(account: str, region: str) -> str:
    """The ARN of the AWS-managed key of EBS."""
    key = uuid.uuid5(uuid.NAMESPACE_URL, f"aws/ebs/{account}/{region}")
    return f"arn:{partition_of(region)}:kms:{region}:{account}:key/{key}"


def is_managed(arn: str | None) -> bool:
    """Whether it is the ARN of an AWS-managed key of EBS."""
    match = _KEY_ARN.fullmatch(arn or "")
    return match is not None and arn == managed_key(match["account"], match["region"])


def is_key_arn(arn: str, region: str) -> bool:
    """Whether it is well-formed, of a key (not of an alias), and of this region and its partition."""
    match = _KEY_ARN.fullmatch(arn)
    return match is not None and (match["partition"], match["region"]) == (partition_of(region), region)


def resolved(key: str, account: str, region: str, aliases: dict[str, str]) -> str | None:
    """The ARN that EC2's KmsKeyId means: key id, alias, or the ARN of either; None where it is malformed.

    `aliases` has the ARN for each `alias/...`; one that is not there becomes the ARN of a key that does not exist.
    """
    if _KEY_ARN.fullmatch(key):
        return key if is_key_arn(key, region) else None
    prefix = f"arn:{partition_of(region)}:kms:{region}:{account}:key/"
    if _KEY_ID.fullmatch(key):
        return prefix + key
    if match := _ALIAS_ARN.fullmatch(key):
        if match["region"] != region:
            return None
        key = match["alias"]
    if not _ALIAS.fullmatch(key):
        return None
    if key == _MANAGED_ALIAS:
        return managed_key(account, region)
    return aliases.get(key, prefix + "unknown-alias")
