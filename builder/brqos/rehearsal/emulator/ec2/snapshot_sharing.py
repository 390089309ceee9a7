"""ModifySnapshotAttribute, DescribeSnapshotAttribute, ResetSnapshotAttribute: who may make volumes of a snapshot."""

from typing import Any

from brqos.rehearsal.emulator.ec2.call import Ec2Call, action
from brqos.rehearsal.emulator.ec2.permissions import asked_grants, check_snapshot_grants, told
from brqos.rehearsal.emulator.ec2.snapshots import find_snapshot, not_found
from brqos.rehearsal.emulator.store import Grant, Snapshot
from brqos.rehearsal.emulator.wire import ServiceError

_ATTRIBUTE = "createVolumePermission"


def modify_snapshot_attribute(call: Ec2Call) -> dict[str, Any]:
    """ModifySnapshotAttribute, of a snapshot that is completed; raises ServiceError."""
    snapshot = _finished(call)
    added, removed = asked_grants(call, "CreateVolumePermission", _ATTRIBUTE, ("UserId", "Group"))
    check_snapshot_grants(call, snapshot, added)
    snapshot.permissions = (snapshot.permissions | {grant.value for grant in added}) - {
        grant.value for grant in removed
    }
    return {"return": True}


def describe_snapshot_attribute(call: Ec2Call) -> dict[str, Any]:
    """DescribeSnapshotAttribute; raises ServiceError."""
    snapshot = find_snapshot(call, call.required("SnapshotId"))
    match call.required("Attribute"):
        case "createVolumePermission":
            grants = [Grant("Group" if value == "all" else "UserId", value) for value in snapshot.permissions]
            return {"snapshotId": snapshot.id, _ATTRIBUTE: told(grants)}
        case "productCodes":
            return {"snapshotId": snapshot.id, "productCodes": []}
        case other:
            raise ServiceError("InvalidParameterValue", f"Value ({other}) for parameter attribute is invalid.")


def reset_snapshot_attribute(call: Ec2Call) -> dict[str, Any]:
    """ResetSnapshotAttribute: nobody but the owner may use the snapshot any more."""
    snapshot = _finished(call)
    if call.required("Attribute") != _ATTRIBUTE:
        raise ServiceError("InvalidParameterValue", "Only createVolumePermission can be reset")
    snapshot.permissions = set()
    return {"return": True}


def _finished(call: Ec2Call) -> Snapshot:
    snapshot = find_snapshot(call, call.required("SnapshotId"))
    if snapshot.sealed_at is None:
        raise not_found(snapshot.id)
    if (state := snapshot.state(call.now)) != "completed":
        raise ServiceError("IncorrectState", f"Snapshot {snapshot.id} is in invalid state - {state}")
    return snapshot


ACTIONS = {
    "ModifySnapshotAttribute": action(
        modify_snapshot_attribute,
        "Attribute",
        "CreateVolumePermission",
        "UserGroup",
        "OperationType",
        "SnapshotId",
        "UserId",
    ),
    "DescribeSnapshotAttribute": action(describe_snapshot_attribute, "Attribute", "SnapshotId"),
    "ResetSnapshotAttribute": action(reset_snapshot_attribute, "Attribute", "SnapshotId"),
}
