"""What becomes of an AMI once it is available: who may use it, how long, and under which names it is found. Pure."""

from datetime import timedelta

from pydantic import Field

from brqos.architecture import Architecture
from brqos.config.ami import AmiSpec
from brqos.config.base import Model

LATEST = "latest"
"""What stands for the version in the parameters of the promoted one."""

_DAYS = {"d": 1, "w": 7, "y": 365}


class Subject(Model):
    """What the parameters are about: `arch` is EC2's word (`arm64`), as in the names that AWS itself publishes."""

    variant: str
    arch: str
    image_version: str
    image_name: str = ""


class Publication(Model):
    """The wishes for an AMI, the same in every region.

    `deprecate_after_days` counts from the AMI's creation; `ssm_prefix` begins with a slash and ends without one.
    """

    subject: Subject
    accounts: tuple[str, ...] = ()
    organizations: tuple[str, ...] = ()
    ous: tuple[str, ...] = ()
    share_snapshots: bool = False
    public: bool = False
    deprecate_after_days: int | None = Field(default=None, ge=1)
    protect: bool = False
    ssm_prefix: str | None = None
    parameters: dict[str, str] = Field(default_factory=dict)
    """Templates of further SSM parameters below the prefix: a value for each name."""
    promote: bool = False
    tags: dict[str, str] = Field(default_factory=dict)
    """Tags of whatever is made on the way: the SSM parameters."""


def publication_of(
    spec: AmiSpec,
    *,
    variant: str,
    arch: Architecture,
    image_version: str,
    tags: dict[str, str],
    image_name: str = "",
) -> Publication:
    """The wishes of `[ami]` for one AMI."""
    return Publication(
        subject=Subject(variant=variant, arch=arch.ec2, image_version=image_version, image_name=image_name),
        accounts=tuple(dict.fromkeys(spec.share_accounts)),
        organizations=tuple(dict.fromkeys(spec.share_organizations)),
        ous=tuple(dict.fromkeys(spec.share_ous)),
        share_snapshots=spec.share_snapshots,
        public=spec.public,
        deprecate_after_days=_days(spec.deprecate_after) if spec.deprecate_after else None,
        protect=spec.protect,
        ssm_prefix=spec.ssm_prefix,
        parameters=spec.ssm_parameters,
        promote=spec.promote,
        tags=tags,
    )


def _days(text: str) -> int:
    """`90d`, `26w` or `2y` in days; the model has checked its form."""
    return timedelta(days=int(text[:-1]) * _DAYS[text[-1]]).days
