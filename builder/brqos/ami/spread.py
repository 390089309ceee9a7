"""Which region's AMI is uploaded, and which is a copy of another region's. Pure.

CopyImage stays within one account and one partition, costs no upload, and may encrypt on the way but never decrypt: a
copy of an encrypted snapshot is encrypted, with the account's default key where none is given.
"""

from brqos.config.ami import AmiSpec

_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}


def partition_of(region: str) -> str:
    """`aws`, `aws-cn` or `aws-us-gov`, as the region's name tells."""
    return next((partition for prefix, partition in _PARTITIONS.items() if region.startswith(prefix)), "aws")


def sources(spec: AmiSpec) -> dict[str, str | None]:
    """For every region, in order, the region that its AMI is copied from; None where the images are uploaded to it.

    The first region of each account and partition is uploaded to, the others copy from it. Regions count as of one
    account if they are reached with the same profile and role.
    """
    first: dict[tuple[str, str | None, str | None], str] = {}
    found: dict[str, str | None] = {}
    for region in dict.fromkeys(spec.regions):
        base = first.setdefault(_account_of(spec, region), region)
        decrypts = base in spec.kms_keys and region not in spec.kms_keys
        found[region] = None if base == region or spec.direct_upload or decrypts else base
    return found


def _account_of(spec: AmiSpec, region: str) -> tuple[str, str | None, str | None]:
    profile = spec.region_profiles.get(region, spec.profile)
    role = spec.region_roles.get(region, spec.role)
    return partition_of(region), profile, role
