"""EC2: the actions that publishing an AMI needs."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from brqos.rehearsal.emulator import ec2_images, ec2_snapshots
from brqos.rehearsal.emulator.faults import Faults
from brqos.rehearsal.emulator.registration import checked_tags
from brqos.rehearsal.emulator.store import Store
from brqos.rehearsal.emulator.wire import (
    Caller,
    Request,
    Response,
    ServiceError,
    ec2_response,
    query_parameters,
)

_REGIONS = ("eu-central-1", "eu-west-1", "eu-north-1", "us-east-1", "us-east-2", "us-west-2", "ap-southeast-1")


def parameters_of(request: Request) -> dict[str, Any]:
    """The parameters of a request in the query protocol; raises ServiceError without an action."""
    pairs = parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
    asked = query_parameters(pairs)
    if request.method != "POST" or request.path != "/" or not isinstance(asked.get("Action"), str):
        raise ServiceError("MissingAction", "The request must contain the parameter Action")
    return asked


class Ec2:
    """The service `ec2` of one emulated account."""

    def __init__(self, store: Store, faults: Faults) -> None:
        self._store = store
        self._actions: dict[str, Callable[[Mapping[str, Any], Caller], dict[str, Any]]] = {
            "RegisterImage": lambda asked, caller: ec2_images.register_image(store, faults, asked, caller),
            "DescribeImages": lambda asked, caller: ec2_images.describe_images(store, asked, caller),
            "DeregisterImage": lambda asked, caller: ec2_images.deregister_image(store, asked, caller),
            "DescribeSnapshots": lambda asked, caller: ec2_snapshots.describe_snapshots(store, asked, caller),
            "DeleteSnapshot": lambda asked, caller: ec2_snapshots.delete_snapshot(store, asked, caller),
            "CreateTags": self._create_tags,
            "DescribeRegions": self._describe_regions,
        }

    def answer(self, asked: Mapping[str, Any], caller: Caller) -> Response:
        """Carry out one action; raises ServiceError."""
        name = str(asked["Action"])
        action = self._actions.get(name)
        if action is None:
            raise ServiceError("InvalidAction", f"The action {name} is not valid for this web service.")
        if asked.get("DryRun") == "true":
            message = "Request would have succeeded, but DryRun flag is set."
            raise ServiceError("DryRunOperation", message, status=412)
        with self._store.lock:
            return ec2_response(name, action(asked, caller))

    def _create_tags(self, asked: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        tags = checked_tags(asked.get("Tag", []))
        things = [self._tagged(resource, caller) for resource in asked.get("ResourceId", [])]
        if not things or not tags:
            raise ServiceError("MissingParameter", "The request must contain the parameters ResourceId and Tag")
        for thing in things:
            thing.update(tags)
        return {"return": True}

    def _tagged(self, resource: str, caller: Caller) -> dict[str, str]:
        if resource.startswith("snap-"):
            return ec2_snapshots.find_snapshot(self._store, resource, caller).tags
        image = self._store.images.get(resource)
        if image is None or (image.region, image.owner) != (caller.region, caller.account):
            raise ServiceError("InvalidID", f"The ID '{resource}' is not valid")
        return image.tags

    def _describe_regions(self, asked: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        names = asked.get("RegionName") or sorted({*_REGIONS, caller.region})
        regions = [
            {
                "regionName": name,
                "regionEndpoint": f"ec2.{name}.amazonaws.com",
                "optInStatus": "opt-in-not-required",
            }
            for name in names
        ]
        return {"regionInfo": regions}
