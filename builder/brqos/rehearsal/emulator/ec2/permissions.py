"""Who may be given permission to use an image or a snapshot, and when EC2 refuses.

Rules: "Share an AMI", "Block public access to your AMIs" and "Share a snapshot" in the guides; the errors' words are
those that people report from AWS (hashicorp/packer#7410 and #7499, hortonworks/cloudbreak-images#926).
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from brqos.rehearsal.emulator import kms
from brqos.rehearsal.emulator.ec2.call import Ec2Call
from brqos.rehearsal.emulator.store import Grant, Image, Snapshot
from brqos.rehearsal.emulator.wire import ServiceError

_ORGANIZATION = re.compile(r"arn:(?P<partition>[a-z-]+):organizations::\d{12}:organization/o-[a-z0-9]{10,32}")
_UNIT = re.compile(
    r"arn:(?P<partition>[a-z-]+):organizations::\d{12}:ou/o-[a-z0-9]{10,32}/ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}"
)
_ACCOUNT = re.compile(r"\d{12}")
_LISTS = {
    "UserId": "UserId",
    "UserGroup": "Group",
    "OrganizationArn": "OrganizationArn",
    "OrganizationalUnitArn": "OrganizationalUnitArn",
}


def asked_grants(call: Ec2Call, member: str, attribute: str, kinds: Iterable[str]) -> tuple[set[Grant], set[Grant]]:
    """What is to be added and removed, in either way to say it: `member` with Add and Remove, or OperationType.

    `kinds` are the kinds of grants that the thing knows. Raises ServiceError.
    """
    if (change := call.asked.get(member)) is not None:
        if not isinstance(change, dict) or not change or set(change) - {"Add", "Remove"}:
            raise ServiceError("InvalidParameterValue", f"{member} takes Add and Remove")
        return _grants(change.get("Add", []), kinds, call), _grants(change.get("Remove", []), kinds, call)
    if call.asked.get("Attribute") != attribute:
        raise ServiceError("InvalidParameterCombination", "No attributes specified.")
    given = [{kind: value} for name, kind in _LISTS.items() for value in call.asked.get(name, [])]
    if not given:
        raise ServiceError("InvalidParameterCombination", "No permissions specified.")
    match call.asked.get("OperationType"):
        case "add":
            return _grants(given, kinds, call), set()
        case "remove":
            return set(), _grants(given, kinds, call)
    raise ServiceError("InvalidParameterValue", "OperationType must be add or remove")


def _grants(given: Iterable[Mapping[str, Any]], kinds: Iterable[str], call: Ec2Call) -> set[Grant]:
    grants = {Grant(kind, str(value)) for item in given for kind, value in item.items()}
    for grant in grants:
        if grant.kind not in kinds:
            raise ServiceError("UnknownParameter", f"The parameter {grant.kind} is not recognized")
        if not _well_formed(grant, call.caller.partition):
            message = f'Invalid attribute item value "{grant.value}" for {grant.kind} item type.'
            raise ServiceError("InvalidAMIAttributeItemValue", message)
    return grants


def _well_formed(grant: Grant, partition: str) -> bool:
    if grant.kind == "UserId":
        return _ACCOUNT.fullmatch(grant.value) is not None
    if grant.kind == "Group":
        return grant.value == "all"
    match = (_ORGANIZATION if grant.kind == "OrganizationArn" else _UNIT).fullmatch(grant.value)
    return match is not None and match["partition"] == partition


def check_image_grants(call: Ec2Call, image: Image, added: set[Grant]) -> None:
    """Whether an image may be shared like that; raises ServiceError."""
    settings = call.store.settings(call.caller.region, call.caller.account)
    public = Grant("Group", "all") in added
    if public and settings.image_block_public_access != "unblocked":
        message = (
            "You can't publicly share this image because block public access for AMIs is enabled for this account. "
            "To publicly share the image, you must call the DisableImageBlockPublicAccess API."
        )
        raise ServiceError("OperationNotPermitted", message)
    encrypted = [mapping["ebs"] for mapping in image.mappings if mapping.get("ebs", {}).get("encrypted")]
    if added and any(kms.is_managed(ebs.get("kmsKeyId")) for ebs in encrypted):
        message = "Snapshots encrypted with the AWS Managed CMK can't be shared. Specify another snapshot."
        raise ServiceError("InvalidParameter", message)
    if public and encrypted:
        message = "An image with encrypted snapshots cannot be shared with everybody."
        raise ServiceError("InvalidParameter", message)


def check_snapshot_grants(call: Ec2Call, snapshot: Snapshot, added: set[Grant]) -> None:
    """Whether a snapshot may be shared like that; raises ServiceError."""
    settings = call.store.settings(call.caller.region, call.caller.account)
    public = Grant("Group", "all") in added
    if public and settings.snapshot_block_public_access != "unblocked":
        message = "Block public access for snapshots is enabled for this account."
        raise ServiceError("OperationNotPermitted", message)
    if added and snapshot.encrypted and kms.is_managed(snapshot.kms_key):
        message = "Encrypted snapshots with EBS default key cannot be shared"
        raise ServiceError("OperationNotPermitted", message)
    if public and snapshot.encrypted:
        raise ServiceError("OperationNotPermitted", "Encrypted snapshots cannot be shared with everybody")


def told(grants: Iterable[Grant]) -> list[dict[str, str]]:
    """Grants as members of an answer."""
    return [{grant.kind[0].lower() + grant.kind[1:]: grant.value} for grant in sorted(grants)]
