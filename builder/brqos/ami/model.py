"""What registering leaves: per region an AMI, its snapshots, and what was done with it."""

from pydantic import Field

from brqos.config.base import Model
from brqos.image.model import ImageRole


class RegionAmi(Model):
    """The AMI of one region.

    `snapshots` has one id per image; `created` is false where an earlier one was taken; `inputs` is the digest of the
    images and wishes that it was made from, so that a record can tell whether it is still the one that is wanted.
    `shared_with` has accounts, ARNs and `all`; `parameters` the SSM parameters that name it, with their values.
    """

    id: str
    name: str
    snapshots: dict[ImageRole, str]
    created: bool = True
    inputs: str = ""
    state: str = "available"
    copied_from: str | None = None
    shared_with: tuple[str, ...] = ()
    parameters: dict[str, str] = Field(default_factory=dict)
