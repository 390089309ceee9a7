"""Registering in one region: from images to an AMI that is available, nothing twice."""

from collections.abc import Mapping
from dataclasses import dataclass

from brqos.ami.making.availability import await_available, check_as_planned, find_existing
from brqos.ami.making.existing import snapshots_of
from brqos.ami.model import RegionAmi
from brqos.ami.plan import AmiPlan
from brqos.ami.setting import RegionSetting
from brqos.ami.upload.snapshots import Snapshots, make_snapshots
from brqos.ami.waiting import wait_until
from brqos.aws.errors import AwsCallError, ErrorKind

# With the pauses between them some three minutes: long enough for throttling to pass.
_REGISTER_TRIES = 9


@dataclass(frozen=True, slots=True)
class Made:
    """An AMI, and what was uploaded for it; None where nothing was."""

    ami: RegionAmi
    snapshots: Snapshots | None = None


def register(plan: AmiPlan, setting: RegionSetting) -> Made:
    """Make the AMI of one region by uploading, or take the one that is there; returns when it is available.

    Raises AwsError (a name that is taken by something else included), ConfigurationError if an image has changed,
    StoppedError.
    """
    if (taken := find_existing(plan, setting)) is not None:
        return Made(take(plan, taken.id, setting))
    snapshots = make_snapshots(plan, setting)
    complete = ", ".join(f"{role.value} {snapshot}" for role, snapshot in snapshots.ids.items())
    setting.monitor.note(f"{plan.region}: the snapshots are complete: {complete}")
    image_id = _register(plan, plan.register_parameters(snapshots.ids), setting)
    setting.monitor.note(f"{plan.region}: registered {plan.name} as {image_id}")
    image = await_available(plan, image_id, setting)
    check_as_planned(plan, image, setting)
    return Made(RegionAmi(id=image.id, name=image.name, snapshots=snapshots_of(image)), snapshots)


def take(plan: AmiPlan, image_id: str, setting: RegionSetting) -> RegionAmi:
    """The AMI that is there already, as soon as it is available."""
    setting.monitor.note(f"{plan.region}: {plan.name} is there already, as {image_id}")
    image = await_available(plan, image_id, setting)
    return RegionAmi(id=image.id, name=image.name, snapshots=snapshots_of(image), created=False)


def _register(plan: AmiPlan, parameters: Mapping[str, object], setting: RegionSetting) -> str:
    # RegisterImage knows no client token: after an answer that was lost only the name tells whether it was done.
    for attempt in range(1, _REGISTER_TRIES + 1):
        try:
            return setting.ec2.register_image(parameters)
        except AwsCallError as error:
            unclear = error.kind in (ErrorKind.CONNECTION, ErrorKind.SERVER, ErrorKind.THROTTLED)
            if not unclear and error.kind is not ErrorKind.DUPLICATE_NAME:
                raise
            made = wait_until(lambda: find_existing(plan, setting), min(30.0, 2.0**attempt), stop=setting.stop)
            if made is not None:
                return made.id
            if attempt == _REGISTER_TRIES or not unclear:
                raise
    raise AssertionError("the last try either returns or raises")
