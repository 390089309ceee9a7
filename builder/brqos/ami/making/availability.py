"""An AMI of the planned name: whether it is there and the one that is meant, and waiting until it can be used."""

from brqos.ami import tags as tagging
from brqos.ami.making.existing import contradictions, differences, silences, snapshots_of
from brqos.ami.plan import AmiPlan
from brqos.ami.setting import RegionSetting
from brqos.ami.waiting import wait_until
from brqos.aws.ec2 import DescribedImage
from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.retry import StoppedError
from brqos.errors import AwsError

_AVAILABLE_SECONDS = 45 * 60.0
_GOOD_STATES = ("pending", "available")


def find_existing(plan: AmiPlan, setting: RegionSetting) -> DescribedImage | None:
    """The image that has the planned name, if it is the one that is wanted.

    Those of ours that failed are cleared away. Raises AwsError where the name stands for something else.
    """
    refusals: list[AwsError] = []
    for image in setting.ec2.images_named(plan.name):
        if image.state == "failed" and _is_ours(plan, image) and clear_failed(image, setting, plan):
            continue
        refusal = _refusal(plan, image)
        if refusal is None:
            return image
        refusals.append(refusal)
    if refusals:
        raise refusals[0]
    return None


def _refusal(plan: AmiPlan, image: DescribedImage) -> AwsError | None:
    """Why an image of the planned name cannot be taken; None if it can."""
    if image.state not in _GOOD_STATES:
        enable = f"Enable it (aws ec2 enable-image --region {plan.region} --image-id {image.id}), or "
        drop = _drop(image.id, plan.region)
        return AwsError(
            f"the name {plan.name} is taken in {plan.region} by {image.id}, which is “{image.state}”",
            why=image.reason,
            todo=f"{enable}{drop[0].lower()}{drop[1:]}" if image.state == "disabled" else drop,
        )
    if unlike := differences(plan, image):
        return AwsError(
            f"the name {plan.name} is taken in {plan.region} by {image.id}, which has another content",
            why="; ".join(unlike),
            todo="Give another --name, or deregister that AMI if nothing uses it any more.",
        )
    return None


def await_available(plan: AmiPlan, image_id: str, setting: RegionSetting) -> DescribedImage:
    """The image, as soon as it is available.

    One that failed is cleared away, so that the same command can be run again. Raises AwsError, StoppedError.
    """
    with setting.monitor.task(f"Waiting for {image_id} in {plan.region}") as task:

        def ended() -> DescribedImage | None:
            image = setting.ec2.image(image_id)
            task.describe("unknown yet" if image is None else image.state)
            return None if image is None or image.state == "pending" else image

        try:
            image = wait_until(ended, _AVAILABLE_SECONDS, stop=setting.stop)
        except StoppedError:
            setting.monitor.warn(
                f"{plan.region}: {image_id} is on its way and stays; the same command goes on waiting for it"
            )
            raise
    if image is None:
        raise AwsError(
            f"the AMI {image_id} in {plan.region} was not available within {_AVAILABLE_SECONDS / 60:.0f} minutes",
            todo="Run the same command again: it goes on waiting for this one.",
        )
    if image.state != "available":
        cleared = image.state == "failed" and clear_failed(image, setting, plan)
        raise AwsError(
            f"the AMI {image_id} in {plan.region} ended as “{image.state}”",
            why=image.reason,
            todo="It was deregistered. Run the same command again; snapshots that are good are used again."
            if cleared
            else _drop(image_id, plan.region),
        )
    return image


def check_as_planned(plan: AmiPlan, image: DescribedImage, setting: RegionSetting) -> None:
    """Raise AwsError if AWS tells otherwise of the image than was asked for; what it does not tell is a warning."""
    if unlike := contradictions(plan, image):
        raise AwsError(
            f"the AMI {image.id} in {plan.region} is not what was asked for",
            why="; ".join(unlike),
            todo=_drop(image.id, plan.region),
        )
    if untold := silences(plan, image):
        setting.monitor.warn(f"{plan.region}: AWS does not confirm everything of {image.id}: {'; '.join(untold)}")


def clear_failed(image: DescribedImage, setting: RegionSetting, plan: AmiPlan) -> bool:
    """Deregister an image that failed, and delete what only it holds; whether that was done.

    Snapshots that were uploaded are good whatever became of the image, and are kept to be used again; those of a copy
    came with it.
    """
    try:
        setting.ec2.deregister_image(image.id)
    except AwsCallError as error:
        if error.kind is not ErrorKind.NOT_FOUND:
            setting.monitor.warn(f"{plan.region}: {image.id} failed, and cannot be cleared away: {error.what}")
            return False
    setting.monitor.note(f"{plan.region}: {image.id} had failed and is deregistered")
    for snapshot in snapshots_of(image).values() if plan.copy_from is not None else ():
        _delete_of_copy(snapshot, setting)
    return True


def _delete_of_copy(snapshot: str, setting: RegionSetting) -> None:
    """Delete a snapshot that came with a copy; one that says what it holds was uploaded, or is of a good copy."""
    try:
        described = setting.ec2.snapshot(snapshot)
        if described is None or tagging.ROLE not in described.tags:
            setting.ec2.delete_snapshot(snapshot)
    except AwsCallError as error:
        if error.kind not in (ErrorKind.NOT_FOUND, ErrorKind.IN_USE):
            setting.monitor.warn(
                f"{setting.region}: {snapshot} of the failed copy stays: {error.what}. `brqos prune` removes it later."
            )


def _is_ours(plan: AmiPlan, image: DescribedImage) -> bool:
    """Whether it is what this very plan made: by the tool, the subject, and the content of every image."""
    own = (tagging.TOOL, tagging.VARIANT, tagging.ARCH, tagging.IMAGE_VERSION)
    keys = [*own, *(tagging.image_tag(item.role) for item in plan.snapshots)]
    return all(image.tags.get(key) == plan.tags.get(key) for key in keys)


def _drop(image_id: str, region: str) -> str:
    return (
        f"Remove it (aws ec2 deregister-image --region {region} --image-id {image_id}) and run the same command again;"
        " the snapshots are kept and used again."
    )
