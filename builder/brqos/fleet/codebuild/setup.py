"""What has to be there before anything can be built: bucket, roles, project. Compared with what is there, then made.

Planning is pure: what is wanted and what was found in, changes out, each with the calls that make it. What has the name
but not brqos's tag is somebody else's, and refused.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from brqos.aws.codebuild import ROLE_PATIENCE, CodeBuild
from brqos.aws.iam import Iam
from brqos.aws.s3 import S3, Bucket
from brqos.config.model import BuildSpec
from brqos.errors import AwsError, ConfigurationError
from brqos.fleet.codebuild.place import OURS, Place, is_arn
from brqos.fleet.codebuild.project import differences, is_ours, project_of, update_of
from brqos.fleet.codebuild.rights import batch_rights, build_rights, trust_of
from brqos.fleet.codebuild.roles import OUR_POLICIES, FoundRole, check_project, takes_away
from brqos.monitor import Monitor

_DESCRIPTION = "Builds Bottlerocket with MemoryQoS; made and changed by `brqos build --on codebuild`"


class Action(StrEnum):
    """What becomes of a thing."""

    CREATE = "create"
    UPDATE = "update"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Call:
    """A call of AWS, named as its API names it."""

    operation: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one thing; `differences` says what is otherwise, `calls` what is done.

    `narrows` tells that builds that go on may do less afterwards.
    """

    what: str
    action: Action
    differences: tuple[str, ...] = ()
    calls: tuple[Call, ...] = ()
    narrows: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What is there; a bucket is `blank` if it has neither tags nor content, as an interrupted run leaves it."""

    bucket: Bucket | None = None
    blank: bool = False
    roles: Mapping[str, FoundRole | None] = field(default_factory=dict)
    project: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Clients:
    """The services that a place consists of."""

    codebuild: CodeBuild
    s3: S3
    iam: Iam


def look(place: Place, clients: Clients) -> Found:
    """Ask what is there; raises AwsCallError."""
    bucket = clients.s3.bucket(place.bucket)
    blank = bucket is not None and not bucket.tags and next(clients.s3.listed(place.bucket, ""), None) is None
    roles: dict[str, FoundRole | None] = {}
    for name in (place.spec.role, place.batch_role):
        if not is_arn(name) and name not in roles:
            role = clients.iam.role(name)
            roles[name] = FoundRole(role, clients.iam.policies(name)) if role is not None else None
    return Found(bucket, blank, roles, clients.codebuild.project(place.project))


def plan_setup(place: Place, specs: Sequence[BuildSpec], found: Found) -> list[Change]:
    """The changes, in the order in which they are made; raises ConfigurationError for what is somebody else's."""
    changes = [_bucket(place, found)]
    builds, batches = build_rights(place, specs), batch_rights(place)
    roles = {place.spec.role: (trust_of(place), builds), place.batch_role: (trust_of(place, of_batches=True), batches)}
    if place.spec.role == place.batch_role:
        roles[place.batch_role] = (trust_of(place, of_batches=True), {**builds, **batches})
    for name, (trust, policies) in roles.items():
        if not is_arn(name):
            changes.append(_role(place, name, trust, policies, found.roles.get(name)))
    changes.append(_project(place, found.project))
    return changes


def apply_setup(changes: Sequence[Change], clients: Clients, monitor: Monitor) -> None:
    """Make the changes; raises AwsCallError. Done twice it does nothing the second time."""
    make = _makers(clients)
    for change in changes:
        for call in change.calls:
            make[call.operation](**call.parameters)
        if change.action is not Action.KEEP:
            monitor.note(f"{'Made' if change.action is Action.CREATE else 'Changed'} the {change.what}.")


