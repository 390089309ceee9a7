"""Roles of IAM as the emulated accounts keep them: whom they trust, what they are allowed, since when."""

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class IamRole:
    """A role; the documents are JSON as they were given. `usable_at` is when services begin to believe its trust."""

    name: str
    id: str
    arn: str
    path: str
    description: str
    created_at: float
    usable_at: float
    longest_seconds: int
    trust: str
    tags: dict[str, str] = field(default_factory=dict)
    policies: dict[str, str] = field(default_factory=dict)

    def trusts_service(self, service: str) -> bool:
        """Whether a service such as `codebuild.amazonaws.com` may take the role on, by its trust policy."""
        statements = json.loads(self.trust).get("Statement", [])
        return any(_allows(statement, service) for statement in _listed(statements))


@dataclass(slots=True)
class Roles:
    """The roles of all accounts, by account and name; tests set `delay`.

    `delay` is how many seconds a new role, or a new trust policy, takes until services believe in it (IAM's guide:
    "Changes that I make are not always immediately visible"). With `required` off CodeBuild takes roles that it does
    not know, for tests that are about something else.
    """

    known: dict[tuple[str, str], IamRole] = field(default_factory=dict)
    delay: float = 0.2
    required: bool = True

    def by_arn(self, arn: str) -> IamRole | None:
        """The role with that ARN."""
        return next((role for role in self.known.values() if role.arn == arn), None)


def _allows(statement: Any, service: str) -> bool:  # noqa: ANN401 - a part of a policy
    if statement.get("Effect") != "Allow" or "sts:AssumeRole" not in _listed(statement.get("Action", [])):
        return False
    principal = statement.get("Principal", {})
    return isinstance(principal, dict) and service in _listed(principal.get("Service", []))


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 - one or several of whatever it is
    return value if isinstance(value, list) else [value]
