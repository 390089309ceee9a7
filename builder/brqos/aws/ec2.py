"""EC2: the calls that find, make and remove images and snapshots."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from brqos.aws.errors import translated

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import FilterTypeDef, ImageTypeDef, SnapshotTypeDef, TagTypeDef

# Whoever asks for everything at once is the first to be throttled.
_PAGE = 500


@dataclass(frozen=True, slots=True)
class DescribedSnapshot:
    """A snapshot as DescribeSnapshots tells it."""

    id: str
    state: str
    message: str
    volume_gib: int
    encrypted: bool
    tags: Mapping[str, str]
    kms_key: str | None = None
    started: datetime | None = None


@dataclass(frozen=True, slots=True)
class DescribedImage:
    """An image as DescribeImages tells it; `attributes` are named as RegisterImage names them."""

    id: str
    name: str
    state: str
    reason: str
    tags: Mapping[str, str]
    attributes: Mapping[str, Any]
    mappings: Mapping[str, Mapping[str, Any]]
    """Per device its EBS settings."""
    public: bool = False
    created: datetime | None = None
    deprecated_at: datetime | None = None
    protection: str = "disabled"
    """`disabled`, `enabled-with-cooldown` or `enabled-without-cooldown`."""


class Ec2:
    """EC2 in one region; safe to use from any thread. All methods raise AwsCallError."""

    def __init__(self, client: "EC2Client", once: "EC2Client", region: str, profile: str | None) -> None:
        self._client = client
        self._once = once
        self._profile = profile
        self.region = region

    def images_named(self, name: str) -> list[DescribedImage]:
        """Our own images of that name, deprecated and disabled ones too: their names are taken as well."""
        # The filter knows wildcards; a name cannot hold them, so nothing has to be escaped.
        with translated("DescribeImages", self.region, self._profile):
            answer = self._client.describe_images(
                Owners=["self"], Filters=[{"Name": "name", "Values": [name]}], IncludeDisabled=True
            )
        return [_image(image) for image in answer.get("Images", [])]

    def image(self, image_id: str) -> DescribedImage | None:
        """One image; None where the answer does not hold it."""
        with translated("DescribeImages", self.region, self._profile):
            answer = self._client.describe_images(ImageIds=[image_id], IncludeDisabled=True)
        return next((_image(image) for image in answer.get("Images", [])), None)

    def image_of_instance(self, instance_id: str) -> str | None:
        """The id of the image that an instance runs from; None where the answer does not hold the instance."""
        filters: list[FilterTypeDef] = [{"Name": "instance-id", "Values": [instance_id]}]
        with translated("DescribeInstances", self.region, self._profile):
            answer = self._client.describe_instances(Filters=filters)
        found = [each for reservation in answer.get("Reservations", []) for each in reservation.get("Instances", [])]
        return found[0].get("ImageId") if found else None

    def register_image(self, parameters: Mapping[str, Any]) -> str:
        """Register an image and return its id; made once, since a repetition may find its own result."""
        with translated("RegisterImage", self.region, self._profile):
            return self._once.register_image(**cast("Any", parameters))["ImageId"]

    def copy_image(self, parameters: Mapping[str, Any], *, token: str) -> str:
        """Copy an image to this region and return the copy's id; with the token of an earlier call that one's answer.

        `parameters` are CopyImage's, ClientToken aside.
        """
        with translated("CopyImage", self.region, self._profile):
            return self._client.copy_image(**cast("Any", parameters), ClientToken=token)["ImageId"]

    def tag(self, resource: str, tags: Mapping[str, str]) -> None:
        """Put tags on an image or a snapshot; others stay."""
        with translated("CreateTags", self.region, self._profile):
            listed = [{"Key": key, "Value": value} for key, value in tags.items()]
            self._client.create_tags(Resources=[resource], Tags=cast("Any", listed))

    def snapshot(self, snapshot_id: str) -> DescribedSnapshot | None:
        """One snapshot; None where the answer does not hold it."""
        with translated("DescribeSnapshots", self.region, self._profile):
            answer = self._client.describe_snapshots(SnapshotIds=[snapshot_id])
        return next((_snapshot(item) for item in answer.get("Snapshots", [])), None)

    def snapshots_tagged(self, tags: Mapping[str, str], *, volume_gib: int) -> list[DescribedSnapshot]:
        """Our own completed snapshots of that size with all these tags."""
        filters: list[FilterTypeDef] = [
            {"Name": "status", "Values": ["completed"]},
            {"Name": "volume-size", "Values": [str(volume_gib)]},
        ]
        filters += [{"Name": f"tag:{key}", "Values": [value]} for key, value in tags.items()]
        with translated("DescribeSnapshots", self.region, self._profile):
            pages = self._client.get_paginator("describe_snapshots").paginate(OwnerIds=["self"], Filters=filters)
            return [_snapshot(item) for page in pages for item in page.get("Snapshots", [])]

    def own_images(self, tags: Mapping[str, str] | None = None) -> list[DescribedImage]:
        """All images of the account, in any state and whoever made them; with `tags` those that have all of these."""
        wanted = (tags or {}).items()
        filters: list[FilterTypeDef] = [{"Name": f"tag:{key}", "Values": [value]} for key, value in wanted]
        with translated("DescribeImages", self.region, self._profile):
            pages = self._client.get_paginator("describe_images").paginate(
                Owners=["self"], IncludeDisabled=True, Filters=filters, PaginationConfig={"PageSize": _PAGE}
            )
            return [_image(image) for page in pages for image in page.get("Images", [])]

    def own_snapshots(self, tags: Mapping[str, str]) -> list[DescribedSnapshot]:
        """The account's snapshots with all these tags, in any state."""
        filters: list[FilterTypeDef] = [{"Name": f"tag:{key}", "Values": [value]} for key, value in tags.items()]
        with translated("DescribeSnapshots", self.region, self._profile):
            pages = self._client.get_paginator("describe_snapshots").paginate(
                OwnerIds=["self"], Filters=filters, PaginationConfig={"PageSize": _PAGE}
            )
            return [_snapshot(item) for page in pages for item in page.get("Snapshots", [])]

    def deregister_image(self, image_id: str) -> None:
        """Deregister an image; its snapshots stay."""
        with translated("DeregisterImage", self.region, self._profile):
            self._client.deregister_image(ImageId=image_id)

    def delete_snapshot(self, snapshot_id: str) -> None:
        """Delete a snapshot."""
        with translated("DeleteSnapshot", self.region, self._profile):
            self._client.delete_snapshot(SnapshotId=snapshot_id)