def _bucket(place: Place, found: Found) -> Change:
    what, bucket = f"bucket {place.bucket}", found.bucket
    make = Call("CreateBucket", {"name": place.bucket, "tags": place.tags, "expire_days": place.spec.keep_days})
    if bucket is None:
        return Change(what, Action.CREATE, calls=(make,))
    if bucket.region != place.region:
        raise ConfigurationError(
            f"the bucket {place.bucket} is in {bucket.region}, and CodeBuild would run in {place.region}",
            why="CodeBuild reads its source from a bucket of its own region.",
            todo="Name another bucket below [codebuild], or the bucket's region.",
        )
    if found.blank:
        return Change(what, Action.UPDATE, ("it was begun, and not finished",), (make,))
    if not OURS.items() <= bucket.tags.items():
        raise _somebody_elses(what, "bucket")
    return Change(what, Action.KEEP)


def _role(
    place: Place,
    name: str,
    trust: Mapping[str, Any],
    policies: Mapping[str, Mapping[str, Any]],
    there: FoundRole | None,
) -> Change:
    what = f"role {name}"
    puts = {
        policy: Call("PutRolePolicy", {"name": name, "policy_name": policy, "document": document})
        for policy, document in policies.items()
    }
    if there is None:
        make = Call("CreateRole", {"name": name, "trust": trust, "description": _DESCRIPTION, "tags": place.tags})
        return Change(what, Action.CREATE, calls=(make, *puts.values()))
    if not OURS.items() <= there.role.tags.items():
        raise _somebody_elses(what, "role")
    check_project(there, place.arn("codebuild", f"project/{place.project}"))
    calls, told = [], []
    if dict(there.role.trust) != trust:
        calls.append(Call("UpdateAssumeRolePolicy", {"name": name, "trust": trust}))
        told.append("whom it trusts")
    if not place.tags.items() <= there.role.tags.items():
        calls.append(Call("TagRole", {"name": name, "tags": place.tags}))
        told.append("tags")
    for policy, document in policies.items():
        if there.policies.get(policy) != document:
            calls.append(puts[policy])
            told.append(f"policy {policy}")
    before = {policy: document for policy, document in there.policies.items() if policy.startswith(OUR_POLICIES)}
    for policy in sorted(before.keys() - policies.keys()):
        calls.append(Call("DeleteRolePolicy", {"name": name, "policy_name": policy}))
        told.append(f"policy {policy} goes")
    narrows = dict(there.role.trust) != trust or takes_away(before, policies)
    return Change(what, Action.UPDATE if calls else Action.KEEP, tuple(told), tuple(calls), narrows)


def _project(place: Place, found: Mapping[str, Any] | None) -> Change:
    what, wanted = f"project {place.project}", project_of(place)
    if found is None:
        return Change(what, Action.CREATE, calls=(Call("CreateProject", wanted),))
    if not is_ours(found):
        raise _somebody_elses(what, "project")
    update = update_of(wanted, found)
    if len(update) == 1:
        return Change(what, Action.KEEP)
    told = tuple(_told(update, found))
    return Change(what, Action.UPDATE, told, (Call("UpdateProject", update),))


def _told(update: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    for key, value in update.items():
        yield from differences(value, found.get(key), key)


def _makers(clients: Clients) -> dict[str, Callable[..., object]]:
    codebuild, iam = clients.codebuild, clients.iam

    # A role that was just made takes seconds until CodeBuild may take it on.
    def create(**wanted: Any) -> None:  # noqa: ANN401 - as the API has it
        ROLE_PATIENCE.call(lambda: codebuild.create_project(wanted))

    def update(**wanted: Any) -> None:  # noqa: ANN401 - likewise
        ROLE_PATIENCE.call(lambda: codebuild.update_project(wanted))

    return {
        "CreateBucket": clients.s3.create_bucket,
        "CreateRole": iam.create_role,
        "UpdateAssumeRolePolicy": iam.update_trust,
        "TagRole": iam.tag_role,
        "PutRolePolicy": iam.put_policy,
        "DeleteRolePolicy": iam.delete_policy,
        "CreateProject": create,
        "UpdateProject": update,
    }


def _somebody_elses(what: str, key: str) -> AwsError:
    (tag, value), *_ = OURS.items()
    return AwsError(
        f"the {what} is there already, and is not brqos's",
        why=f"It has no tag {tag}={value}, so brqos changes nothing about it and puts nothing into it.",
        todo=f"Name another {key} below [codebuild]; or tag it so, if it is meant for this.",
    )
