"""What an account has set in a region: block public access, and encryption by default."""

from typing import Any

from brqos.rehearsal.emulator import kms
from brqos.rehearsal.emulator.ec2.call import Ec2Call, action
from brqos.rehearsal.emulator.regions import RegionSettings
from brqos.rehearsal.emulator.wire import ServiceError


def _settings(call: Ec2Call) -> RegionSettings:
    return call.store.settings(call.caller.region, call.caller.account)


def get_image_block(call: Ec2Call) -> dict[str, Any]:
    """GetImageBlockPublicAccessState."""
    return {"imageBlockPublicAccessState": _settings(call).image_block_public_access, "managedBy": "account"}


def enable_image_block(call: Ec2Call) -> dict[str, Any]:
    """EnableImageBlockPublicAccess; images that are public already stay so."""
    if (state := call.required("ImageBlockPublicAccessState")) != "block-new-sharing":
        raise ServiceError("InvalidParameterValue", f"Value ({state}) for ImageBlockPublicAccessState is invalid.")
    _settings(call).image_block_public_access = state
    return {"imageBlockPublicAccessState": state}


def disable_image_block(call: Ec2Call) -> dict[str, Any]:
    """DisableImageBlockPublicAccess."""
    _settings(call).image_block_public_access = "unblocked"
    return {"imageBlockPublicAccessState": "unblocked"}


def get_snapshot_block(call: Ec2Call) -> dict[str, Any]:
    """GetSnapshotBlockPublicAccessState."""
    return {"state": _settings(call).snapshot_block_public_access, "managedBy": "account"}


def get_encryption(call: Ec2Call) -> dict[str, Any]:
    """GetEbsEncryptionByDefault."""
    on = _settings(call).encryption_by_default
    return {"ebsEncryptionByDefault": on, "sseType": "sse-kms" if on else "none"}


def get_default_key(call: Ec2Call) -> dict[str, Any]:
    """GetEbsDefaultKmsKeyId: the alias of the AWS-managed key, or the ARN of the one that was set."""
    key = call.store.default_key(call.caller.region, call.caller.account)
    return {"kmsKeyId": "alias/aws/ebs" if kms.is_managed(key) else key}


ACTIONS = {
    "GetImageBlockPublicAccessState": action(get_image_block),
    "EnableImageBlockPublicAccess": action(enable_image_block, "ImageBlockPublicAccessState"),
    "DisableImageBlockPublicAccess": action(disable_image_block),
    "GetSnapshotBlockPublicAccessState": action(get_snapshot_block),
    "GetEbsEncryptionByDefault": action(get_encryption),
    "GetEbsDefaultKmsKeyId": action(get_default_key),
}
