"""How DescribeImages shows and filters images, and how all actions find them."""

from collections.abc import Callable
from typing import Any

from brqos.rehearsal.emulator.ec2.call import Ec2Call, checked_id, tag_set, timestamp
from brqos.rehearsal.emulator.ec2.filters import Fields
from brqos.rehearsal.emulator.store import Image
from brqos.rehearsal.emulator.wire import ServiceError

_NOT_SHOWN = ("uefiData",)


def find_own(call: Ec2Call, image_id: str) -> Image:
    """The caller's own image of that id; raises ServiceError, in other words for an image of somebody else."""
    image = find_visible(call, image_id)
    if image.owner != call.caller.account:
        raise ServiceError("AuthFailure", f"Not authorized for image:{image_id}", status=403)
    return image


def find_visible(call: Ec2Call, image_id: str) -> Image:
    """The image of that id, the caller's or shared with them; raises ServiceError."""
    checked_id("ami", image_id, "InvalidAMIID.Malformed")
    image = call.store.images.get(image_id)
    if image is None or image.region != call.caller.region or not call.store.visible(image, call.caller.account):
        raise ServiceError("InvalidAMIID.NotFound", f"The image id '[{image_id}]' does not exist")
    return image


def fields(call: Ec2Call) -> Fields[Image]:
    """The filters of DescribeImages, those of tags apart."""

    def attribute(name: str) -> Callable[[Image], str | None]:
        return lambda image: image.attributes.get(name)

    def devices(name: str) -> Callable[[Image], list[str]]:
        return lambda image: [
            _text(mapping["ebs"][name]) for mapping in image.mappings if mapping.get("ebs", {}).get(name) is not None
        ]

    return {
        "name": attribute("name"),
        "description": attribute("description"),
        "architecture": attribute("architecture"),
        "virtualization-type": attribute("virtualizationType"),
        "root-device-name": attribute("rootDeviceName"),
        "boot-mode": attribute("bootMode"),
        "sriov-net-support": attribute("sriovNetSupport"),
        "source-image-id": attribute("sourceImageId"),
        "source-image-region": attribute("sourceImageRegion"),
        "image-id": lambda image: image.id,
        "state": lambda image: image.state(call.now),
        "owner-id": lambda image: image.owner,
        "owner-alias": lambda _: None,
        "image-type": lambda _: "machine",
        "is-public": lambda image: _text(image.public),
        "creation-date": lambda image: timestamp(image.created_at),
        "root-device-type": lambda _: "ebs",
        "hypervisor": lambda _: "xen",
        "ena-support": lambda image: _text(image.attributes["enaSupport"]),
        "block-device-mapping.device-name": lambda image: [mapping["deviceName"] for mapping in image.mappings],
        "block-device-mapping.snapshot-id": devices("snapshotId"),
        "block-device-mapping.volume-size": devices("volumeSize"),
        "block-device-mapping.volume-type": devices("volumeType"),
        "block-device-mapping.delete-on-termination": devices("deleteOnTermination"),
        "block-device-mapping.encrypted": devices("encrypted"),
    }


def shown(call: Ec2Call, image: Image) -> dict[str, Any]:
    """An image as DescribeImages tells it."""
    state = image.state(call.now)
    own = image.owner == call.caller.account
    failure = {"code": "Client.InternalError", "message": image.reason}
    return {
        "imageId": image.id,
        "imageLocation": f"{image.owner}/{image.attributes['name']}",
        "imageState": state,
        "stateReason": failure if state == "failed" else None,
        "imageOwnerId": image.owner,
        "creationDate": timestamp(image.created_at),
        "isPublic": image.public,
        "imageType": "machine",
        "hypervisor": "xen",
        "rootDeviceType": "ebs",
        "platformDetails": "Linux/UNIX",
        "usageOperation": "RunInstances",
        **{name: value for name, value in image.attributes.items() if name not in _NOT_SHOWN},
        "blockDeviceMapping": image.mappings,
        # Tags are the owner's affair: those who an image is shared with do not see them.
        "tagSet": tag_set(image.tags) if own else None,
        "deprecationTime": None if image.deprecated_at is None else timestamp(image.deprecated_at),
        "deregistrationProtection": image.protection if own else None,
        "lastLaunchedTime": timestamp(image.launched_at) if own and image.launched_at is not None else None,
    }


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
