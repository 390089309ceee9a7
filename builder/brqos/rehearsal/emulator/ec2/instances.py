"""RunInstances, DescribeInstances and TerminateInstances, as far as they tell who uses an image."""

import secrets
from typing import Any

from brqos.rehearsal.emulator.compute import Instance
from brqos.rehearsal.emulator.ec2.call import Ec2Call, action, tag_set, timestamp
from brqos.rehearsal.emulator.ec2.filters import Fields, selected
from brqos.rehearsal.emulator.ec2.image_view import find_visible
from brqos.rehearsal.emulator.ec2.registration import tags_for
from brqos.rehearsal.emulator.ec2.templates import image_of, version_asked_for
from brqos.rehearsal.emulator.wire import ServiceError

_CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}


def run_instances(call: Ec2Call) -> dict[str, Any]:
    """RunInstances from an image, or from a launch template that names one; raises ServiceError."""
    template = call.asked.get("LaunchTemplate")
    data = version_asked_for(call, template).data if template else {}
    image_id = call.asked.get("ImageId") or image_of(call, data)
    if not image_id:
        raise ServiceError("MissingParameter", "The request must contain the parameter ImageId")
    image = find_visible(call, image_id)
    if (state := image.state(call.now)) != "available":
        raise ServiceError("InvalidAMIID.Unavailable", f"The image {image.id} is {state}")
    count = call.required("MaxCount")
    if not count.isdecimal() or not 1 <= int(count) <= 100:
        raise ServiceError("InvalidParameterValue", f"Value ({count}) for parameter maxCount is invalid.")
    tags = tags_for(call.asked.get("TagSpecification", []), "instance", "volume")["instance"]
    kind = str(call.asked.get("InstanceType") or data.get("instanceType") or "m1.small")
    made = [
        Instance(
            f"i-0{secrets.token_hex(8)}", image.region, call.caller.account, image.id, call.now, kind, tags=dict(tags)
        )
        for _ in range(int(count))
    ]
    call.store.compute.instances.update({instance.id: instance for instance in made})
    image.launched_at = call.now
    return {**_reservation(call), "instancesSet": [_shown(instance) for instance in made]}


def describe_instances(call: Ec2Call) -> dict[str, Any]:
    """DescribeInstances, by id and filters; a page of them, each in a reservation of its own."""
    chosen = [instance for instance in call.store.compute.instances.values() if call.here(instance)]
    if ids := call.asked.get("InstanceId"):
        _check_known(call, ids)
        chosen = [instance for instance in chosen if instance.id in ids]
    chosen = selected(chosen, call.asked.get("Filter", []), _FIELDS, lambda instance: instance.tags)
    page, token = call.page("DescribeInstances", chosen, lambda instance: instance.id, ids="InstanceId")
    told = [{**_reservation(call), "instancesSet": [_shown(instance)]} for instance in page]
    return {"reservationSet": told, "nextToken": token}


def terminate_instances(call: Ec2Call) -> dict[str, Any]:
    """TerminateInstances; they stay to be seen as `terminated`."""
    ids = call.asked.get("InstanceId", [])
    _check_known(call, ids)
    for instance_id in ids:
        call.store.compute.instances[instance_id].state = "terminated"
    return {"instancesSet": [{"instanceId": each, "currentState": _state("terminated")} for each in ids]}


def _check_known(call: Ec2Call, ids: list[str]) -> None:
    for instance_id in ids:
        instance = call.store.compute.instances.get(instance_id)
        if instance is None or not call.here(instance):
            raise ServiceError("InvalidInstanceID.NotFound", f"The instance ID '{instance_id}' does not exist")


_FIELDS: Fields[Instance] = {
    "instance-id": lambda instance: instance.id,
    "image-id": lambda instance: instance.image_id,
    "instance-state-name": lambda instance: instance.state,
    "instance-type": lambda instance: instance.instance_type,
    "owner-id": lambda instance: instance.owner,
}


def _reservation(call: Ec2Call) -> dict[str, Any]:
    return {"reservationId": f"r-0{secrets.token_hex(8)}", "ownerId": call.caller.account, "groupSet": []}


def _shown(instance: Instance) -> dict[str, Any]:
    return {
        "instanceId": instance.id,
        "imageId": instance.image_id,
        "instanceState": _state(instance.state),
        "instanceType": instance.instance_type,
        "launchTime": timestamp(instance.launched_at),
        "tagSet": tag_set(instance.tags),
    }


def _state(name: str) -> dict[str, object]:
    return {"code": _CODES.get(name, 16), "name": name}


ACTIONS = {
    "RunInstances": action(
        run_instances,
        "ImageId",
        "InstanceType",
        "MaxCount",
        "MinCount",
        "KeyName",
        "SecurityGroupId",
        "SubnetId",
        "UserData",
        "TagSpecification",
        "LaunchTemplate",
        "BlockDeviceMapping",
        "MetadataOptions",
        "IamInstanceProfile",
        "ClientToken",
    ),
    "DescribeInstances": action(describe_instances, "InstanceId", "Filter", "NextToken", "MaxResults"),
    "TerminateInstances": action(terminate_instances, "InstanceId"),
}
