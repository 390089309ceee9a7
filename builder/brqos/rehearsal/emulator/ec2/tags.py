"""CreateTags, DeleteTags, DescribeTags."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from brqos.rehearsal.emulator.ec2.call import Ec2Call, action
from brqos.rehearsal.emulator.ec2.filters import Fields, selected
from brqos.rehearsal.emulator.ec2.registration import checked_tags
from brqos.rehearsal.emulator.wire import ServiceError

_MAX_TAGS = 50


@dataclass(frozen=True, slots=True)
class _Tag:
    resource: str
    kind: str
    key: str
    value: str


def create_tags(call: Ec2Call) -> dict[str, Any]:
    """CreateTags on images, snapshots, instances and launch templates; all of it or nothing; raises ServiceError."""
    tags = checked_tags(call.asked.get("Tag", []))
    things = [_tags_of(call, resource) for resource in call.asked.get("ResourceId", [])]
    if not things or not tags:
        raise ServiceError("MissingParameter", "The request must contain the parameters ResourceId and Tag")
    if any(len({**thing, **tags}) > _MAX_TAGS for thing in things):
        raise ServiceError("TagLimitExceeded", "There would be more than 50 tags")
    for thing in things:
        thing.update(tags)
    return {"return": True}


def delete_tags(call: Ec2Call) -> dict[str, Any]:
    """DeleteTags: by key, where a value is given only those that have it; without any Tag all of them."""
    things = [_tags_of(call, resource) for resource in call.asked.get("ResourceId", [])]
    if not things:
        raise ServiceError("MissingParameter", "The request must contain the parameter ResourceId")
    for thing in things:
        if "Tag" not in call.asked:
            thing.clear()
        for tag in call.asked.get("Tag", []):
            key, value = str(tag.get("Key", "")), tag.get("Value")
            if key in thing and (value is None or thing[key] == value):
                del thing[key]
    return {"return": True}


def describe_tags(call: Ec2Call) -> dict[str, Any]:
    """DescribeTags, by resource, type, key and value; a page of them."""
    chosen = selected(_all(call), call.asked.get("Filter", []), _FIELDS, lambda tag: {tag.key: tag.value})
    page, token = call.page("DescribeTags", chosen, lambda tag: f"{tag.resource}\0{tag.key}")
    told = [{"resourceId": tag.resource, "resourceType": tag.kind, "key": tag.key, "value": tag.value} for tag in page]
    return {"tagSet": told, "nextToken": token}


_FIELDS: Fields[_Tag] = {
    "key": lambda tag: tag.key,
    "value": lambda tag: tag.value,
    "resource-id": lambda tag: tag.resource,
    "resource-type": lambda tag: tag.kind,
}


def _all(call: Ec2Call) -> Iterator[_Tag]:
    compute = call.store.compute
    for kind, things in (
        ("image", call.store.images),
        ("snapshot", call.store.snapshots),
        ("instance", compute.instances),
        ("launch-template", compute.templates),
    ):
        for name, thing in things.items():
            if call.here(thing):
                for key, value in sorted(thing.tags.items()):
                    yield _Tag(name, kind, key, value)


def _tags_of(call: Ec2Call, resource: str) -> dict[str, str]:
    kind = resource.split("-", 1)[0]
    compute = call.store.compute
    places: dict[str, tuple[dict[str, Any], str]] = {
        "ami": (call.store.images, "InvalidAMIID.NotFound"),
        "snap": (call.store.snapshots, "InvalidSnapshot.NotFound"),
        "i": (compute.instances, "InvalidInstanceID.NotFound"),
        "lt": (compute.templates, "InvalidLaunchTemplateId.NotFound"),
    }
    if kind not in places or len(resource) < 10:
        raise ServiceError("InvalidID", f"The ID '{resource}' is not valid")
    things, code = places[kind]
    thing = things.get(resource)
    if thing is None or not call.here(thing):
        raise ServiceError(code, f"The ID '{resource}' does not exist")
    tags: dict[str, str] = thing.tags
    return tags


ACTIONS = {
    "CreateTags": action(create_tags, "ResourceId", "Tag"),
    "DeleteTags": action(delete_tags, "ResourceId", "Tag"),
    "DescribeTags": action(describe_tags, "Filter", "MaxResults", "NextToken"),
}
