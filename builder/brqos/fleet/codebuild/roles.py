"""Roles that are there already: which project they are for, and whether a change takes rights away from them. Pure.

IAM is one for all regions, and a role's inline policies are written as a whole: two projects that had one role would
take it from each other by turns, and from the builds that go on.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from brqos.aws.iam import Role
from brqos.errors import ConfigurationError

OUR_POLICIES = "brqos-"
"""What the names of all inline policies begin with that brqos writes."""
_ONE_OF = {"StringEquals", "StringLike", "ArnEquals", "ArnLike"}
_PROJECT = re.compile(r"arn:[a-z-]+:codebuild:[a-z0-9-]+:[0-9]{12}:project/[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class FoundRole:
    """A role that is there, and its inline policies."""

    role: Role
    policies: Mapping[str, Mapping[str, Any]]


def check_project(found: FoundRole, project: str) -> None:
    """Raise ConfigurationError if the role is made for another project than that of the ARN `project`."""
    ours = [policy for name, policy in found.policies.items() if name.startswith(OUR_POLICIES)]
    others = set(_PROJECT.findall(json.dumps([dict(found.role.trust), *map(dict, ours)]))) - {project}
    if others:
        raise ConfigurationError(
            f"the role {found.role.name} is made for another project, {min(others)}",
            why=f"A role has the rights of one project in one region, and this is {project}: its builds would have none"
            " any more.",
            todo="Name other roles below [codebuild] (role, and batch-role if it is given), a pair for each project and"
            " region. A role that nothing uses any more may be removed.",
        )


def takes_away(before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether something that the policies allowed is not allowed any more; in doubt it is."""
    left = list(_statements(after.values()))
    return any(not any(_covers(new, old) for new in left) for old in _statements(before.values()))


def _statements(policies: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for policy in policies:
        yield from policy.get("Statement", ())


def _covers(new: Mapping[str, Any], old: Mapping[str, Any]) -> bool:
    same = all(new.get(key) == old.get(key) for key in ({*new, *old} - {"Sid", "Action", "Resource", "Condition"}))
    wider = all(_listed(old.get(key)) <= _listed(new.get(key)) for key in ("Action", "Resource"))
    return same and wider and _is_weaker(new.get("Condition", {}), old.get("Condition", {}))


def _is_weaker(new: Mapping[str, Any], old: Mapping[str, Any]) -> bool:
    """Whether all that meets the old condition of something that is allowed meets the new one, too."""
    return all(
        operator in old and key in old[operator] and _takes(operator, values, old[operator][key])
        for operator, keys in new.items()
        for key, values in keys.items()
    )


def _takes(operator: str, new: object, old: object) -> bool:
    return new == old or (operator in _ONE_OF and _listed(old) <= _listed(new))


def _listed(value: object) -> set[str]:
    return {value} if isinstance(value, str) else set(value) if isinstance(value, list | tuple) else set()
