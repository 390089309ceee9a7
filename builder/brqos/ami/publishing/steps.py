"""What is done with one region's AMI once it is available: shared, marked, named in SSM, in this order.

Every step looks first at what is there, so that the same command goes on where an earlier one ended. The parameters
come last: who finds the AMI by them may use it already.
"""

import threading
from collections.abc import Callable

from brqos.ami.model import RegionAmi
from brqos.ami.publication import Publication
from brqos.ami.publishing.marks import check_deprecation, mark
from brqos.ami.publishing.parameter_names import check_parameters
from brqos.ami.publishing.parameters import publish_parameters
from brqos.ami.publishing.sharing import share
from brqos.aws.ec2 import DescribedImage, Ec2
from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.session import AwsSession
from brqos.errors import AwsError
from brqos.monitor import Monitor


def check_publication(publication: Publication) -> None:
    """Refuse wishes that AWS would refuse, before anything is made; raises ConfigurationError."""
    check_deprecation(publication)
    check_parameters(publication)


def share_and_mark(
    session: AwsSession,
    region: str,
    ami: RegionAmi,
    publication: Publication,
    monitor: Monitor,
    *,
    on_step: Callable[[RegionAmi], None] = lambda _: None,
    stop: threading.Event | None = None,
) -> RegionAmi:
    """Let others use an available AMI and set its marks; returns it with `shared_with`. Raises AwsError."""
    ec2, attributes = session.ec2(region), session.image_attributes(region)
    image = available(ami.id, ec2)
    shared_with = share(ami.id, tuple(ami.snapshots.values()), publication, attributes, ec2, monitor, stop=stop)
    ami = ami.model_copy(update={"shared_with": shared_with})
    on_step(ami)
    mark(image, publication, attributes, ec2, monitor, stop=stop)
    return ami


def name_in_ssm(
    session: AwsSession,
    region: str,
    ami: RegionAmi,
    publication: Publication,
    monitor: Monitor,
    *,
    stop: threading.Event | None = None,
) -> RegionAmi:
    """Have the version's SSM parameters name an AMI; returns it with `parameters`. Raises AwsError."""
    if publication.ssm_prefix is None:
        return ami
    parameters = publish_parameters(session.parameters(region), publication, ami.id, monitor, stop=stop)
    return ami.model_copy(update={"parameters": {**ami.parameters, **parameters}})


def available(image_id: str, ec2: Ec2) -> DescribedImage:
    """The image; raises AwsError if it is not there or not available."""
    image = described(image_id, ec2)
    if image is None or image.state != "available":
        raise AwsError(
            f"the AMI {image_id} in {ec2.region} is {'not there' if image is None else f'“{image.state}”'}",
            why=image.reason if image else "It was deregistered or disabled, or belongs to another account.",
            todo="Register it again.",
        )
    return image


def described(image_id: str, ec2: Ec2) -> DescribedImage | None:
    """The image, None where EC2 knows none; raises AwsCallError."""
    try:
        return ec2.image(image_id)
    except AwsCallError as error:
        if error.kind is ErrorKind.NOT_FOUND:
            return None
        raise
