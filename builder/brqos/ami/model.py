"""What registering leaves: per region an AMI and its snapshots."""

from brqos.config.model import Model
from brqos.image.model import ImageRole


class RegionAmi(Model):
    """The AMI of one region.

    `snapshots` has one id per image; `created` is false where an earlier one was taken; `inputs` is the digest of the
    images and wishes that it was made from, so that a record can tell whether it is still the one that is wanted.
    """

    id: str
    name: str
    snapshots: dict[ImageRole, str]
    created: bool = True
    inputs: str = ""
