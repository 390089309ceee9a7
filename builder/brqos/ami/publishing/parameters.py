"""The SSM parameters that name an AMI: made once, read back before they count, never given another AMI."""

import threading
from collections.abc import Mapping

from brqos.ami.publication import Publication
from brqos.ami.publishing.parameter_names import Wanted, check_parameters, wanted
from brqos.ami.waiting import wait_until
from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.parameters import Parameter, Parameters
from brqos.aws.retry import Retry
from brqos.errors import AwsError
from brqos.monitor import Monitor

_APPEAR_SECONDS = 300.0
_RETRY = Retry({ErrorKind.THROTTLED: 120.0, ErrorKind.SERVER: 60.0, ErrorKind.CONNECTION: 60.0}, first_delay=0.2)


def missing(wishes: tuple[Wanted, ...], found: Mapping[str, Parameter], region: str) -> tuple[Wanted, ...]:
    """Those that have to be made; raises AwsError where one is there with another value."""
    for wish in wishes:
        there = found.get(wish.name)
        if there is not None and there.value != wish.value:
            raise AwsError(
                f"the SSM parameter {wish.name} in {region} has the value {there.value}, not {wish.value}",
                why="A version's parameters name one AMI for good: whoever pinned the version would get another one.",
                todo="Give another --ssm-prefix or --image-version; or, where nothing uses the old value any more,"
                f" remove it (aws ssm delete-parameter --region {region} --name {wish.name}) and run the same again.",
            )
    return tuple(wish for wish in wishes if wish.name not in found)


def publish_parameters(
    parameters: Parameters,
    publication: Publication,
    image_id: str,
    monitor: Monitor,
    *,
    stop: threading.Event | None = None,
) -> dict[str, str]:
    """Make the version's parameters, and return them with their values once they can be read back.

    Equal ones are taken. Raises AwsError for other values or one that did not take; ConfigurationError, StoppedError.
    """
    check_parameters(publication)
    wishes = wanted(publication, image_id, parameters.region)
    if not wishes:
        return {}
    found = parameters.get(wish.name for wish in wishes)
    lacking = missing(wishes, found, parameters.region)
    for wish in wishes:
        if wish.name in found and found[wish.name].data_type != wish.data_type:
            # SSM does not change a parameter to or from aws:ec2:image; pubsys makes them all as text.
            monitor.note(f"{parameters.region}: {wish.name} is there as {found[wish.name].data_type}, and stays so")
    for wish in lacking:
        _create(parameters, wish, "brqos: published", publication.tags)
    if lacking:
        await_values(parameters, lacking, monitor, stop=stop)
        monitor.note(f"{parameters.region}: {wishes[0].name} is {image_id}")
    return {wish.name: wish.value for wish in wishes}


def _create(parameters: Parameters, wish: Wanted, description: str, tags: Mapping[str, str]) -> None:
    try:
        _RETRY.call(
            lambda: parameters.create(
                wish.name, wish.value, data_type=wish.data_type, description=description, tags=tags
            )
        )
    except AwsCallError as error:
        # A call whose answer was lost has made it, or another run has: reading it back decides.
        if error.kind is not ErrorKind.DUPLICATE_NAME:
            raise


def put(parameters: Parameters, wish: Wanted, description: str, tags: Mapping[str, str]) -> None:
    """Make a parameter or give it another value; one that is there keeps its data type, which SSM does not change."""
    there = parameters.get([wish.name]).get(wish.name)
    if there is None:
        _create(parameters, wish, description, tags)
    elif there.value != wish.value:
        _RETRY.call(
            lambda: parameters.overwrite(wish.name, wish.value, data_type=there.data_type, description=description)
        )


def await_values(
    parameters: Parameters, wishes: tuple[Wanted, ...], monitor: Monitor, *, stop: threading.Event | None = None
) -> None:
    """Wait until all of them can be read with their values; raises AwsError for those that did not take."""
    found: Mapping[str, Parameter] = {}

    def taken() -> bool | None:
        nonlocal found
        found = parameters.get(wish.name for wish in wishes)
        return True if all(wish.name in found and found[wish.name].value == wish.value for wish in wishes) else None

    with monitor.task(f"Waiting for SSM in {parameters.region}"):
        if wait_until(taken, _APPEAR_SECONDS, stop=stop):
            return
    wrong = [wish for wish in wishes if wish.name not in found or found[wish.name].value != wish.value]
    told = "; ".join(
        f"{wish.name} is {found[wish.name].value if wish.name in found else 'not there'}, not {wish.value}"
        for wish in wrong
    )
    raise AwsError(
        f"an SSM parameter in {parameters.region} did not take its value within {_APPEAR_SECONDS / 60:.0f} minutes",
        why=f"{told}. SSM accepts an aws:ec2:image and checks it afterwards: it drops one whose AMI it cannot see.",
        todo="Check that the AMI is available in this account and region, and run the same command again.",
    )
