"""DescribeImageReferences: which instances, launch templates and parameters name an image."""

from collections.abc import Iterator, Mapping
from typing import Any

from brqos.rehearsal.emulator.ec2.call import Ec2Call, action, checked_id
from brqos.rehearsal.emulator.wire import ServiceError

_TYPES = (
    "ec2:Instance", "ec2:LaunchTemplate", "ssm:Parameter", "imagebuilder:ImageRecipe", "imagebuilder:ContainerRecipe",
)  # fmt: skip
_STATES = ("pending", "running", "shutting-down", "terminated", "stopping", "stopped")
_DEPTH = 10


def describe_image_references(call: Ec2Call) -> dict[str, Any]:
    """DescribeImageReferences, of the caller's own things in this region; a page of them."""
    images = [checked_id("ami", image_id, "InvalidAMIID.Malformed") for image_id in call.asked.get("ImageId", [])]
    if not images:
        raise ServiceError("MissingParameter", "The request must contain the parameter ImageId")
    options = _options(call)
    found = [
        {"imageId": image, "resourceType": kind, "arn": arn}
        for image in images
        for kind, arn in _references(call, image, options)
    ]
    page, token = call.page(
        f"DescribeImageReferences {images}", found, lambda item: f"{item['imageId']} {item['arn']}", least=1
    )
    return {"imageReferenceSet": page, "nextToken": token}


def _options(call: Ec2Call) -> dict[str, dict[str, list[str]]]:
    """Per type of resource that is asked for, its options."""
    if call.flag("IncludeAllResourceTypes"):
        return {kind: {} for kind in _TYPES}
    asked = call.asked.get("ResourceType", [])
    if not asked:
        message = "Either IncludeAllResourceTypes or ResourceTypes has to be given"
        raise ServiceError("MissingParameter", message)
    options = {}
    for item in asked:
        if (kind := item.get("ResourceType")) not in _TYPES:
            raise ServiceError("InvalidParameterValue", f"Value ({kind}) for parameter ResourceType is invalid.")
        options[kind] = {
            str(option["OptionName"]): [str(value) for value in option.get("OptionValue", [])]
            for option in item.get("ResourceTypeOption", [])
        }
    return options


def _references(call: Ec2Call, image: str, options: Mapping[str, Mapping[str, list[str]]]) -> Iterator[tuple[str, str]]:
    prefix = f"arn:{call.caller.partition}:ec2:{call.caller.region}:{call.caller.account}"
    if "ec2:Instance" in options:
        states = options["ec2:Instance"].get("state-name") or _STATES
        for instance in call.store.compute.instances.values():
            if call.here(instance) and instance.image_id == image and instance.state in states:
                yield "ec2:Instance", f"{prefix}:instance/{instance.id}"
    if "ec2:LaunchTemplate" in options:
        depth = int((options["ec2:LaunchTemplate"].get("version-depth") or [str(_DEPTH)])[0])
        for template in call.store.compute.templates.values():
            newest = template.versions[-depth:]
            if call.here(template) and any(version.data.get("imageId") == image for version in newest):
                yield "ec2:LaunchTemplate", f"{prefix}:launch-template/{template.id}"
    if "ssm:Parameter" in options:
        for parameter in call.store.parameters.all(call.caller, call.store):
            if parameter.latest.data_type == "aws:ec2:image" and parameter.latest.value == image:
                yield "ssm:Parameter", parameter.arn


ACTIONS = {
    "DescribeImageReferences": action(
        describe_image_references,
        "ImageId",
        "IncludeAllResourceTypes",
        "ResourceType",
        "NextToken",
        "MaxResults",
    )
}
