"""EC2's calls for snapshots: describe and delete."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from brqos.rehearsal.emulator.filters import matches
from brqos.rehearsal.emulator.store import Snapshot, Store
from brqos.rehearsal.emulator.wire import Caller, ServiceError


def timestamp(seconds: float) -> str:
    """A time as EC2 writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def tag_set(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as members of an answer."""
    return [{"key": key, "value": value} for key, value in sorted(tags.items())]


def find_snapshot(store: Store, snapshot_id: str, caller: Caller) -> Snapshot:
    """The caller's snapshot of that id; raises ServiceError."""
    snapshot = store.snapshots.get(snapshot_id)
    if snapshot is None or (snapshot.region, snapshot.owner) != (caller.region, caller.account):
        raise ServiceError("InvalidSnapshot.NotFound", f"The snapshot '{snapshot_id}' does not exist.")
    return snapshot


def describe_snapshots(store: Store, asked: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
    """DescribeSnapshots, by id, owner and filters.

    What was only started is not shown: data that a client has not declared complete belongs to nobody yet, and a client
    that counts on finding it must not pass here.
    """
    for owner in asked.get("Owner", []):
        if owner not in ("self", caller.account):
            return {"snapshotSet": []}
    chosen = [item for item in store.snapshots.values() if (item.region, item.owner) == (caller.region, caller.account)]
    chosen = [item for item in chosen if item.sealed_at is not None or item.state(store.clock()) == "error"]
    if ids := asked.get("SnapshotId"):
        for snapshot_id in ids:
            if snapshot_id not in {item.id for item in chosen}:
                message = f"The snapshot '{snapshot_id}' does not exist."
                raise ServiceError("InvalidSnapshot.NotFound", message)
        chosen = [item for item in chosen if item.id in ids]
    filters = asked.get("Filter", [])
    return {"snapshotSet": [_shown(item, store) for item in chosen if _matches(item, filters, store)]}


def _matches(item: Snapshot, filters: list[Mapping[str, Any]], store: Store) -> bool:
    fields = {
        "snapshot-id": lambda: item.id,
        "status": lambda: item.state(store.clock()),
        "volume-size": lambda: str(item.volume_gib),
        "owner-id": lambda: item.owner,
        "description": lambda: item.description,
        "encrypted": lambda: str(item.encrypted).lower(),
    }
    return matches(filters, fields, item.tags)


def _shown(item: Snapshot, store: Store) -> dict[str, Any]:
    state = item.state(store.clock())
    return {
        "snapshotId": item.id,
        "volumeId": "vol-ffffffff",
        "status": state,
        "statusMessage": "The snapshot could not be completed" if state == "error" else None,
        "startTime": timestamp(item.started_at),
        "completionTime": timestamp(item.ready_at) if state == "completed" else None,
        "progress": "100%" if state == "completed" else "99%",
        "ownerId": item.owner,
        "volumeSize": item.volume_gib,
        "description": item.description,
        "encrypted": item.encrypted,
        "kmsKeyId": item.kms_key,
        "storageTier": "standard",
        "tagSet": tag_set(item.tags),
    }


def delete_snapshot(store: Store, asked: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
    """DeleteSnapshot; refused while an AMI holds the snapshot."""
    snapshot = find_snapshot(store, str(asked.get("SnapshotId", "")), caller)
    for image in store.images.values():
        if snapshot.id in image.snapshots():
            raise ServiceError("InvalidSnapshot.InUse", f"The snapshot {snapshot.id} is currently in use by {image.id}")
    store.forget(snapshot)
    return {"return": True}
