"""The life of an image after it was made: deprecation, protection against deregistration, disabling.

Rules: "Deprecate an AMI" (seconds are rounded to the nearest minute; at most 10 years ahead), "Protect an AMI from
deregistration" (with a cooldown the protection lasts 24 hours longer) and "Disable an AMI" (the image loses its launch
permissions) in the guide.
"""

from typing import Any

from brqos.rehearsal.emulator.ec2.call import Ec2Call, action, seconds_of, timestamp
from brqos.rehearsal.emulator.ec2.image_view import find_own
from brqos.rehearsal.emulator.store import Image
from brqos.rehearsal.emulator.wire import ServiceError

_DAY = 86400.0
_LONGEST = 10 * 366 * _DAY


def enable_image_deprecation(call: Ec2Call) -> dict[str, Any]:
    """EnableImageDeprecation, or another date for it; raises ServiceError."""
    image = _usable(call)
    given = call.required("DeprecateAt")
    moment = seconds_of(given)
    if moment is None:
        raise ServiceError("InvalidParameterValue", f"Value ({given}) for parameter DeprecateAt is invalid.")
    if moment <= call.now:
        raise ServiceError("InvalidParameterValue", "DeprecateAt must be in the future.")
    if moment > call.now + _LONGEST:
        raise ServiceError("InvalidParameterValue", "DeprecateAt must be within 10 years from now.")
    image.deprecated_at = 60.0 * ((moment + 30) // 60)
    return {"return": True}


def disable_image_deprecation(call: Ec2Call) -> dict[str, Any]:
    """DisableImageDeprecation."""
    find_own(call, call.required("ImageId")).deprecated_at = None
    return {"return": True}


def enable_protection(call: Ec2Call) -> dict[str, Any]:
    """EnableImageDeregistrationProtection."""
    image = _usable(call)
    image.protection = f"enabled-{'with' if call.flag('WithCooldown') else 'without'}-cooldown"
    image.protected_until = 0.0
    return {"return": image.protection}


def disable_protection(call: Ec2Call) -> dict[str, Any]:
    """DisableImageDeregistrationProtection; with a cooldown the image stays protected for a day."""
    image = find_own(call, call.required("ImageId"))
    if image.protection == "enabled-with-cooldown":
        image.protected_until = call.now + _DAY
        image.protection = f"disabled after {timestamp(image.protected_until)}"
    elif image.protection == "enabled-without-cooldown":
        image.protection = "disabled"
    return {"return": image.protection}


def disable_image(call: Ec2Call) -> dict[str, Any]:
    """DisableImage: nobody can launch it, and nobody that it was shared with sees it any more."""
    image = _usable(call)
    image.disabled = True
    image.permissions = set()
    return {"return": True}


def enable_image(call: Ec2Call) -> dict[str, Any]:
    """EnableImage."""
    find_own(call, call.required("ImageId")).disabled = False
    return {"return": True}


def _usable(call: Ec2Call) -> Image:
    image = find_own(call, call.required("ImageId"))
    if (state := image.state(call.now)) not in ("available", "disabled"):
        raise ServiceError("InvalidAMIID.Unavailable", f"The image {image.id} is {state}")
    return image


ACTIONS = {
    "EnableImageDeprecation": action(enable_image_deprecation, "ImageId", "DeprecateAt"),
    "DisableImageDeprecation": action(disable_image_deprecation, "ImageId"),
    "EnableImageDeregistrationProtection": action(enable_protection, "ImageId", "WithCooldown"),
    "DisableImageDeregistrationProtection": action(disable_protection, "ImageId"),
    "EnableImage": action(enable_image, "ImageId"),
    "DisableImage": action(disable_image, "ImageId"),
}
