"""EC2: who may use an image and its snapshots, the marks of an image, and the account's settings that concern them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from brqos.aws.errors import translated

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import LaunchPermissionTypeDef

_T = TypeVar("_T")

_EVERYBODY = "all"
# ModifySnapshotAttribute's documentation: "You can make up to 500 modifications to a snapshot in a single operation."
_MOST_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Grants:
    """Who something is shared with; `public` is EC2's group `all`."""

    accounts: frozenset[str] = frozenset()
    organizations: frozenset[str] = frozenset()
    ous: frozenset[str] = frozenset()
    public: bool = False

    def __bool__(self) -> bool:
        return bool(self.accounts or self.organizations or self.ous or self.public)

    def __sub__(self, other: "Grants") -> "Grants":
        return Grants(
            self.accounts - other.accounts,
            self.organizations - other.organizations,
            self.ous - other.ous,
            self.public and not other.public,
        )

    @property
    def names(self) -> tuple[str, ...]:
        """All of them in a fixed order: accounts, organizations, organizational units, `all`."""
        everybody = (_EVERYBODY,) if self.public else ()
        return (*sorted(self.accounts), *sorted(self.organizations), *sorted(self.ous), *everybody)


@dataclass(frozen=True, slots=True)
class BlockPublicAccess:
    """Whether the account blocks public sharing in the region.

    `state` is `unblocked`, `block-new-sharing` or (snapshots only) `block-all-sharing`; `managed_by` is `account` or
    `declarative-policy`, which the account itself cannot change.
    """

    state: str
    managed_by: str = "account"

    @property
    def blocked(self) -> bool:
        """Whether nothing can be made public."""
        return self.state != "unblocked"


class ImageAttributes:
    """Image and snapshot attributes in one region; safe to use from any thread. All methods raise AwsCallError.

    Every call that changes something may be repeated: what is there already stays as it is.
    """

    def __init__(self, client: "EC2Client", region: str, profile: str | None) -> None:
        self._client = client
        self._profile = profile
        self.region = region

    def launch_permissions(self, image_id: str) -> Grants:
        """Who besides the owner may launch an image."""
        with translated("DescribeImageAttribute", self.region, self._profile):
            answer = self._client.describe_image_attribute(ImageId=image_id, Attribute="launchPermission")
        told = answer.get("LaunchPermissions", [])
        return Grants(
            accounts=frozenset(item["UserId"] for item in told if item.get("UserId")),
            organizations=frozenset(item["OrganizationArn"] for item in told if item.get("OrganizationArn")),
            ous=frozenset(item["OrganizationalUnitArn"] for item in told if item.get("OrganizationalUnitArn")),
            public=any(item.get("Group") == _EVERYBODY for item in told),
        )

    def share_image(self, image_id: str, grants: Grants) -> None:
        """Let them launch an image too; nobody loses anything."""
        for batch in _batches(_launch_permissions(grants)):
            with translated("ModifyImageAttribute", self.region, self._profile):
                self._client.modify_image_attribute(ImageId=image_id, LaunchPermission={"Add": batch})

    def snapshot_permissions(self, snapshot_id: str) -> Grants:
        """Who besides the owner may read a snapshot: accounts, or everybody; EC2 knows no others here."""
        with translated("DescribeSnapshotAttribute", self.region, self._profile):
            answer = self._client.describe_snapshot_attribute(
                SnapshotId=snapshot_id, Attribute="createVolumePermission"
            )
        told = answer.get("CreateVolumePermissions", [])
        return Grants(
            accounts=frozenset(item["UserId"] for item in told if item.get("UserId")),
            public=any(item.get("Group") == _EVERYBODY for item in told),
        )

    def share_snapshot(self, snapshot_id: str, grants: Grants) -> None:
        """Let these accounts (or everybody) read a snapshot too; organizations cannot be given one."""
        for batch in _batches(sorted(grants.accounts)):
            with translated("ModifySnapshotAttribute", self.region, self._profile):
                self._client.modify_snapshot_attribute(
                    SnapshotId=snapshot_id, Attribute="createVolumePermission", OperationType="add", UserIds=batch
                )
        if grants.public:
            with translated("ModifySnapshotAttribute", self.region, self._profile):
                self._client.modify_snapshot_attribute(
                    SnapshotId=snapshot_id, Attribute="createVolumePermission", OperationType="add", GroupNames=["all"]
                )

    def uefi_data(self, image_id: str) -> str | None:
        """The UEFI variables of an image in base64; None where it has none."""
        with translated("DescribeImageAttribute", self.region, self._profile):
            answer = self._client.describe_image_attribute(ImageId=image_id, Attribute="uefiData")
        return answer.get("UefiData", {}).get("Value") or None

    def deprecate(self, image_id: str, at: datetime) -> None:
        """Have an image count as deprecated from `at` on; EC2 rounds it to the minute and takes no time in the past."""
        with translated("EnableImageDeprecation", self.region, self._profile):
            self._client.enable_image_deprecation(ImageId=image_id, DeprecateAt=at)

    def protect(self, image_id: str) -> None:
        """Keep an image from being deregistered, until `unprotect`."""
        with translated("EnableImageDeregistrationProtection", self.region, self._profile):
            self._client.enable_image_deregistration_protection(ImageId=image_id, WithCooldown=False)

    def unprotect(self, image_id: str) -> None:
        """Let an image be deregistered again."""
        with translated("DisableImageDeregistrationProtection", self.region, self._profile):
            self._client.disable_image_deregistration_protection(ImageId=image_id)

    def block_public_access(self) -> BlockPublicAccess:
        """Whether the account's images can be made public in this region."""
        with translated("GetImageBlockPublicAccessState", self.region, self._profile):
            answer = self._client.get_image_block_public_access_state()
        return BlockPublicAccess(answer["ImageBlockPublicAccessState"], answer.get("ManagedBy", "account"))

    def block_public_snapshots(self) -> BlockPublicAccess:
        """Whether the account's snapshots can be made public in this region."""
        with translated("GetSnapshotBlockPublicAccessState", self.region, self._profile):
            answer = self._client.get_snapshot_block_public_access_state()
        return BlockPublicAccess(answer["State"], answer.get("ManagedBy", "account"))

    def ebs_encryption_by_default(self) -> bool:
        """Whether the account encrypts every new volume and snapshot copy in this region."""
        with translated("GetEbsEncryptionByDefault", self.region, self._profile):
            return self._client.get_ebs_encryption_by_default()["EbsEncryptionByDefault"]


def _launch_permissions(grants: Grants) -> "list[LaunchPermissionTypeDef]":
    items: list[LaunchPermissionTypeDef] = [{"UserId": account} for account in sorted(grants.accounts)]
    items += [{"OrganizationArn": arn} for arn in sorted(grants.organizations)]
    items += [{"OrganizationalUnitArn": arn} for arn in sorted(grants.ous)]
    return items + ([{"Group": "all"}] if grants.public else [])


def _batches(items: Sequence[_T]) -> Iterator[list[_T]]:
    for start in range(0, len(items), _MOST_AT_ONCE):
        yield list(items[start : start + _MOST_AT_ONCE])
