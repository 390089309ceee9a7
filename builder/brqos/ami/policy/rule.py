"""What a rule says: which part of the work needs which actions, on what, and under which conditions. Pure data."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class PolicyStage(StrEnum):
    """A part of the work with AWS that can be allowed by itself; its value is what `--for` calls it."""

    UPLOAD = "upload"
    REGISTER = "register"
    COPY = "copy"
    SHARE = "share"
    MARK = "mark"
    PARAMETERS = "parameters"
    VERIFY = "verify"
    PRUNE = "prune"
    NODES = "nodes"
    ATTEST = "attest"
    CODEBUILD = "codebuild"
    ASSUME = "assume"


class Guard(StrEnum):
    """What a rule asks for beside the region."""

    NOTHING = "nothing"
    TAGGED_RESOURCE = "tagged-resource"
    """The resource that is there has brqos's tag."""
    TAGGED_REQUEST = "tagged-request"
    """The resource that is being made gets brqos's tag."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One statement: what the chosen stages need of it.

    `resources` are ARNs in which `{partition}`, `{account}` and `{prefix}` stand for what the request says, `{role}`,
    `{signing_key}` and the names of CodeBuildNames for each of what it has of them. An image's and a snapshot's ARN
    names no account. `create_action` is the API call that ec2:CreateTags must be part of, `passed_to` the service that
    a role may be given to; a rule that is not `regional` gets no condition on regions. One that `needs_prefix` allows
    nothing where no prefix was given, and none allows anything where there is none of its resources.
    """

    sid: str
    actions: Mapping[PolicyStage, tuple[str, ...]]
    resources: tuple[str, ...]
    guard: Guard = Guard.NOTHING
    create_action: str | None = None
    passed_to: str | None = None
    regional: bool = True
    needs_prefix: bool = False
