"""What AWS has of a fleet: the account's AMIs with brqos's tag, asked once for each region and identity."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from brqos.ami import tags as tagging
from brqos.ami.everywhere import everywhere, told
from brqos.ami.names import default_name
from brqos.aws.ec2 import DescribedImage
from brqos.aws.errors import AwsCallError
from brqos.aws.session import AwsSession
from brqos.config.ami import AmiSpec
from brqos.config.model import BuildSpec
from brqos.errors import AwsError
from brqos.monitor import Monitor
from brqos.pipeline.surroundings import aws_of

_OURS = {tagging.TOOL: "brqos"}
_Place = tuple[str | None, str | None, str]


@dataclass(frozen=True, slots=True)
class Amis:
    """Per region and identity the AMIs by the build that they are of; a place that was not asked is not in it."""

    by_build: Mapping[_Place, Mapping[str, Sequence[DescribedImage]]] = field(default_factory=dict)

    def of(self, ami: AmiSpec, region: str, build: str) -> Sequence[DescribedImage] | None:
        """The AMIs of a build there; None where nobody was asked."""
        found = self.by_build.get(_place(ami, region))
        return None if found is None else found.get(build, ())


def is_wanted(image: DescribedImage, spec: BuildSpec, region: str, build: str, image_version: str) -> bool:
    """Whether an AMI is available and is what the spec's build publishes, as far as DescribeImages tells.

    Its content is told by its tags: the name of a build is a digest of all that its image depends on, and the image's
    version has the overlay's commit. Not told is with whom it is shared, and which SSM parameters name it.
    """
    ami, tags = spec.ami, image.tags
    variant = spec.variant_name.memory_qos
    wanted = {
        **_OURS,
        tagging.BUILD: build,
        tagging.VARIANT: variant,
        tagging.ARCH: spec.arch.value,
        tagging.IMAGE_VERSION: image_version,
    }
    return (
        image.state == "available"
        and all(tags.get(key) == value for key, value in wanted.items())
        and image.name == (ami.name or default_name(variant, spec.arch, image_version))
        and tags.get(tagging.KMS_KEY) == ami.kms_keys.get(region)
        and (image.public or not ami.public)
        and (image.deprecated_at is not None or ami.deprecate_after is None)
        and (image.protection != "disabled" or not ami.protect)
    )


def ask(wishes: Iterable[AmiSpec], monitor: Monitor) -> Amis:
    """Ask for the AMIs of all regions of these wishes, where there is a login; says where there is none.

    Raises AwsError where AWS does not answer: what is there is then not known.
    """
    places: dict[_Place, AwsSession] = {}
    for ami in wishes:
        aws = aws_of(ami)
        for region in ami.regions:
            places.setdefault(_place(ami, region), aws.session(region))
    identities = {place[:2]: session for place, session in places.items()}
    logged_in = {identity for identity, session in identities.items() if _has_login(session, monitor)}
    sessions = {place: session for place, session in places.items() if place[:2] in logged_in}
    silent = sorted({place[2] for place in places.keys() - sessions.keys()})
    if silent:
        monitor.note(f"No AWS login for {', '.join(silent)}: what is published there is known by records only.")
    # In one region several accounts may be asked.
    labels = {_label(place): place for place in sessions}
    outcome = everywhere(labels, lambda label: _images(sessions[labels[label]], labels[label][2]))
    if outcome.failures:
        raise AwsError(
            f"it cannot be told what is published in {', '.join(outcome.failures)}",
            why=told(outcome.failures),
            todo="Correct that; or go by build records alone, with --no-aws.",
        )
    return Amis({labels[label]: found for label, found in outcome.results.items()})


def _place(ami: AmiSpec, region: str) -> _Place:
    return ami.region_profiles.get(region, ami.profile), ami.region_roles.get(region, ami.role), region


def _label(place: _Place) -> str:
    *identity, region = place
    named = ", ".join(filter(None, identity))
    return f"{region} ({named})" if named else str(region)


def _has_login(session: AwsSession, monitor: Monitor) -> bool:
    try:
        return session.has_credentials()
    except AwsCallError as error:
        # A job that only plans may know nothing of the profiles that others publish with.
        monitor.warn(f"AWS is not asked with the profile {session.profile}: {error.what}")
        return False


def _images(session: AwsSession, region: str) -> Mapping[str, Sequence[DescribedImage]]:
    found: dict[str, list[DescribedImage]] = defaultdict(list)
    for image in session.impatient().ec2(region).own_images(_OURS):
        found[image.tags.get(tagging.BUILD, "")].append(image)
    return found
