"""CopyImage: a new image, with new snapshots that hold the same blocks, in this region or from another one.

Rules: the reference of CopyImage and "Copy an Amazon EC2 AMI" in the guide. Launch permissions, deprecation and
protection stay behind; tags come along only where CopyImageTags says so; what is encrypted stays encrypted, with the
key that is named or the target region's default one.
"""

from typing import Any

from brqos.rehearsal.emulator import kms
from brqos.rehearsal.emulator.ec2.call import Ec2Call, action, checked_id
from brqos.rehearsal.emulator.ec2.idempotency import once
from brqos.rehearsal.emulator.ec2.images import check_name_is_free
from brqos.rehearsal.emulator.ec2.registration import checked_description, checked_name, tags_for
from brqos.rehearsal.emulator.partitions import is_region, partition_of
from brqos.rehearsal.emulator.store import Image, Snapshot
from brqos.rehearsal.emulator.wire import ServiceError

_NO_KEY = "Given key ID is not accessible"


def copy_image(call: Ec2Call) -> dict[str, Any]:
    """CopyImage; raises ServiceError for whatever EC2 refuses."""
    return once(call, call.store.copy_tokens, lambda call: {"imageId": _copy(call).id})


def _copy(call: Ec2Call) -> Image:
    name = checked_name(call.asked)
    description = checked_description(call.asked.get("Description", ""))
    tags = tags_for(call.asked.get("TagSpecification", []), "image", "snapshot")
    source = _source(call)
    check_name_is_free(call, name)
    key = _key(call)
    if call.flag("CopyImageTags") and source.owner == call.caller.account:
        tags["image"] = {**source.tags, **tags["image"]}
    usable = key is None or call.store.has_key(key)
    fails = call.faults.copy_fails()
    image = Image(
        id=call.store.new_id("ami"),
        region=call.caller.region,
        owner=call.caller.account,
        created_at=call.now,
        ready_at=call.now + call.store.delay,
        attributes={
            **{name: value for name, value in source.attributes.items() if name != "description"},
            "name": name,
            **({"description": description} if description else {}),
            "sourceImageId": source.id,
            "sourceImageRegion": source.region,
        },
        mappings=[],
        tags=tags["image"],
        fails=fails or not usable,
        reason="The image could not be copied" if usable else _NO_KEY,
    )
    image.mappings = [
        _copied_mapping(call, mapping, image, source, key, tags["snapshot"]) for mapping in source.mappings
    ]
    call.store.images[image.id] = image
    return image


def _source(call: Ec2Call) -> Image:
    region = call.required("SourceRegion")
    if not is_region(region) or partition_of(region) != call.caller.partition:
        raise ServiceError("InvalidParameterValue", f"Value ({region}) for parameter sourceRegion is invalid.")
    source_id = checked_id("ami", call.required("SourceImageId"), "InvalidAMIID.Malformed")
    source = call.store.images.get(source_id)
    if source is None or source.region != region or not call.store.visible(source, call.caller.account):
        raise ServiceError("InvalidAMIID.NotFound", f"The image id '[{source_id}]' does not exist")
    if (state := source.state(call.now)) != "available":
        raise ServiceError("InvalidAMIID.Unavailable", f"The image {source_id} is {state}, it cannot be copied")
    for snapshot_id in source.snapshots():
        snapshot = call.store.snapshots.get(snapshot_id)
        if snapshot is None or not snapshot.visible_to(call.caller.account):
            message = "You do not have permission to access the storage of this ami"
            raise ServiceError("InvalidRequest", message)
    return source


def _key(call: Ec2Call) -> str | None:
    """The ARN of the key that was asked for, or that is used where none was; None where nothing is to be encrypted."""
    account, region = call.caller.account, call.caller.region
    encrypted = call.flag("Encrypted") or call.store.settings(region, account).encryption_by_default
    if (asked := call.asked.get("KmsKeyId")) is None:
        return call.store.default_key(region, account) if encrypted else None
    if not encrypted:
        raise ServiceError("InvalidParameterDependency", "KmsKeyId requires Encrypted to be true")
    key = kms.resolved(str(asked), account, region, call.store.kms_aliases)
    if key is None:
        raise ServiceError("InvalidParameterValue", f"Value ({asked}) for parameter KmsKeyId is invalid in {region}.")
    # Whether the key exists is found out while copying: the call succeeds, the image fails.
    return key


def _copied_mapping(
    call: Ec2Call, mapping: dict[str, Any], image: Image, source: Image, key: str | None, tags: dict[str, str]
) -> dict[str, Any]:
    ebs = mapping.get("ebs")
    if not ebs or not ebs.get("snapshotId"):
        return {**mapping, **({"ebs": dict(ebs)} if ebs else {})}
    origin = call.store.snapshots[ebs["snapshotId"]]
    if key is None and origin.encrypted:
        key = call.store.default_key(call.caller.region, call.caller.account)
    snapshot = Snapshot(
        id=call.store.new_id("snap"),
        region=call.caller.region,
        owner=call.caller.account,
        volume_gib=origin.volume_gib,
        description=(
            f"Copied for DestinationAmi {image.id} from SourceAmi {source.id} for SourceSnapshot {origin.id}. "
            f"Task created on {int(call.now * 1000):,}."
        ),
        tags=dict(tags),
        timeout_seconds=origin.timeout_seconds,
        started_at=call.now,
        written_at=call.now,
        kms_key=key,
        encrypted=key is not None,
        sealed_at=call.now,
        ready_at=image.ready_at,
        fails=image.fails,
    )
    call.store.add_copy(snapshot, origin)
    return {**mapping, "ebs": {**ebs, "snapshotId": snapshot.id, "encrypted": snapshot.encrypted, "kmsKeyId": key}}


ACTIONS = {
    "CopyImage": action(
        copy_image,
        "ClientToken",
        "Description",
        "Encrypted",
        "KmsKeyId",
        "Name",
        "SourceImageId",
        "SourceRegion",
        "CopyImageTags",
        "TagSpecification",
        "SnapshotCopyCompletionDurationMinutes",
    )
}
