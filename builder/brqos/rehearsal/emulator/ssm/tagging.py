"""AddTagsToResource, RemoveTagsFromResource, ListTagsForResource, for parameters."""

from typing import Any

from brqos.rehearsal.emulator.parameters import Parameter
from brqos.rehearsal.emulator.ssm.call import SsmCall, invalid, operation
from brqos.rehearsal.emulator.wire import ServiceError

_MAX_TAGS = 50


def checked_tags(given: object) -> dict[str, str]:
    """Tags as SSM takes them; raises ServiceError."""
    if not isinstance(given, list) or not all(isinstance(tag, dict) and {"Key", "Value"} == set(tag) for tag in given):
        raise invalid("Tags must be a list of Key and Value")
    tags = {str(tag["Key"]): str(tag["Value"]) for tag in given}
    if len(tags) != len(given):
        raise invalid("A tag key is given twice")
    for key, value in tags.items():
        if not 1 <= len(key) <= 128 or len(value) > 256 or key.lower().startswith("aws:"):
            raise invalid(f"The tag '{key}' is not allowed")
    if len(tags) > _MAX_TAGS:
        raise ServiceError("TooManyTagsError", "There are more than 50 tags")
    return tags


def add_tags(call: SsmCall) -> dict[str, Any]:
    """AddTagsToResource; raises ServiceError."""
    parameter = _resource(call)
    tags = {**parameter.tags, **checked_tags(call.asked.get("Tags"))}
    if len(tags) > _MAX_TAGS:
        raise ServiceError("TooManyTagsError", "There would be more than 50 tags")
    parameter.tags = tags
    return {}


def remove_tags(call: SsmCall) -> dict[str, Any]:
    """RemoveTagsFromResource; keys that are not there are no error."""
    parameter = _resource(call)
    for key in call.texts("TagKeys", 1000):
        parameter.tags.pop(key, None)
    return {}


def list_tags(call: SsmCall) -> dict[str, Any]:
    """ListTagsForResource."""
    return {"TagList": [{"Key": key, "Value": value} for key, value in sorted(_resource(call).tags.items())]}


def _resource(call: SsmCall) -> Parameter:
    if call.text("ResourceType") != "Parameter":
        raise ServiceError("InvalidResourceType", "The resource type is not valid.")
    parameter = call.parameters.get(call.text("ResourceId"))
    if parameter is None:
        raise ServiceError("InvalidResourceId", "The resource ID is not valid.")
    return parameter


ACTIONS = {
    "AddTagsToResource": operation(add_tags, "ResourceType", "ResourceId", "Tags"),
    "RemoveTagsFromResource": operation(remove_tags, "ResourceType", "ResourceId", "TagKeys"),
    "ListTagsForResource": operation(list_tags, "ResourceType", "ResourceId"),
}
