"""What somebody wants of a pipeline, checked before anything is written. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from brqos.ami.policy.request import Partition, check_account, one_partition
from brqos.errors import ConfigurationError
from brqos.fleet.pipelines.cron import check_cron

THIS_REPOSITORY = "."
"""As `brqos`: the pipeline's repository is brqos's own, or has it in it."""

_ROLE = re.compile(r"arn:(aws|aws-cn|aws-us-gov):iam::([0-9]{12}):role/[A-Za-z0-9+=,.@/_-]{1,512}", re.ASCII)
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)
_BRANCH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}", re.ASCII)
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)+", re.ASCII)
_CLUSTER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", re.ASCII)
_REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+=<>~!,\[\]#&?%-]*", re.ASCII)
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,499}", re.ASCII)
# Connections made since 2024 are of the service by its new name (Developer Tools console, "What are connections?").
_CONNECTION = re.compile(
    r"arn:(aws|aws-cn|aws-us-gov):(codestar-connections|codeconnections):[a-z0-9-]+:[0-9]{12}:connection/[0-9a-f-]{36}",
    re.ASCII,
)


class Service(StrEnum):
    """Whose pipeline it is."""

    GITHUB = "github"
    GITLAB = "gitlab"
    CODEBUILD = "codebuild"


class Promotion(StrEnum):
    """Who moves `latest` to a new AMI."""

    BY_HAND = "by-hand"
    AFTER_VERIFY = "after-verify"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """The wishes as they were given; `check` tells whether they can be fulfilled.

    `brqos` is what pip installs, or `THIS_REPOSITORY`. `runners` are labels of one machine that builds; none: the
    engine's own. `region` is where the jobs log in; the first region of the configuration where it is not given.
    `image` is a container image that jobs run in, with brqos in it unless `installs`. `connection` is how CodePipeline
    gets at a repository outside AWS.
    """

    files: tuple[Path, ...]
    brqos: str
    schedule: str
    role: str | None = None
    canary_role: str | None = None
    account: str | None = None
    region: str | None = None
    runners: tuple[str, ...] = ()
    cluster: str | None = None
    promotion: Promotion = Promotion.BY_HAND
    repository: str | None = None
    branch: str = "main"
    rehearse: bool = False
    service: Service = Service.GITHUB
    image: str | None = None
    connection: str | None = None
    installs: bool = True
    command: str = "brqos pipeline github"
    """The command that writes the same again; it stands at the top of the file."""

    def check(self) -> None:
        """Raise ConfigurationError for the first wish that has a wrong form, or contradicts another one."""
        check_cron(self.schedule)
        for file in self.files:
            _check_file(file)
        for option, role in (("--role-arn", self.role), ("--canary-role-arn", self.canary_role)):
            if role is not None:
                _check_role(option, role)
        places = [place for place in (self.role, self.canary_role, self.region) if place]
        one_partition(places, None)
        _check_account(self.account, self.role)
        check_requirement(self.brqos, THIS_REPOSITORY)
        _check_form("--runner", self.runners, _LABEL, "self-hosted, or the label of a larger runner")
        _check_form("--branch", (self.branch,), _BRANCH, "main")
        _check_form("--repository", filter(None, (self.repository,)), _REPOSITORY, "example/images")
        _check_form("--cluster", filter(None, (self.cluster,)), _CLUSTER, "staging")
        _check_form("--image", filter(None, (self.image,)), _IMAGE, "registry.example.com/brqos:1.0")
        _check_connection(self.connection, self.repository)

    @property
    def partition(self) -> Partition:
        """The partition of AWS that all of it is in."""
        return one_partition([place for place in (self.role, self.region) if place], None)

    @property
    def owner(self) -> str | None:
        """The account of the role."""
        return self.account or (self.role.split(":")[4] if self.role else None)


def check_requirement(requirement: str, *others: str) -> None:
    """Raise ConfigurationError for what pip would not take, or a shell would take for its own; `others` are fine."""
    _check_form("--brqos", (requirement,), _REQUIREMENT, "brqos==1.2 or git+https://example.com/brqos@v1.2", *others)


def _check_file(file: Path) -> None:
    if file.is_absolute() or ".." in file.parts:
        raise ConfigurationError(
            f"{file} is not below this folder",
            why="A job has the repository's files only, and begins in its top folder.",
            todo="Run this in the top folder of the repository, with the file's path from there.",
        )
    if not re.fullmatch(r"[A-Za-z0-9._/+@-]+", str(file)):
        raise ConfigurationError(
            f"the name {str(file)!r} does not go into a pipeline",
            why="It stands in conditions and scripts there, which take some characters for their own.",
            todo="Use letters, digits and . _ + @ - / in it.",
        )


def _check_role(option: str, role: str) -> None:
    if _ROLE.fullmatch(role) is None:
        raise ConfigurationError(
            f"{option}: “{role}” is not the ARN of a role",
            todo="Give one such as arn:aws:iam::111122223333:role/brqos-pipeline.",
        )


def _check_account(account: str | None, role: str | None) -> None:
    if account is None:
        return
    check_account(account)
    if role is not None and role.split(":")[4] != account:
        raise ConfigurationError(
            f"--account {account} and the role {role} do not belong together",
            why="A role trusts the OIDC provider of its own account.",
            todo="Leave --account out: the role names it.",
        )


def _check_connection(connection: str | None, repository: str | None) -> None:
    if connection is None:
        return
    if _CONNECTION.fullmatch(connection) is None:
        raise ConfigurationError(
            f"--connection: “{connection}” is not the ARN of a connection",
            todo="Give one such as arn:aws:codeconnections:eu-central-1:111122223333:connection/… (CodePipeline,"
            " Settings, Connections).",
        )
    if repository is None:
        raise ConfigurationError(
            "--connection says how to get at a repository, and not at which one", todo="Give --repository OWNER/NAME."
        )


def _check_form(option: str, values: Iterable[str], pattern: re.Pattern[str], example: str, *others: str) -> None:
    for value in values:
        if value not in others and pattern.fullmatch(value) is None:
            raise ConfigurationError(f"{option}: “{value}” has a wrong form", todo=f"Give one such as {example}.")