_ATTRIBUTES = (
    "Architecture", "Description", "RootDeviceName", "VirtualizationType", "EnaSupport", "SriovNetSupport", "BootMode",
    "ImdsSupport", "TpmSupport",
)  # fmt: skip


def _image(image: "ImageTypeDef") -> DescribedImage:
    told = cast("Mapping[str, Any]", image)
    return DescribedImage(
        id=image["ImageId"],
        name=image.get("Name", ""),
        state=image.get("State", ""),
        reason=image.get("StateReason", {}).get("Message", ""),
        tags=_tags(image.get("Tags", [])),
        attributes={name: told[name] for name in _ATTRIBUTES if told.get(name) is not None},
        mappings={
            mapping.get("DeviceName", ""): cast("Mapping[str, Any]", mapping["Ebs"])
            for mapping in image.get("BlockDeviceMappings", [])
            if "Ebs" in mapping
        },
        public=image.get("Public", False),
        created=_time(image.get("CreationDate")),
        deprecated_at=_time(image.get("DeprecationTime")),
        protection=image.get("DeregistrationProtection", "disabled"),
    )


def _snapshot(item: "SnapshotTypeDef") -> DescribedSnapshot:
    return DescribedSnapshot(
        id=item["SnapshotId"],
        state=item.get("State", ""),
        message=item.get("StateMessage", ""),
        volume_gib=item.get("VolumeSize", 0),
        encrypted=item.get("Encrypted", False),
        tags=_tags(item.get("Tags", [])),
        kms_key=item.get("KmsKeyId"),
        started=item.get("StartTime"),
    )


def _time(text: str | None) -> datetime | None:
    # DescribeImages tells its times as text, DescribeSnapshots as times.
    return datetime.fromisoformat(text) if text else None


def _tags(tags: "list[TagTypeDef]") -> dict[str, str]:
    return {tag.get("Key", ""): tag.get("Value", "") for tag in tags}
