"""Copying an AMI to another region of the same account: its snapshots go along, inside AWS."""

import hashlib
import json

from brqos.ami.calls import copy_parameters
from brqos.ami.making.availability import await_available, check_as_planned, find_existing
from brqos.ami.making.existing import snapshots_of
from brqos.ami.making.register import take
from brqos.ami.model import RegionAmi
from brqos.ami.plan import AmiPlan
from brqos.ami.setting import RegionSetting
from brqos.ami.waiting import wait_until
from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.errors import AwsError

_GENERATIONS = 4
# A copy that was just begun may be unknown for a moment; one whose token is of a copy long gone stays unknown.
_UNKNOWN_SECONDS = 30.0


def copy(plan: AmiPlan, source: RegionAmi, setting: RegionSetting) -> RegionAmi:
    """Copy the AMI of `plan.copy_from` to the plan's region, or take the one there; returns when it is available.

    Raises AwsError, StoppedError.
    """
    taken = find_existing(plan, setting)
    ami = take(plan, taken.id, setting) if taken else _copied(plan, source, setting)
    _tag_snapshots(plan, ami, setting)
    return ami


def _copied(plan: AmiPlan, source: RegionAmi, setting: RegionSetting) -> RegionAmi:
    image_id = _begin(plan, source, setting)
    setting.monitor.note(f"{plan.region}: copying {source.id} of {plan.copy_from} as {image_id}")
    image = await_available(plan, image_id, setting)
    check_as_planned(plan, image, setting)
    return RegionAmi(id=image.id, name=image.name, snapshots=snapshots_of(image), copied_from=plan.copy_from)


def _begin(plan: AmiPlan, source: RegionAmi, setting: RegionSetting) -> str:
    """The id of the copy; a token that stands for an earlier copy that is gone is passed over."""
    parameters = copy_parameters(plan, source.id)
    for generation in range(_GENERATIONS):
        try:
            image_id = setting.ec2.copy_image(parameters, token=_token(parameters, setting, generation))
        except AwsCallError as error:
            if error.kind is ErrorKind.CONFLICT:
                continue
            if error.kind is ErrorKind.DUPLICATE_NAME and (made := find_existing(plan, setting)):
                return made.id
            raise
        if _is_known(image_id, setting):
            return image_id
    raise AwsError(
        f"the copy of {source.id} to {plan.region} cannot be begun",
        why="AWS answers with copies that were deregistered by now.",
        todo=f"Upload to that region instead (--direct-upload), or copy to it under another --name than {plan.name}.",
    )


def _is_known(image_id: str, setting: RegionSetting) -> bool:
    try:
        found = wait_until(
            lambda: setting.ec2.image(image_id), _UNKNOWN_SECONDS, stop=setting.stop, unknown_seconds=_UNKNOWN_SECONDS
        )
    except AwsCallError as error:
        if error.kind is ErrorKind.NOT_FOUND:
            return False
        raise
    return found is not None


def _token(parameters: object, setting: RegionSetting, generation: int) -> str:
    """CopyImage's ClientToken: the same whenever the same copy is asked for."""
    words = [parameters, setting.region, setting.account, generation]
    return hashlib.sha256(json.dumps(words, sort_keys=True).encode()).hexdigest()


def _tag_snapshots(plan: AmiPlan, ami: RegionAmi, setting: RegionSetting) -> None:
    """Say of each snapshot of the copy what it holds, so that it is found again like one that was uploaded."""
    for planned in plan.snapshots:
        snapshot_id = ami.snapshots.get(planned.role)
        if snapshot_id is None:
            continue
        described = setting.ec2.snapshot(snapshot_id)
        missing = {
            key: value for key, value in planned.tags.items() if not described or described.tags.get(key) != value
        }
        if missing:
            setting.ec2.tag(snapshot_id, missing)
