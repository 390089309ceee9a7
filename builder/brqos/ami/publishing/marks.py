"""The marks of an AMI: when it counts as deprecated, and that it cannot be deregistered by mistake."""

import threading
from datetime import UTC, datetime, timedelta

from brqos.ami.publication import Publication
from brqos.ami.waiting import wait_until
from brqos.aws.ec2 import DescribedImage, Ec2
from brqos.aws.image_attributes import ImageAttributes
from brqos.errors import AwsError, ConfigurationError
from brqos.monitor import Monitor

# EnableImageDeprecation's documentation: at most 10 years from now, for public AMIs 2 years from the creation.
MOST_DAYS = 3650
MOST_DAYS_PUBLIC = 730
_TOLD_SECONDS = 120.0
# The same documentation: "Amazon EC2 rounds the seconds to the nearest minute".
_ROUNDING = timedelta(minutes=1)


def check_deprecation(publication: Publication) -> None:
    """Refuse an age that EC2 would refuse; raises ConfigurationError."""
    days = publication.deprecate_after_days
    most = MOST_DAYS_PUBLIC if publication.public else MOST_DAYS
    if days is not None and days > most:
        raise ConfigurationError(
            f"the AMI cannot be deprecated after {days} days",
            why=f"EC2 takes {most // 365} years at most" + (" for a public AMI." if publication.public else "."),
            todo="Give a shorter deprecate-after.",
        )


def deprecation_time(created: datetime, days: int) -> datetime:
    """When an AMI counts as deprecated, in UTC and whole minutes, so that nothing is left for EC2 to round."""
    return (created.astimezone(UTC) + timedelta(days=days)).replace(second=0, microsecond=0)


def same_time(wanted: datetime, found: datetime | None) -> bool:
    """Whether a time that EC2 tells is the one that it was given, as far as rounding goes."""
    return found is not None and abs(found - wanted) <= _ROUNDING


def is_protected(image: DescribedImage) -> bool:
    """Whether an image cannot be deregistered."""
    return image.protection.startswith("enabled")


def mark(
    image: DescribedImage,
    publication: Publication,
    attributes: ImageAttributes,
    ec2: Ec2,
    monitor: Monitor,
    *,
    stop: threading.Event | None = None,
    now: datetime | None = None,
) -> None:
    """Set the marks that are asked for and not there; returns when EC2 tells them.

    A mark that was not asked for stays as it is. Raises AwsError, also where the time of the deprecation has passed,
    and StoppedError.
    """
    at = _missing_deprecation(image, publication, ec2.region, now or datetime.now(UTC))
    protect = publication.protect and not is_protected(image)
    if at is not None:
        attributes.deprecate(image.id, at)
    if protect:
        attributes.protect(image.id)
    if at is None and not protect:
        return
    _await_told(image.id, at, ec2, protect=protect, stop=stop)
    if at is not None:
        monitor.note(f"{ec2.region}: {image.id} counts as deprecated from {at:%Y-%m-%d %H:%M} UTC on")
    if protect:
        monitor.note(f"{ec2.region}: {image.id} is protected from being deregistered")


def _missing_deprecation(
    image: DescribedImage, publication: Publication, region: str, now: datetime
) -> datetime | None:
    days = publication.deprecate_after_days
    if days is None:
        return None
    if image.created is None:
        raise AwsError(
            f"AWS does not tell when {image.id} in {region} was made, so its deprecation cannot be set",
            todo="Run the same command again, or leave deprecate-after out.",
        )
    at = deprecation_time(image.created, days)
    if same_time(at, image.deprecated_at):
        return None
    if at <= now:
        raise AwsError(
            f"{image.id} in {region} would have been deprecated at {at:%Y-%m-%d %H:%M} UTC already",
            why=f"It was made on {image.created:%Y-%m-%d}, {days} days ago or more; EC2 takes no time in the past.",
            todo="Give a longer deprecate-after, or leave it out for this AMI.",
        )
    return at


def _await_told(image_id: str, at: datetime | None, ec2: Ec2, *, protect: bool, stop: threading.Event | None) -> None:
    def told() -> bool | None:
        image = ec2.image(image_id)
        if image is None or (protect and not is_protected(image)):
            return None
        return True if at is None or same_time(at, image.deprecated_at) else None

    if wait_until(told, _TOLD_SECONDS, stop=stop) is None:
        raise AwsError(
            f"AWS does not tell the marks that {image_id} in {ec2.region} was given",
            why=f"Not within {_TOLD_SECONDS:.0f} seconds: "
            + " and ".join([*(["its deprecation"] if at else []), *(["its protection"] if protect else [])])
            + ".",
            todo="Run the same command again: it sets what is missing.",
        )
