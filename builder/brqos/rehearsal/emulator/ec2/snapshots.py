"""EC2's calls for snapshots: describe and delete."""

from typing import Any

from brqos.rehearsal.emulator.ec2.call import Ec2Call, action, checked_id, tag_set, timestamp
from brqos.rehearsal.emulator.ec2.filters import Fields, selected
from brqos.rehearsal.emulator.store import Snapshot
from brqos.rehearsal.emulator.wire import ServiceError


def find_snapshot(call: Ec2Call, snapshot_id: str, *, own: bool = True) -> Snapshot:
    """The snapshot of that id, the caller's own or (without `own`) one that they may use; raises ServiceError."""
    checked_id("snap", snapshot_id, "InvalidParameterValue")
    snapshot = call.store.snapshots.get(snapshot_id)
    if snapshot is None or not _usable(call, snapshot) or (own and snapshot.owner != call.caller.account):
        raise not_found(snapshot_id)
    return snapshot


def not_found(snapshot_id: str) -> ServiceError:
    """What EC2 says of a snapshot that it does not know."""
    return ServiceError("InvalidSnapshot.NotFound", f"The snapshot '{snapshot_id}' does not exist.")


def _usable(call: Ec2Call, snapshot: Snapshot) -> bool:
    return snapshot.region == call.caller.region and snapshot.visible_to(call.caller.account)


def describe_snapshots(call: Ec2Call) -> dict[str, Any]:
    """DescribeSnapshots, by id, owner, permission and filters; a page of them.

    What was only started is not shown: data that a client has not declared complete belongs to nobody yet, and a client
    that counts on finding it must not pass here.
    """
    chosen = [item for item in call.store.snapshots.values() if _is_told(call, item)]
    if ids := call.asked.get("SnapshotId"):
        known = {item.id for item in chosen if not _is_new(call, item)}
        for snapshot_id in ids:
            if checked_id("snap", snapshot_id, "InvalidParameterValue") not in known:
                raise not_found(snapshot_id)
        chosen = [item for item in chosen if item.id in ids]
    chosen = [item for item in chosen if _is_asked_for(call, item)]
    chosen = selected(chosen, call.asked.get("Filter", []), _fields(call), lambda item: item.tags)
    page, token = call.page("DescribeSnapshots", chosen, lambda item: item.id, ids="SnapshotId")
    return {"snapshotSet": [_shown(call, item) for item in page], "nextToken": token}


def _is_told(call: Ec2Call, item: Snapshot) -> bool:
    return _usable(call, item) and (item.sealed_at is not None or item.state(call.now) == "error")


def _is_new(call: Ec2Call, item: Snapshot) -> bool:
    return item.sealed_at is not None and call.now < item.sealed_at + call.faults.unknown_after_making


def _is_asked_for(call: Ec2Call, item: Snapshot) -> bool:
    account = call.caller.account
    if (owners := call.asked.get("Owner")) and item.owner not in [account if it == "self" else it for it in owners]:
        return False
    users = call.asked.get("RestorableBy")
    return not users or any(_restorable(item, account if user == "self" else user) for user in users)


def _restorable(item: Snapshot, user: str) -> bool:
    return "all" in item.permissions if user == "all" else item.visible_to(user)


def _fields(call: Ec2Call) -> Fields[Snapshot]:
    return {
        "snapshot-id": lambda item: item.id,
        "status": lambda item: item.state(call.now),
        "volume-size": lambda item: str(item.volume_gib),
        "owner-id": lambda item: item.owner,
        "owner-alias": lambda _: None,
        "description": lambda item: item.description,
        "encrypted": lambda item: str(item.encrypted).lower(),
        "start-time": lambda item: timestamp(item.started_at),
        "progress": lambda item: _progress(call, item),
        "storage-tier": lambda _: "standard",
        "volume-id": lambda _: "vol-ffffffff",
    }


def _progress(call: Ec2Call, item: Snapshot) -> str:
    return "100%" if item.state(call.now) == "completed" else "99%"


def _shown(call: Ec2Call, item: Snapshot) -> dict[str, Any]:
    state = item.state(call.now)
    return {
        "snapshotId": item.id,
        "volumeId": "vol-ffffffff",
        "status": state,
        "statusMessage": "The snapshot could not be completed" if state == "error" else None,
        "startTime": timestamp(item.started_at),
        "completionTime": timestamp(item.ready_at) if state == "completed" else None,
        "progress": _progress(call, item),
        "ownerId": item.owner,
        "volumeSize": item.volume_gib,
        "description": item.description,
        "encrypted": item.encrypted,
        "kmsKeyId": item.kms_key,
        "sseType": "sse-kms" if item.encrypted else "none",
        "storageTier": "standard",
        "tagSet": tag_set(item.tags) if item.owner == call.caller.account else None,
    }


def delete_snapshot(call: Ec2Call) -> dict[str, Any]:
    """DeleteSnapshot; refused while an AMI holds the snapshot. One that is still being written may go as well."""
    snapshot = find_snapshot(call, call.required("SnapshotId"))
    for image in call.store.holders(snapshot.id):
        raise ServiceError("InvalidSnapshot.InUse", f"The snapshot {snapshot.id} is currently in use by {image.id}")
    call.store.forget(snapshot)
    return {"return": True}


ACTIONS = {
    "DescribeSnapshots": action(
        describe_snapshots, "MaxResults", "NextToken", "Owner", "RestorableBy", "SnapshotId", "Filter"
    ),
    "DeleteSnapshot": action(delete_snapshot, "SnapshotId"),
}
