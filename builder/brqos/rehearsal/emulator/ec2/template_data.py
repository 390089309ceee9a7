"""The data of a launch template: which parameters there are, what is checked, and how an answer spells them.

Rules: RequestLaunchTemplateData and ResponseLaunchTemplateData in the API's reference. "Launch template parameters are
not fully validated when you create the launch template" (the guide's "Restrictions"): names, types and choices are;
user data are (getmoto/moto#9543, github-aws-runners/terraform-aws-github-runner#3700), here even where EC2 is lenient
about base64; whether there is such an image or security group, or whether its id could be one, is not.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from brqos.rehearsal.emulator.ec2.registration import VOLUME_TYPES, tags_for
from brqos.rehearsal.emulator.wire import ServiceError

_MAX_USER_DATA = 16384
_MAX_HOPS = 64
_TAGGABLE = ("instance", "volume", "network-interface", "spot-instances-request", "elastic-gpu")
_TEXT, _FLAG, _NUMBER = "text", "flag", "number"


@dataclass(frozen=True, slots=True)
class Items:
    """A list, which an answer calls `answer`."""

    answer: str
    of: "Shape"


Members = Mapping[str, "Shape"]
"""A structure: its members by their names in a request; an answer begins them with a small letter."""
Shape = str | frozenset[str] | Items | Members


def _choice(*values: str) -> frozenset[str]:
    return frozenset(values)


_SWITCH = _choice("enabled", "disabled")
_TAG: Members = {"Key": _TEXT, "Value": _TEXT}
_EBS: Members = {
    "DeleteOnTermination": _FLAG,
    "Encrypted": _FLAG,
    "Iops": _NUMBER,
    "KmsKeyId": _TEXT,
    "SnapshotId": _TEXT,
    "Throughput": _NUMBER,
    "VolumeInitializationRate": _NUMBER,
    "VolumeSize": _NUMBER,
    "VolumeType": VOLUME_TYPES,
}
_INTERFACE: Members = {
    "AssociateCarrierIpAddress": _FLAG,
    "AssociatePublicIpAddress": _FLAG,
    "DeleteOnTermination": _FLAG,
    "Description": _TEXT,
    "DeviceIndex": _NUMBER,
    "InterfaceType": _TEXT,
    "Ipv6AddressCount": _NUMBER,
    "NetworkCardIndex": _NUMBER,
    "NetworkInterfaceId": _TEXT,
    "PrimaryIpv6": _FLAG,
    "PrivateIpAddress": _TEXT,
    "SecondaryPrivateIpAddressCount": _NUMBER,
    "SecurityGroupId": Items("groupSet", _TEXT),
    "SubnetId": _TEXT,
}
_SPOT: Members = {
    "InstanceInterruptionBehavior": _choice("hibernate", "stop", "terminate"),
    "MaxPrice": _TEXT,
    "SpotInstanceType": _choice("one-time", "persistent"),
    "ValidUntil": _TEXT,
}
DATA: Members = {
    "BlockDeviceMapping": Items(
        "blockDeviceMappingSet", {"DeviceName": _TEXT, "Ebs": _EBS, "NoDevice": _TEXT, "VirtualName": _TEXT}
    ),
    "CpuOptions": {"CoreCount": _NUMBER, "ThreadsPerCore": _NUMBER},
    "CreditSpecification": {"CpuCredits": _TEXT},
    "DisableApiStop": _FLAG,
    "DisableApiTermination": _FLAG,
    "EbsOptimized": _FLAG,
    "EnclaveOptions": {"Enabled": _FLAG},
    "HibernationOptions": {"Configured": _FLAG},
    "IamInstanceProfile": {"Arn": _TEXT, "Name": _TEXT},
    "ImageId": _TEXT,
    "InstanceInitiatedShutdownBehavior": _choice("stop", "terminate"),
    "InstanceMarketOptions": {
        "MarketType": _choice("spot", "capacity-block", "interruptible-capacity-reservation", "on-demand"),
        "SpotOptions": _SPOT,
    },
    "InstanceType": _TEXT,
    "KeyName": _TEXT,
    "MaintenanceOptions": {"AutoRecovery": _choice("default", "disabled")},
    "MetadataOptions": {
        "HttpEndpoint": _SWITCH,
        "HttpProtocolIpv6": _SWITCH,
        "HttpPutResponseHopLimit": _NUMBER,
        "HttpTokens": _choice("optional", "required"),
        "InstanceMetadataTags": _SWITCH,
    },
    "Monitoring": {"Enabled": _FLAG},
    "NetworkInterface": Items("networkInterfaceSet", _INTERFACE),
    "Placement": {
        "Affinity": _TEXT,
        "AvailabilityZone": _TEXT,
        "GroupName": _TEXT,
        "HostId": _TEXT,
        "PartitionNumber": _NUMBER,
        "Tenancy": _choice("default", "dedicated", "host"),
    },
    "SecurityGroup": Items("securityGroupSet", _TEXT),
    "SecurityGroupId": Items("securityGroupIdSet", _TEXT),
    "TagSpecification": Items("tagSpecificationSet", {"ResourceType": _TEXT, "Tag": Items("tagSet", _TAG)}),
    "UserData": _TEXT,
}
"""RequestLaunchTemplateData, as far as nodes need it."""


def checked_data(given: object) -> dict[str, Any]:
    """The data as an answer tells them; raises ServiceError."""
    if not isinstance(given, dict) or not given:
        message = "No launch template data was provided. Launch template data is required to create a launch template."
        raise ServiceError("MissingParameter", message)
    told = _structure(given, DATA, "LaunchTemplateData")
    _check_user_data(told.get("userData", ""))
    for specification in given.get("TagSpecification", []):
        tags_for([specification], *_TAGGABLE)
    hops = told.get("metadataOptions", {}).get("httpPutResponseHopLimit", 1)
    if not 1 <= hops <= _MAX_HOPS:
        message = f"Value ({hops}) for parameter HttpPutResponseHopLimit is invalid: 1 to {_MAX_HOPS}"
        raise ServiceError("InvalidParameterValue", message)
    return told


def _check_user_data(text: str) -> None:
    try:
        data = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise ServiceError("InvalidUserData.Malformed", "Invalid BASE64 encoding of user data.") from None
    if len(data) > _MAX_USER_DATA:
        message = f"User data is limited to {_MAX_USER_DATA} bytes."
        raise ServiceError("InvalidUserData.Malformed", message)


def _structure(given: Mapping[str, Any], members: Members, where: str) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for name, value in given.items():
        shape, path = members.get(name), f"{where}.{name}"
        if shape is None:
            raise ServiceError("UnknownParameter", f"The parameter {path} is not recognized")
        answer = shape.answer if isinstance(shape, Items) else name[0].lower() + name[1:]
        told[answer] = _checked(value, shape, path)
    return told


def _checked(value: object, shape: Shape, where: str) -> object:
    match shape:
        case Items() if isinstance(value, list):
            return [_checked(item, shape.of, where) for item in value]
        case Mapping() if isinstance(value, dict):
            return _structure(value, shape, where)
        case str() if isinstance(value, str):
            return _plain(value, shape, where)
        case frozenset() if value in shape:
            return value
    raise _invalid(value, where)


def _plain(value: str, shape: str, where: str) -> object:
    if shape == _TEXT:
        return value
    if shape == _FLAG and value in ("true", "false"):
        return value == "true"
    if shape == _NUMBER and value.isdecimal():
        return int(value)
    raise _invalid(value, where)


def _invalid(value: object, where: str) -> ServiceError:
    return ServiceError("InvalidParameterValue", f"Value ({value}) for parameter {where} is invalid.")
