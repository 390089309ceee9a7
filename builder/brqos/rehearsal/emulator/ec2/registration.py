"""What RegisterImage accepts: the rules of its reference page, and those that its error messages tell."""

import base64
import binascii
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from brqos.rehearsal.emulator.wire import ServiceError

MEMBERS = {
    "Action", "Version", "DryRun", "Name", "Description", "Architecture", "RootDeviceName", "BlockDeviceMapping",
    "VirtualizationType", "SriovNetSupport", "EnaSupport", "BootMode", "UefiData", "TpmSupport", "ImdsSupport",
    "TagSpecification", "BillingProduct",
}  # fmt: skip
_EBS_MEMBERS = {
    "DeleteOnTermination", "Iops", "SnapshotId", "VolumeSize", "VolumeType", "Throughput", "Encrypted", "OutpostArn",
}  # fmt: skip
_CHOICES = {
    "Architecture": {"i386", "x86_64", "arm64", "x86_64_mac", "arm64_mac"},
    "VirtualizationType": {"hvm", "paravirtual"},
    "SriovNetSupport": {"simple"},
    "EnaSupport": {"true", "false"},
    "BootMode": {"legacy-bios", "uefi", "uefi-preferred"},
    "TpmSupport": {"v2.0"},
    "ImdsSupport": {"v2.0"},
}
VOLUME_TYPES = frozenset({"standard", "io1", "io2", "gp2", "sc1", "st1", "gp3"})
_NAME = re.compile(r"[A-Za-z0-9()\[\] ./'@_-]{3,128}")
_MAX_TAGS = 50
_MAX_UEFI_DATA = 64 << 10


@dataclass(frozen=True, slots=True)
class Registration:
    """A request that may be carried out as far as it can be told without the account's contents."""

    name: str
    mappings: Sequence[Mapping[str, Any]]
    tags: dict[str, str]


def check_registration(asked: Mapping[str, Any]) -> Registration:
    """Check all that does not depend on snapshots or other images; raises ServiceError."""
    check_members(asked, MEMBERS)
    name = checked_name(asked)
    for member, choices in _CHOICES.items():
        if member in asked and asked[member] not in choices:
            message = f"Value ({asked[member]}) for parameter {member} is invalid."
            raise ServiceError("InvalidParameterValue", message)
    checked_description(asked.get("Description", ""))
    _check_boot(asked)
    return Registration(name, _mappings(asked), tags_for(asked.get("TagSpecification", []), "image")["image"])


def checked_name(asked: Mapping[str, Any]) -> str:
    """The name that an image is to get; raises ServiceError."""
    name = str(asked.get("Name", ""))
    if not name:
        raise ServiceError("MissingParameter", "The request must contain the parameter Name")
    if not _NAME.fullmatch(name):
        message = (
            "AMI names must be between 3 and 128 characters long, and may contain letters, numbers, "
            "'(', ')', '.', '-', '/', '_', '[', ']', '@', ''' and ' '"
        )
        raise ServiceError("InvalidAMIName.Malformed", message)
    return name


def checked_description(text: object) -> str:
    """A description of an image; raises ServiceError."""
    if len(str(text)) > 255:
        raise ServiceError("InvalidParameterValue", "The description is longer than 255 characters")
    return str(text)


def _check_boot(asked: Mapping[str, Any]) -> None:
    mode = asked.get("BootMode")
    if (data := asked.get("UefiData")) is not None:
        if mode not in ("uefi", "uefi-preferred"):
            message = "UefiData can only be given with the boot modes uefi and uefi-preferred"
            raise ServiceError("InvalidParameterCombination", message)
        try:
            size = len(base64.b64decode(data, validate=True))
        except binascii.Error:
            raise ServiceError("InvalidParameterValue", "UefiData is not valid base64") from None
        if not 0 < size <= _MAX_UEFI_DATA:
            raise ServiceError("InvalidParameterValue", "UefiData must be of 1 to 65536 bytes")
    if asked.get("TpmSupport") and mode != "uefi":
        raise ServiceError("InvalidParameterCombination", "TpmSupport needs the boot mode uefi")
    if asked.get("Architecture") == "arm64" and mode == "legacy-bios":
        raise ServiceError("InvalidParameterCombination", "arm64 does not boot with legacy-bios")
    hvm = asked.get("VirtualizationType") == "hvm"
    if not hvm and (asked.get("EnaSupport") == "true" or "SriovNetSupport" in asked or mode is not None):
        message = "Enhanced networking and boot modes need the virtualization type hvm"
        raise ServiceError("InvalidParameterCombination", message)


