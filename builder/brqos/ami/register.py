"""Registering: from plans to AMIs, one per region, nothing twice."""

from collections.abc import Callable, Mapping, Sequence

from brqos.ami.existing import contradictions, differences, silences, snapshots_of
from brqos.ami.model import RegionAmi
from brqos.ami.plan import AmiPlan
from brqos.ami.upload import make_snapshots
from brqos.ami.waiting import wait_until
from brqos.aws.ec2 import DescribedImage, Ec2
from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.retry import Retry
from brqos.aws.session import AwsSession
from brqos.errors import AwsError, BrqosError, ConfigurationError
from brqos.monitor import Monitor

_AVAILABLE_SECONDS = 30 * 60.0
_REGISTER_TRIES = 4
_GOOD_STATES = ("pending", "available")


class RegionsFailedError(AwsError):
    """Some regions failed; `amis` has those that did not, `failures` the error of each that did."""

    def __init__(self, amis: Mapping[str, RegionAmi], failures: Mapping[str, BrqosError]) -> None:
        made = ", ".join(f"{region} ({ami.id})" for region, ami in amis.items())
        super().__init__(
            f"no AMI in {', '.join(failures)}",
            why="\n".join(
                [*(f"{region}: {error}" for region, error in failures.items()), f"Done: {made or 'no region'}."]
            ),
            todo="Run the same command again: it takes what is there and makes what is missing.",
        )
        self.amis = dict(amis)
        self.failures = dict(failures)


def register_all(
    plans: Sequence[AmiPlan],
    session: AwsSession,
    monitor: Monitor,
    *,
    on_ami: Callable[[str, RegionAmi], None] = lambda _region, _ami: None,
    retry: Retry | None = None,
) -> dict[str, RegionAmi]:
    """Make the AMI of every plan, region after region; `on_ami` hears of each as soon as it is available.

    A region's failure does not keep the others from being tried. Raises RegionsFailedError at the end if some failed,
    or the error itself where only one region was asked for; ConfigurationError if an image has changed.
    """
    amis: dict[str, RegionAmi] = {}
    failures: dict[str, BrqosError] = {}
    for plan in plans:
        try:
            amis[plan.region] = register(plan, session, monitor, retry=retry)
        except BrqosError as error:
            if len(plans) == 1:
                raise
            failures[plan.region] = error
            monitor.warn(f"{plan.region}: {error.what}")
            if isinstance(error, ConfigurationError):
                # The images are the same for all regions: no other one could do better.
                break
        else:
            on_ami(plan.region, amis[plan.region])
    if failures:
        raise RegionsFailedError(amis, failures)
    return amis


def register(plan: AmiPlan, session: AwsSession, monitor: Monitor, *, retry: Retry | None = None) -> RegionAmi:
    """Make the AMI of one region, or take the one that is there; returns when it is available.

    Raises AwsError (a name that is taken by something else included) and ConfigurationError if an image has changed.
    """
    account = session.identity(plan.region).account
    ec2 = session.ec2(plan.region)
    if (taken := _existing(plan, ec2)) is not None:
        monitor.note(f"{plan.region}: {plan.name} is there already, as {taken.id}")
        image = _await_available(plan, taken.id, ec2, monitor)
        return RegionAmi(id=image.id, name=image.name, snapshots=snapshots_of(image), created=False)
    snapshots = make_snapshots(plan, session, ec2, account, monitor, retry)
    image_id = _register(plan, plan.register_parameters(snapshots), ec2)
    monitor.note(f"{plan.region}: registered {plan.name} as {image_id}")
    image = _await_available(plan, image_id, ec2, monitor)
    if unlike := contradictions(plan, image):
        raise AwsError(
            f"the AMI {image.id} in {plan.region} is not what was asked for",
            why="; ".join(unlike),
            todo=_drop(image.id, plan.region),
        )
    if untold := silences(plan, image):
        monitor.warn(f"{plan.region}: AWS does not confirm everything of {image.id}: {'; '.join(untold)}")
    return RegionAmi(id=image.id, name=image.name, snapshots=snapshots)


def _existing(plan: AmiPlan, ec2: Ec2) -> DescribedImage | None:
    """The image that has the name; raises AwsError if it is not the one that is wanted."""
    images = ec2.images_named(plan.name)
    if not images:
        return None
    image = images[0]
    if image.state not in _GOOD_STATES:
        raise AwsError(
            f"the name {plan.name} is taken in {plan.region} by {image.id}, which is “{image.state}”",
            why=image.reason,
            todo=_drop(image.id, plan.region),
        )
    if unlike := differences(plan, image):
        raise AwsError(
            f"the name {plan.name} is taken in {plan.region} by {image.id}, which has another content",
            why="; ".join(unlike),
            todo="Give another --name, or deregister that AMI if nothing uses it any more.",
        )
    return image


def _register(plan: AmiPlan, parameters: Mapping[str, object], ec2: Ec2) -> str:
    # RegisterImage knows no client token: after an answer that was lost only the name tells whether it was done.
    for attempt in range(1, _REGISTER_TRIES + 1):
        try:
            return ec2.register_image(parameters)
        except AwsCallError as error:
            unclear = error.kind in (ErrorKind.CONNECTION, ErrorKind.SERVER, ErrorKind.THROTTLED)
            if not unclear and error.kind is not ErrorKind.DUPLICATE_NAME:
                raise
            seconds = 2.0**attempt
            made = wait_until(lambda: _existing(plan, ec2), seconds)
            if made is not None:
                return made.id
            if attempt == _REGISTER_TRIES or not unclear:
                raise
    raise AssertionError("the last try either returns or raises")


def _await_available(plan: AmiPlan, image_id: str, ec2: Ec2, monitor: Monitor) -> DescribedImage:
    with monitor.task(f"Waiting for {image_id} in {plan.region}") as task:

        def ended() -> DescribedImage | None:
            image = ec2.image(image_id)
            task.describe("unknown yet" if image is None else image.state)
            return None if image is None or image.state == "pending" else image

        image = wait_until(ended, _AVAILABLE_SECONDS)
    if image is None:
        raise AwsError(
            f"the AMI {image_id} in {plan.region} was not available within half an hour",
            todo="Run the same command again: it goes on waiting for this one.",
        )
    if image.state != "available":
        raise AwsError(
            f"the AMI {image_id} in {plan.region} ended as “{image.state}”",
            why=image.reason,
            todo=_drop(image_id, plan.region),
        )
    return image


def _drop(image_id: str, region: str) -> str:
    return (
        f"Remove it (aws ec2 deregister-image --region {region} --image-id {image_id}) and run the same command again;"
        " the snapshots are kept and used again."
    )
