"""Regions and the partitions that they lie in."""

import re

COMMERCIAL = (
    "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2",
    "ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1", "us-east-1",
    "us-east-2", "us-west-1", "us-west-2",
)  # fmt: skip
"""Regions that are enabled in every account."""
OPT_IN = (
    "af-south-1", "ap-east-1", "ap-south-2", "ap-southeast-3", "ap-southeast-4", "ca-west-1", "eu-central-2",
    "eu-south-1", "eu-south-2", "il-central-1", "me-central-1", "me-south-1",
)  # fmt: skip
"""Regions that an account has to be opted into."""
CHINA = ("cn-north-1", "cn-northwest-1")
GOV = ("us-gov-east-1", "us-gov-west-1")

_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d+")


def partition_of(region: str) -> str:
    """`aws`, `aws-cn` or `aws-us-gov`."""
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"


def domain_of(region: str) -> str:
    """The domain of a region's endpoints."""
    return "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"


def is_region(name: str) -> bool:
    """Whether it is spelt like a region."""
    return _REGION.fullmatch(name) is not None


def regions_of(partition: str) -> tuple[str, ...]:
    """All regions of a partition."""
    return {"aws-cn": CHINA, "aws-us-gov": GOV}.get(partition, (*COMMERCIAL, *OPT_IN))
