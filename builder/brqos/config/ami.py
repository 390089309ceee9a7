"""The section `[ami]`: which AMIs are made, for whom, and what becomes of them."""

from typing import Annotated, Literal

from pydantic import Field

from brqos.config.base import REGION_PATTERN, Model

_PARTITION = r"arn:aws[a-z-]*"
_KEY_ARN = rf"^{_PARTITION}:kms:{REGION_PATTERN}:[0-9]{{12}}:key/[0-9A-Za-z-]{{1,128}}$"
_ROLE_ARN = rf"^{_PARTITION}:iam::[0-9]{{12}}:role/[A-Za-z0-9+=,.@/_-]+$"
_ORGANIZATION_ARN = rf"^{_PARTITION}:organizations::[0-9]{{12}}:organization/o-[a-z0-9]{{10,32}}$"
_OU_ARN = rf"^{_PARTITION}:organizations::[0-9]{{12}}:ou/o-[a-z0-9]{{10,32}}/ou-[a-z0-9]{{4,32}}-[a-z0-9]{{8,32}}$"

Region = Annotated[str, Field(pattern=f"^{REGION_PATTERN}$")]
KeyArn = Annotated[str, Field(pattern=_KEY_ARN)]
RoleArn = Annotated[str, Field(pattern=_ROLE_ARN)]
Account = Annotated[str, Field(pattern=r"^[0-9]{12}$")]


class AmiSpec(Model):
    """The AMIs to be made."""

    regions: tuple[Region, ...] = ()
    """One AMI is made in each; none: the build ends with the image."""
    profile: str | None = None
    """The profile of the AWS configuration; boto3's own chain where it is not given."""
    region_profiles: dict[Region, str] = Field(default_factory=dict)
    """Another profile for single regions, such as those of another partition (aws-cn, aws-us-gov)."""
    role: RoleArn | None = None
    """ARN of a role to assume first; the AMIs are made in its account."""
    region_roles: dict[Region, RoleArn] = Field(default_factory=dict)
    """Another role for single regions."""
    name: str | None = Field(default=None, min_length=3, max_length=128, pattern=r"^[A-Za-z0-9()\[\] ./'@_-]+$")
    """The AMI's name; bottlerocket-<variant>-<arch>-v<version>-<commit> where it is not given."""
    description: str | None = Field(default=None, max_length=255)
    """The AMI's description."""
    tags: dict[str, str] = Field(default_factory=dict)
    """Tags on AMI and snapshots, beside brqos's own."""
    kms_keys: dict[Region, KeyArn] = Field(default_factory=dict)
    """Per region the ARN of the KMS key that its snapshots are encrypted with."""
    omit_zero_blocks: tuple[Literal["os", "data"], ...] = ()
    """Images whose zero blocks are not sent; on an encrypted volume a block that was never written reads as garbage."""
    direct_upload: bool = False
    """Upload to every region, instead of to the first one and copying from there."""
    share_accounts: tuple[Account, ...] = ()
    """Accounts that may launch the AMI."""
    share_organizations: tuple[Annotated[str, Field(pattern=_ORGANIZATION_ARN)], ...] = ()
    """ARNs of organizations whose accounts may launch the AMI."""
    share_ous: tuple[Annotated[str, Field(pattern=_OU_ARN)], ...] = ()
    """ARNs of organizational units whose accounts may launch the AMI."""
    share_snapshots: bool = False
    """Let the accounts read the snapshots too, which they need for copying the AMI, not for launching it."""
    public: bool = False
    """Let everybody launch the AMI; counts only with the flag --confirm-public."""
    deprecate_after: str | None = Field(default=None, pattern=r"^[1-9][0-9]{0,3}[dwy]$")
    """Age at which the AMI counts as deprecated: 90d, 26w or 2y."""
    protect: bool = False
    """Switch deregistration protection on."""
    ssm_prefix: str | None = Field(default=None, pattern=r"^(/[A-Za-z0-9_.-]+)+$", max_length=900)
    """SSM parameters <prefix>/<variant>/<arch>/<version>/image_id and image_version name the AMI."""
    ssm_parameters: dict[str, str] = Field(default_factory=dict)
    """Further SSM parameters below the prefix: templates of names and values, in pubsys's words."""
    promote: bool = False
    """Make the version the one that <prefix>/<variant>/<arch>/latest names, once every region has it."""