def _mappings(asked: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    mappings = asked.get("BlockDeviceMapping", [])
    devices = [mapping.get("DeviceName", "") for mapping in mappings]
    if "" in devices or len(set(devices)) != len(devices):
        raise ServiceError("InvalidBlockDeviceMapping", "A device name is missing or given twice")
    for mapping in mappings:
        _check_mapping(mapping)
    root = asked.get("RootDeviceName")
    if not root:
        raise ServiceError("MissingParameter", "The request must contain the parameter RootDeviceName")
    roots = [mapping for mapping in mappings if mapping["DeviceName"] == root]
    if not roots or not roots[0].get("Ebs", {}).get("SnapshotId"):
        raise ServiceError("InvalidBlockDeviceMapping", f"No snapshotId specified for root device {root}")
    return list(mappings)


def _check_mapping(mapping: Mapping[str, Any]) -> None:
    check_members(mapping, {"DeviceName", "Ebs", "NoDevice", "VirtualName"})
    if "Ebs" not in mapping:
        return
    ebs = mapping["Ebs"]
    check_members(ebs, _EBS_MEMBERS)
    if ebs.get("VolumeType", "gp2") not in VOLUME_TYPES:
        raise ServiceError("InvalidParameterValue", f"Volume type {ebs['VolumeType']} is not known")
    if "SnapshotId" not in ebs and "VolumeSize" not in ebs:
        raise ServiceError("MissingParameter", "The request must contain the parameter size or snapshotId")
    if "SnapshotId" in ebs and "Encrypted" in ebs:
        message = "the parameter encrypted cannot be given together with a snapshot"
        raise ServiceError("InvalidParameterCombination", message)
    if "Throughput" in ebs and ebs.get("VolumeType") != "gp3":
        raise ServiceError("InvalidParameterCombination", "The parameter throughput is for gp3 only")
    if ebs.get("VolumeType") in ("io1", "io2") and "Iops" not in ebs:
        raise ServiceError("MissingParameter", "The parameter iops must be specified for io1 and io2 volumes.")
    for number in ("VolumeSize", "Iops", "Throughput"):
        if number in ebs and not str(ebs[number]).isdecimal():
            raise ServiceError("InvalidParameterValue", f"{number} is not a number")


def check_members(asked: Mapping[str, Any], known: Collection[str]) -> None:
    """Refuse parameters that are not known; raises ServiceError."""
    if unknown := sorted(set(asked) - set(known)):
        raise ServiceError("UnknownParameter", f"The parameter {unknown[0]} is not recognized")


def tags_for(specifications: Sequence[Mapping[str, Any]], *resources: str) -> dict[str, dict[str, str]]:
    """The tags of TagSpecifications for each of these kinds of resources, the only ones; raises ServiceError."""
    tags: dict[str, dict[str, str]] = {resource: {} for resource in resources}
    for specification in specifications:
        resource = str(specification.get("ResourceType"))
        if resource not in tags:
            message = f"'{resource}' is not a valid taggable resource type for this operation."
            raise ServiceError("InvalidParameterValue", message)
        if tags[resource]:
            raise ServiceError("InvalidParameterValue", "A resource type may be given once only")
        tags[resource] = checked_tags(specification.get("Tag", []))
    return tags


def checked_tags(given: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Tags as EC2 takes them; raises ServiceError."""
    tags: dict[str, str] = {}
    for tag in given:
        key, value = str(tag.get("Key", "")), str(tag.get("Value", ""))
        if not 1 <= len(key) <= 128 or len(value) > 256 or key.startswith("aws:"):
            raise ServiceError("InvalidParameterValue", f"The tag key or value is not allowed: '{key}'")
        if key in tags:
            raise ServiceError("InvalidParameterValue", f"Duplicate tag key '{key}' specified.")
        tags[key] = value
    if len(tags) > _MAX_TAGS:
        raise ServiceError("TagLimitExceeded", "There are more than 50 tags")
    return tags
