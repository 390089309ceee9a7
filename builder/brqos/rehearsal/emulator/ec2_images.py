"""EC2's calls for images: register, describe, deregister."""

from collections.abc import Iterable, Mapping
from typing import Any

from brqos.rehearsal.emulator.ec2_snapshots import find_snapshot, tag_set, timestamp
from brqos.rehearsal.emulator.faults import Faults
from brqos.rehearsal.emulator.filters import matches
from brqos.rehearsal.emulator.registration import check_registration
from brqos.rehearsal.emulator.store import Image, Store
from brqos.rehearsal.emulator.wire import Caller, ServiceError

_ECHOED = {
    "Name": "name",
    "Description": "description",
    "Architecture": "architecture",
    "RootDeviceName": "rootDeviceName",
    "VirtualizationType": "virtualizationType",
    "SriovNetSupport": "sriovNetSupport",
    "BootMode": "bootMode",
    "TpmSupport": "tpmSupport",
    "ImdsSupport": "imdsSupport",
}


def register_image(store: Store, faults: Faults, asked: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
    """RegisterImage; raises ServiceError for whatever EC2 refuses."""
    registration = check_registration(asked)
    for image in _owned(store, caller):
        if image.attributes["name"] == registration.name:
            message = f"AMI name {registration.name} is already in use by AMI {image.id}"
            raise ServiceError("InvalidAMIName.Duplicate", message)
    mappings = [_checked_mapping(store, mapping, caller) for mapping in registration.mappings]
    now = store.clock()
    image = Image(
        id=store.new_id("ami"),
        region=caller.region,
        owner=caller.account,
        created_at=now,
        ready_at=now + store.delay,
        attributes={
            **{shown: asked[name] for name, shown in _ECHOED.items() if name in asked},
            "enaSupport": asked.get("EnaSupport") == "true",
            "uefiData": asked.get("UefiData"),
        },
        mappings=mappings,
        tags=registration.tags,
        fails=faults.image_fails(),
    )
    store.images[image.id] = image
    return {"imageId": image.id}


def _checked_mapping(store: Store, mapping: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
    ebs = dict(mapping.get("Ebs", {}))
    shown: dict[str, Any] = {"deviceName": mapping["DeviceName"]}
    for name, key in (("NoDevice", "noDevice"), ("VirtualName", "virtualName")):
        if name in mapping:
            shown[key] = mapping[name]
    if not ebs:
        return shown
    size = int(ebs["VolumeSize"]) if "VolumeSize" in ebs else None
    encrypted = ebs.get("Encrypted") == "true"
    if snapshot_id := ebs.get("SnapshotId"):
        snapshot = find_snapshot(store, snapshot_id, caller)
        if (state := snapshot.state(store.clock())) != "completed":
            raise ServiceError("IncorrectState", f"Snapshot {snapshot_id} is in invalid state - {state}")
        if size is not None and size < snapshot.volume_gib:
            raise ServiceError(
                "InvalidBlockDeviceMapping",
                f"Volume of size {size}GB is smaller than snapshot '{snapshot_id}', "
                f"expect size >= {snapshot.volume_gib}GB",
            )
        size = size or snapshot.volume_gib
        encrypted = snapshot.encrypted
    shown["ebs"] = {
        "deleteOnTermination": ebs.get("DeleteOnTermination", "true") == "true",
        "snapshotId": ebs.get("SnapshotId"),
        "volumeSize": size,
        "volumeType": ebs.get("VolumeType", "gp2"),
        "iops": ebs.get("Iops"),
        "throughput": ebs.get("Throughput"),
        "encrypted": encrypted,
    }
    return shown


def describe_images(store: Store, asked: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
    """DescribeImages, by id, owner and filters."""
    if any(owner not in ("self", caller.account) for owner in asked.get("Owner", [])):
        return {"imagesSet": []}
    chosen = list(_owned(store, caller))
    if ids := asked.get("ImageId"):
        for image_id in ids:
            _find(store, image_id, caller)
        chosen = [image for image in chosen if image.id in ids]
    filters = asked.get("Filter", [])
    return {"imagesSet": [_shown(image, store) for image in chosen if _matches(image, filters, store)]}


def deregister_image(store: Store, asked: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
    """DeregisterImage; with DeleteAssociatedSnapshots also what no other AMI holds."""
    image = _find(store, str(asked.get("ImageId", "")), caller)
    del store.images[image.id]
    results = []
    if asked.get("DeleteAssociatedSnapshots") == "true":
        held = {snapshot for other in store.images.values() for snapshot in other.snapshots()}
        for snapshot_id in sorted(set(image.snapshots())):
            if snapshot_id in held or snapshot_id not in store.snapshots:
                results.append({"snapshotId": snapshot_id, "returnCode": "skipped"})
            else:
                store.forget(store.snapshots[snapshot_id])
                results.append({"snapshotId": snapshot_id, "returnCode": "success"})
    return {"return": True, "deleteSnapshotResultSet": results}


def _owned(store: Store, caller: Caller) -> Iterable[Image]:
    return [item for item in store.images.values() if (item.region, item.owner) == (caller.region, caller.account)]


def _find(store: Store, image_id: str, caller: Caller) -> Image:
    image = store.images.get(image_id)
    if image is None or (image.region, image.owner) != (caller.region, caller.account):
        raise ServiceError("InvalidAMIID.NotFound", f"The image id '[{image_id}]' does not exist")
    return image


def _matches(image: Image, filters: list[Mapping[str, Any]], store: Store) -> bool:
    attributes = image.attributes
    fields = {
        "name": lambda: str(attributes["name"]),
        "image-id": lambda: image.id,
        "state": lambda: image.state(store.clock()),
        "owner-id": lambda: image.owner,
        "architecture": lambda: attributes.get("architecture"),
        "image-type": lambda: "machine",
        "virtualization-type": lambda: attributes.get("virtualizationType"),
        "root-device-name": lambda: attributes.get("rootDeviceName"),
        "description": lambda: attributes.get("description"),
    }
    return matches(filters, fields, image.tags)


def _shown(image: Image, store: Store) -> dict[str, Any]:
    state = image.state(store.clock())
    reason = {"code": "Client.InternalError", "message": "The image could not be made"}
    return {
        "imageId": image.id,
        "imageLocation": f"{image.owner}/{image.attributes['name']}",
        "imageState": state,
        "stateReason": reason if state == "failed" else None,
        "imageOwnerId": image.owner,
        "creationDate": timestamp(image.created_at),
        "isPublic": False,
        "imageType": "machine",
        "hypervisor": "xen",
        "rootDeviceType": "ebs",
        "platformDetails": "Linux/UNIX",
        "usageOperation": "RunInstances",
        # UEFI data is told by DescribeImageAttribute only.
        **{name: value for name, value in image.attributes.items() if name != "uefiData"},
        "blockDeviceMapping": image.mappings,
        "tagSet": tag_set(image.tags),
    }
