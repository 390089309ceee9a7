"""EC2: the actions that publishing an AMI, sharing it, using it, finding its users and removing it need."""

from collections.abc import Mapping
from typing import Any

from brqos.rehearsal.emulator.ec2 import (
    attributes,
    copying,
    image_settings,
    images,
    instance_types,
    instances,
    lifecycle,
    references,
    regions,
    snapshot_sharing,
    snapshots,
    subnets,
    tags,
    templates,
)
from brqos.rehearsal.emulator.ec2.call import Ec2Call, Known
from brqos.rehearsal.emulator.ec2.registration import check_members
from brqos.rehearsal.emulator.faults import Faults
from brqos.rehearsal.emulator.query import ec2_response
from brqos.rehearsal.emulator.store import Store
from brqos.rehearsal.emulator.wire import Caller, Response, ServiceError

_MODULES = (
    attributes, copying, image_settings, images, instance_types, instances, lifecycle, references, regions,
    snapshot_sharing, snapshots, subnets, tags, templates,
)  # fmt: skip
ACTIONS: dict[str, Known] = {name: known for module in _MODULES for name, known in module.ACTIONS.items()}
_COMMON = {"Action", "Version", "DryRun"}


class Ec2:
    """The service `ec2`."""

    def __init__(self, store: Store, faults: Faults) -> None:
        self._store = store
        self._faults = faults

    def answer(self, asked: Mapping[str, Any], caller: Caller) -> Response:
        """Carry out one action; raises ServiceError."""
        name = str(asked["Action"])
        known = ACTIONS.get(name)
        if known is None:
            raise ServiceError("InvalidAction", f"The action {name} is not valid for this web service.")
        check_members(asked, known.members | _COMMON)
        if asked.get("DryRun") == "true":
            message = "Request would have succeeded, but DryRun flag is set."
            raise ServiceError("DryRunOperation", message, status=412)
        with self._store.lock:
            return ec2_response(name, known.carry_out(Ec2Call(self._store, self._faults, asked, caller)))
