"""ModifyImageAttribute, DescribeImageAttribute, ResetImageAttribute."""

from collections.abc import Callable
from typing import Any

from brqos.rehearsal.emulator.ec2.call import Ec2Call, action, timestamp
from brqos.rehearsal.emulator.ec2.image_view import find_own, find_visible
from brqos.rehearsal.emulator.ec2.permissions import asked_grants, check_image_grants, told
from brqos.rehearsal.emulator.ec2.registration import checked_description
from brqos.rehearsal.emulator.store import Image
from brqos.rehearsal.emulator.wire import ServiceError

_KINDS = ("UserId", "Group", "OrganizationArn", "OrganizationalUnitArn")
_MODIFIABLE = ("LaunchPermission", "Description", "ImdsSupport")
_SIMPLE = ("description", "sriovNetSupport", "bootMode", "tpmSupport", "uefiData", "imdsSupport")


def modify_image_attribute(call: Ec2Call) -> dict[str, Any]:
    """ModifyImageAttribute: one attribute a call, of an image that is available; raises ServiceError."""
    image = find_own(call, call.required("ImageId"))
    if (state := image.state(call.now)) not in ("available", "disabled"):
        message = f"The image {image.id} is {state}, its attributes cannot be changed"
        raise ServiceError("InvalidAMIID.Unavailable", message)
    named = [name for name in _MODIFIABLE if name in call.asked]
    if len(named) + ("Attribute" in call.asked) != 1:
        raise ServiceError("InvalidParameterCombination", "Exactly one attribute has to be specified.")
    which = named[0] if named else str(call.asked["Attribute"])
    match which:
        case "Description" | "description":
            image.attributes["description"] = checked_description(_new_value(call, "Description"))
        case "ImdsSupport" | "imdsSupport":
            if _new_value(call, "ImdsSupport") != "v2.0":
                raise ServiceError("InvalidParameterValue", "imdsSupport can be set to v2.0 only")
            image.attributes["imdsSupport"] = "v2.0"
        case "LaunchPermission" | "launchPermission":
            _modify_permissions(call, image)
        case _:
            raise ServiceError("InvalidParameterValue", f"Value ({which}) for parameter attribute is invalid.")
    return {"return": True}


def _new_value(call: Ec2Call, member: str) -> str:
    given = call.asked.get(member, {}).get("Value") if member in call.asked else call.asked.get("Value")
    if given is None:
        raise ServiceError("MissingParameter", "The request must contain the parameter Value")
    return str(given)


def _modify_permissions(call: Ec2Call, image: Image) -> None:
    added, removed = asked_grants(call, "LaunchPermission", "launchPermission", _KINDS)
    check_image_grants(call, image, added)
    image.permissions = (image.permissions | added) - removed


def describe_image_attribute(call: Ec2Call) -> dict[str, Any]:
    """DescribeImageAttribute; raises ServiceError."""
    image, attribute = find_visible(call, call.required("ImageId")), call.required("Attribute")
    if attribute == "blockDeviceMapping":
        raise ServiceError("AuthFailure", "Unauthorized attempt to access restricted resource", status=403)
    find_own(call, image.id)
    return {"imageId": image.id, attribute: _attribute(image, attribute)}


def _attribute(image: Image, name: str) -> object:
    if name in _SIMPLE:
        value = image.attributes.get(name)
        return {"value": value} if value is not None else {}
    special: dict[str, Callable[[], object]] = {
        "launchPermission": lambda: told(image.permissions),
        "productCodes": list,
        "kernel": dict,
        "ramdisk": dict,
        "lastLaunchedTime": lambda: {"value": timestamp(image.launched_at)} if image.launched_at is not None else {},
        "deregistrationProtection": lambda: {"value": image.protection},
    }
    if name not in special:
        raise ServiceError("InvalidParameterValue", f"Value ({name}) for parameter attribute is invalid.")
    return special[name]()


def reset_image_attribute(call: Ec2Call) -> dict[str, Any]:
    """ResetImageAttribute: nobody but the owner may launch the image any more."""
    image = find_own(call, call.required("ImageId"))
    if (attribute := call.required("Attribute")) != "launchPermission":
        raise ServiceError("InvalidParameterValue", f"Value ({attribute}) for parameter attribute is invalid.")
    image.permissions = set()
    return {"return": True}


ACTIONS = {
    "ModifyImageAttribute": action(
        modify_image_attribute,
        "Attribute",
        "Description",
        "ImageId",
        "LaunchPermission",
        "OperationType",
        "UserGroup",
        "UserId",
        "Value",
        "OrganizationArn",
        "OrganizationalUnitArn",
        "ImdsSupport",
    ),
    "DescribeImageAttribute": action(describe_image_attribute, "Attribute", "ImageId"),
    "ResetImageAttribute": action(reset_image_attribute, "Attribute", "ImageId"),
}
