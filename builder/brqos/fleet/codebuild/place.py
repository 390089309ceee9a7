"""Where a fleet is built: one account and region, and what brqos has there. Made once, from `[codebuild]`. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from brqos.ami.tags import TOOL
from brqos.config.codebuild import CodeBuildSpec
from brqos.config.resolve import resolve_codebuild
from brqos.errors import ConfigurationError, UsageError

BUNDLES, RUNS = "bundles", "runs"
"""The two folders of the bucket: what is sent, by its SHA-256, and what each run leaves."""
OURS: Mapping[str, str] = {TOOL: "brqos"}
"""The tag that says that brqos made a thing, and may change it."""


@dataclass(frozen=True, slots=True)
class Place:
    """An account (12 digits) and region, and the names of what is there."""

    account: str
    region: str
    partition: str
    spec: CodeBuildSpec

    @property
    def bucket(self) -> str:
        """The bucket for what is sent and what comes back."""
        return self.spec.bucket or f"brqos-{self.account}-{self.region}"

    @property
    def project(self) -> str:
        """The project's name."""
        return self.spec.project

    @property
    def log_group(self) -> str:
        """Where CodeBuild puts what builds print, if it is not told otherwise."""
        return f"/aws/codebuild/{self.project}"

    @property
    def role_arn(self) -> str:
        """The role that builds run as."""
        return self._arn(self.spec.role)

    @property
    def batch_role_arn(self) -> str:
        """The role that starts the builds of a batch."""
        return self._arn(self.batch_role)

    @property
    def batch_role(self) -> str:
        """That role's name, or its ARN if it is somebody else's."""
        if self.spec.batch_role is not None:
            return self.spec.batch_role
        if is_arn(self.spec.role):
            # Whoever makes roles by hand makes one for both, unless they say so.
            return self.spec.role
        return f"{self.spec.role}-batch"[:64]

    @property
    def tags(self) -> dict[str, str]:
        """The tags of all that brqos makes there."""
        return {**self.spec.tags, **OURS}

    def arn(self, service: str, resource: str) -> str:
        """The ARN of something in this region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def _arn(self, role: str) -> str:
        return role if is_arn(role) else f"arn:{self.partition}:iam::{self.account}:role/{role}"


def check_arns(place: Place) -> None:
    """Raise ConfigurationError for roles and a key that CodeBuild cannot use there: of another account, or region."""
    for key, role in (("role", place.spec.role), ("batch-role", place.batch_role)):
        if is_arn(role) and (role.split(":")[1], role.split(":")[4]) != (place.partition, place.account):
            raise ConfigurationError(
                f"[codebuild] {key} is {role}, and CodeBuild would run in the account {place.account}"
                f" ({place.partition})",
                why="A project takes roles of its own account only.",
                todo="Name a role of this account; one that publishes elsewhere is [ami] role, which builds assume.",
            )
    if place.spec.kms_key is not None and place.spec.kms_key.split(":")[3] != place.region:
        raise ConfigurationError(
            f"[codebuild] kms-key is {place.spec.kms_key}, and CodeBuild would run in {place.region}",
            why="A key encrypts in its own region only.",
            todo="Name a key of this region, or leave it out.",
        )


def is_arn(role: str) -> bool:
    """Whether a role is one that somebody else makes."""
    return role.startswith("arn:")


def spec_of(files: Sequence[Path], *, profile: str | None = None) -> CodeBuildSpec:
    """The section `[codebuild]` of the files, of which those that have one have to agree.

    `profile` wins over theirs. Raises ConfigurationError.
    """
    flags: dict[str, object] = {} if profile is None else {"profile": profile}
    found = {file: resolve_codebuild(flags, file) for file in files}
    plain = CodeBuildSpec() if profile is None else CodeBuildSpec(profile=profile)
    given = {file: spec for file, spec in found.items() if spec != plain}
    if not given:
        return plain
    (first, spec), *others = given.items()
    for file, other in others:
        if other != spec:
            raise ConfigurationError(
                f"{first} and {file} have different sections [codebuild]",
                why="All builds of a run are made by one project, in one place.",
                todo="Keep the section in one of the files, or build them one after the other.",
            )
    return spec


def region_of(spec: CodeBuildSpec, default: str | None, ami_regions: Sequence[str]) -> str:
    """The region that CodeBuild runs in; raises UsageError where nothing names one."""
    region = spec.region or default or next(iter(ami_regions), None)
    if region is None:
        raise UsageError(
            "no region is given for CodeBuild",
            why="Neither [codebuild] nor the AWS configuration names one, and no AMIs are made.",
            todo='Add region = "eu-central-1" below [codebuild], or set AWS_DEFAULT_REGION.',
        )
    return region
