"""The section `[codebuild]`: where and how `brqos build --on codebuild` builds. Nothing else reads it.

Limits are those of CodeBuild's API reference (CreateProject, ProjectEnvironment) and of its user guide ("Build
environment compute modes and types", "Quotas").
"""

import re
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from brqos.config.ami import Account, KeyArn, Region
from brqos.config.base import REGION_PATTERN, Model
from brqos.config.matrix import Variant
from brqos.errors import ConfigurationError

CURATED = "aws/codebuild/"
"""What the names of CodeBuild's own container images begin with."""
IMAGE = f"{CURATED}standard:7.0"
_ROLE = r"^(arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@/_-]{1,512}|[A-Za-z0-9+=,.@_-]{1,64})$"
_SECRET = rf"arn:aws[a-z-]*:secretsmanager:{REGION_PATTERN}:[0-9]{{12}}:secret:[A-Za-z0-9/_+=.@-]+"
_S3_FILE = r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[A-Za-z0-9!_.*'()/-]+\.tar(\.gz)?"

# S3 guide, "General purpose bucket naming rules", beside what the pattern says.
_NO_BUCKET = re.compile(r".*\.\..*|[0-9]+(\.[0-9]+){3}", re.ASCII)
# API reference, Tag; IAM and S3 take as much, and AWS keeps names that begin with aws: to itself.
_TAG_KEY = re.compile(r"(?!aws:)[\w .:/=@+-]{1,127}", re.IGNORECASE)
_TAG_VALUE = re.compile(r"[\w .:/=@+-]{0,255}")
_TAG_OF_OURS = "brqos:tool"

Name = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")]


class Compute(StrEnum):
    """A size of CodeBuild's machines, BUILD_GENERAL1_*; what a Linux one for x86 has stands behind it."""

    SMALL = "small"
    """2 processors, 64 GB of disk."""
    MEDIUM = "medium"
    """4 processors, 128 GB of disk."""
    LARGE = "large"
    """8 processors, 128 GB of disk."""
    XLARGE = "xlarge"
    """36 processors, 256 GB of disk."""
    XXLARGE = "2xlarge"
    """72 processors, 824 GB of disk."""

    @property
    def type(self) -> str:
        """As the API calls it."""
        return f"BUILD_GENERAL1_{self.value.upper()}"


class CodeBuildVpc(Model):
    """The network that builds run in, where it is one of your own; it needs a way out (NAT) or mirrors."""

    id: str | None = Field(default=None, pattern=r"^vpc-[0-9a-f]{8,17}$")
    """The VPC."""
    subnets: tuple[Annotated[str, Field(pattern=r"^subnet-[0-9a-f]{8,17}$")], ...] = Field(default=(), max_length=16)
    """Its private subnets, by id."""
    security_groups: tuple[Annotated[str, Field(pattern=r"^sg-[0-9a-f]{8,17}$")], ...] = Field(default=(), max_length=5)
    """Security groups, by id."""

    @model_validator(mode="after")
    def _all_or_nothing(self) -> Self:
        given = [self.id is not None, bool(self.subnets), bool(self.security_groups)]
        if any(given) and not all(given):
            raise ConfigurationError(
                "a network for CodeBuild needs its id, subnets and security groups",
                todo="Give all three below [codebuild.vpc], or none.",
            )
        return self

    def __bool__(self) -> bool:
        return self.id is not None


class CodeBuildSpec(Model):
    """Where and how `brqos build --on codebuild` builds."""

    region: Region | None = None
    """The region that CodeBuild runs in; where it is not given, that of the AWS configuration, else the AMIs' first."""
    profile: str | None = None
    """Profile of the AWS configuration that sets all up and follows it; boto3's own chain where it is not given."""
    account: Account | None = None
    """The account that it has to be, so that nothing is set up in another one by mistake."""
    bucket: str | None = Field(default=None, pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
    """The bucket for sources and results; brqos-<account>-<region> where it is not given."""
    keep_days: int = Field(default=30, ge=1, le=3650)
    """How many days the bucket keeps sources and results."""
    project: str = Field(default="brqos", pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{1,149}$")
    """Name of the CodeBuild project."""
    role: str = Field(default="brqos-codebuild", pattern=_ROLE)
    """Name of the builds' role, which brqos makes, for one project in one region; or the ARN of one that is there."""
    batch_role: str | None = Field(default=None, pattern=_ROLE)
    """The same for the role that starts the builds of a batch; <role>-batch where it is not given."""
    image: str = Field(default=IMAGE, min_length=1, max_length=500, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@-]*$")
    """Container image that builds run in: CodeBuild's own one, or one with brqos in it (from ECR, for example)."""
    brqos_in_image: bool = False
    """The image has brqos and all that it needs: nothing is installed when a build begins."""
    compute: Compute | None = None
    """The size of the machines: small, medium, large, xlarge or 2xlarge; by the build's needs where it is not given."""
    compute_of: dict[Variant, Compute] = Field(default_factory=dict)
    """Another size for single variants."""
    timeout: int = Field(default=480, ge=5, le=2160)
    """Minutes after which CodeBuild ends a build."""
    queued_timeout: int = Field(default=480, ge=5, le=480)
    """Minutes that a build may wait for a machine."""
    retries: int = Field(default=2, ge=0, le=10)
    """How often a build that CodeBuild itself lost is started again; one that failed by itself never is."""
    kms_key: KeyArn | None = None
    """ARN of the KMS key that CodeBuild encrypts with; the account's key for S3 where it is not given."""
    sbkeys: str | None = Field(default=None, pattern=rf"^({_S3_FILE}|{_SECRET})$")
    """The Secure Boot signing profile: s3://bucket/name.tar.gz, or the ARN of a secret with such a file in it."""
    vpc: CodeBuildVpc = CodeBuildVpc()
    tags: dict[str, str] = Field(default_factory=dict, max_length=45)
    """Tags on project, roles and bucket, beside brqos's own."""
    variables: dict[Name, str] = Field(default_factory=dict)
    """Environment of the builds, readable for whoever may look at them: PIP_INDEX_URL or HTTPS_PROXY, never secrets."""

    @model_validator(mode="after")
    def _no_reserved_names(self) -> Self:
        for name in self.variables:
            if name.startswith(("BRQOS_", "CODEBUILD_", "AWS_")):
                raise ConfigurationError(
                    f"{name} cannot be given in codebuild.variables",
                    why="Names that begin with BRQOS_, CODEBUILD_ and AWS_ are brqos's own and CodeBuild's.",
                    todo="Leave it out.",
                )
        return self

    @model_validator(mode="after")
    def _names(self) -> Self:
        if self.bucket is not None and _NO_BUCKET.fullmatch(self.bucket):
            raise ConfigurationError(
                f"{self.bucket} is no name of a bucket",
                why="It may not have two dots side by side, nor be like an IP address.",
                todo="Write it like example-brqos.",
            )
        for key, value in self.tags.items():
            if key == _TAG_OF_OURS or not _TAG_KEY.fullmatch(key) or not _TAG_VALUE.fullmatch(value):
                raise ConfigurationError(
                    f"codebuild.tags: “{key}” = “{value}” is no tag that can be given",
                    why="A key (up to 127) and a value (up to 255 characters) have letters, digits, spaces, _ . : / = +"
                    f" - @, and the key does not begin with aws:, nor is it {_TAG_OF_OURS}, which is brqos's own.",
                    todo='Write it like team = "platform".',
                )
        return self

    @model_validator(mode="after")
    def _brqos_in_image(self) -> Self:
        if self.brqos_in_image and self.image.startswith(CURATED):
            raise ConfigurationError(
                f"codebuild.brqos-in-image is set, and {self.image} has no brqos in it",
                why="It is CodeBuild's own image.",
                todo="Name one of yours with codebuild.image (`brqos pipeline container` makes it), or leave it out.",
            )
        return self
