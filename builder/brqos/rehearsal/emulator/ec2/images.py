"""EC2's calls that make, show and remove images."""

from collections.abc import Mapping
from typing import Any

from brqos.rehearsal.emulator.ec2.call import Ec2Call, action
from brqos.rehearsal.emulator.ec2.filters import selected
from brqos.rehearsal.emulator.ec2.image_view import fields, find_own, find_visible, shown
from brqos.rehearsal.emulator.ec2.registration import MEMBERS, check_registration
from brqos.rehearsal.emulator.ec2.snapshots import find_snapshot
from brqos.rehearsal.emulator.store import Grant, Image
from brqos.rehearsal.emulator.wire import ServiceError

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


def register_image(call: Ec2Call) -> dict[str, Any]:
    """RegisterImage; raises ServiceError for whatever EC2 refuses."""
    asked = call.asked
    registration = check_registration(asked)
    check_name_is_free(call, registration.name)
    mappings = [_checked_mapping(call, mapping) for mapping in registration.mappings]
    image = Image(
        id=call.store.new_id("ami"),
        region=call.caller.region,
        owner=call.caller.account,
        created_at=call.now,
        ready_at=call.now + call.store.delay,
        attributes={
            **{name: asked[member] for member, name in _ECHOED.items() if member in asked},
            "architecture": asked.get("Architecture", "i386"),
            "virtualizationType": asked.get("VirtualizationType", "paravirtual"),
            "enaSupport": asked.get("EnaSupport") == "true",
            "uefiData": asked.get("UefiData"),
        },
        mappings=mappings,
        tags=registration.tags,
        fails=call.faults.image_fails(),
    )
    call.store.images[image.id] = image
    return {"imageId": image.id}


def check_name_is_free(call: Ec2Call, name: str) -> None:
    """A name is taken once per account and region; raises ServiceError."""
    for image in call.store.images.values():
        if call.here(image) and image.attributes["name"] == name:
            message = f"AMI name {name} is already in use by AMI {image.id}"
            raise ServiceError("InvalidAMIName.Duplicate", message)


def _checked_mapping(call: Ec2Call, mapping: Mapping[str, Any]) -> dict[str, Any]:
    ebs = dict(mapping.get("Ebs", {}))
    told: dict[str, Any] = {"deviceName": mapping["DeviceName"]}
    for name, key in (("NoDevice", "noDevice"), ("VirtualName", "virtualName")):
        if name in mapping:
            told[key] = mapping[name]
    if not ebs:
        return told
    size = int(ebs["VolumeSize"]) if "VolumeSize" in ebs else None
    encrypted, key_arn = ebs.get("Encrypted") == "true", None
    if snapshot_id := ebs.get("SnapshotId"):
        snapshot = find_snapshot(call, snapshot_id)
        if (state := snapshot.state(call.now)) != "completed":
            raise ServiceError("IncorrectState", f"Snapshot {snapshot_id} is in invalid state - {state}")
        if size is not None and size < snapshot.volume_gib:
            raise ServiceError(
                "InvalidBlockDeviceMapping",
                f"Volume of size {size}GB is smaller than snapshot '{snapshot_id}', "
                f"expect size >= {snapshot.volume_gib}GB",
            )
        size = size or snapshot.volume_gib
        encrypted, key_arn = snapshot.encrypted, snapshot.kms_key
    told["ebs"] = {
        "deleteOnTermination": ebs.get("DeleteOnTermination", "true") == "true",
        "snapshotId": ebs.get("SnapshotId"),
        "volumeSize": size,
        "volumeType": ebs.get("VolumeType", "gp2"),
        "iops": ebs.get("Iops"),
        "throughput": ebs.get("Throughput"),
        "encrypted": encrypted,
        "kmsKeyId": key_arn,
    }
    return told


def describe_images(call: Ec2Call) -> dict[str, Any]:
    """DescribeImages, by id, owner, launch permission and filters; a page of them."""
    ids = call.asked.get("ImageId")
    for image_id in ids or []:
        image = find_visible(call, image_id)
        if call.now < image.created_at + call.faults.unknown_after_making:
            raise ServiceError("InvalidAMIID.NotFound", f"The image id '[{image_id}]' does not exist")
    chosen = [image for image in call.store.images.values() if _is_asked_for(call, image)]
    chosen = selected(chosen, call.asked.get("Filter", []), fields(call), lambda image: image.tags)
    page, token = call.page("DescribeImages", chosen, lambda image: image.id, ids="ImageId", least=1)
    return {"imagesSet": [shown(call, image) for image in page], "nextToken": token}


def _is_asked_for(call: Ec2Call, image: Image) -> bool:
    asked, account = call.asked, call.caller.account
    if image.region != call.caller.region or not call.store.visible(image, account):
        return False
    if (ids := asked.get("ImageId")) and image.id not in ids:
        return False
    if (owners := asked.get("Owner")) and image.owner not in [account if it == "self" else it for it in owners]:
        return False
    if (users := asked.get("ExecutableBy")) and not any(_executable(image, user, account) for user in users):
        return False
    if image.disabled and not call.flag("IncludeDisabled"):
        return False
    deprecated = image.deprecated_at is not None and image.deprecated_at <= call.now
    # The owner sees deprecated images in any case, others those that they ask for by id.
    return not deprecated or image.owner == account or call.flag("IncludeDeprecated") or bool(ids)


def _executable(image: Image, user: str, account: str) -> bool:
    """Whether the launch permissions name that user: an account, `self` or `all`; being the owner does not count."""
    if user == "all":
        return image.public
    return Grant("UserId", account if user == "self" else user) in image.permissions


def deregister_image(call: Ec2Call) -> dict[str, Any]:
    """DeregisterImage; with DeleteAssociatedSnapshots also what no other AMI holds."""
    image = find_own(call, call.required("ImageId"))
    if image.protection.startswith("enabled") or call.now < image.protected_until:
        message = f"You can't deregister the image {image.id}: deregistration protection is on, or its cooldown lasts."
        raise ServiceError("OperationNotPermitted", message)
    del call.store.images[image.id]
    results = []
    if call.flag("DeleteAssociatedSnapshots"):
        for snapshot_id in sorted(set(image.snapshots())):
            snapshot = call.store.snapshots.get(snapshot_id)
            if snapshot is None or snapshot.owner != image.owner or call.store.holders(snapshot_id):
                results.append({"snapshotId": snapshot_id, "returnCode": "skipped"})
            else:
                call.store.forget(snapshot)
                results.append({"snapshotId": snapshot_id, "returnCode": "success"})
    return {"return": True, "deleteSnapshotResultSet": results}


ACTIONS = {
    "RegisterImage": action(register_image, *MEMBERS),
    "DescribeImages": action(
        describe_images,
        "ExecutableBy",
        "ImageId",
        "Owner",
        "IncludeDeprecated",
        "IncludeDisabled",
        "MaxResults",
        "NextToken",
        "Filter",
    ),
    "DeregisterImage": action(deregister_image, "ImageId", "DeleteAssociatedSnapshots"),
}
