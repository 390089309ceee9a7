"""IAM (query protocol): roles, their trust, their tags and their inline policies.

Limits and patterns are those of the API reference; a document may have 10,240 characters for all inline policies of a
role and 2,048 for its trust policy, white space not counted (IAM guide, "IAM and AWS STS quotas").
"""

import json
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from brqos.rehearsal.emulator.ec2.call import timestamp
from brqos.rehearsal.emulator.paging import UnknownTokenError
from brqos.rehearsal.emulator.query import members, result_response
from brqos.rehearsal.emulator.roles import IamRole
from brqos.rehearsal.emulator.store import Store
from brqos.rehearsal.emulator.wire import Caller, Response, ServiceError

_NAME = re.compile(r"[\w+=,.@-]+", re.ASCII)
_PATH = re.compile(r"/|/[!-~]+/")
_TAG = re.compile(r"[\w\s.:/=+\-@]*")
_DESCRIPTION = re.compile(r"[\t\n\r\x20-\x7e\xa1-\xff]*")
_LARGEST_TRUST, _LARGEST_POLICIES = 2048, 10_240
_MOST_TAGS = 50
_LONGEST_ROLE_NAME, _LONGEST_POLICY_NAME = 64, 128


@dataclass(frozen=True, slots=True)
class _Call:
    store: Store
    asked: Mapping[str, Any]
    caller: Caller

    def text(self, name: str) -> str:
        value = self.asked.get(name)
        if not isinstance(value, str) or not value:
            raise _invalid(f"1 validation error detected: Value null at '{_lower(name)}' failed: must not be null")
        return value

    @property
    def role(self) -> IamRole:
        name = _named(self.text("RoleName"), "roleName", _LONGEST_ROLE_NAME)
        role = self.store.roles_of_iam.known.get((self.caller.account, name))
        if role is None:
            raise _no_such(f"The role with name {name} cannot be found.")
        return role


class Iam:
    """The service `iam`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def answer(self, asked: Mapping[str, Any], caller: Caller) -> Response:
        """Carry out an action; raises ServiceError."""
        action = str(asked["Action"])
        if action not in ACTIONS:
            raise ServiceError("InvalidAction", f"Could not find operation {action} for version 2010-05-08")
        carry_out, known = ACTIONS[action]
        unknown = sorted(set(asked) - known - {"Action", "Version"})
        if unknown:
            raise _invalid(f"The parameter {unknown[0]} is not emulated, or not known")
        with self._store.lock:
            return result_response("iam", action, carry_out(_Call(self._store, asked, caller)))


def _get_role(call: _Call) -> dict[str, Any]:
    return {"Role": _told(call.role)}


def _create_role(call: _Call) -> dict[str, Any]:
    name = _named(call.text("RoleName"), "roleName", _LONGEST_ROLE_NAME)
    path = call.asked.get("Path", "/")
    if not _PATH.fullmatch(path):
        raise _invalid("The specified value for path is invalid.")
    description = call.asked.get("Description", "")
    if not _DESCRIPTION.fullmatch(description) or len(description) > 1000:
        raise _invalid("1 validation error detected: Value at 'description' failed to satisfy constraint")
    seconds = call.asked.get("MaxSessionDuration", "3600")
    if not seconds.isdecimal() or not 3600 <= int(seconds) <= 43200:
        raise _invalid("1 validation error detected: Value at 'maxSessionDuration' failed to satisfy constraint")
    trust = _trust(call.text("AssumeRolePolicyDocument"))
    tags = _tags(call.asked)
    roles, key = call.store.roles_of_iam, (call.caller.account, name)
    # Names that differ in case only are the same (API reference, RoleName).
    if any(known[0] == key[0] and known[1].lower() == name.lower() for known in roles.known):
        raise ServiceError("EntityAlreadyExists", f"Role with name {name} already exists.", status=409)
    now = call.store.clock()
    role = IamRole(
        name=name,
        id=f"AROA{secrets.token_hex(8).upper()}0",
        arn=f"arn:{call.caller.partition}:iam::{call.caller.account}:role{path}{name}",
        path=path,
        description=description,
        created_at=now,
        usable_at=now + roles.delay,
        longest_seconds=int(seconds),
        trust=trust,
        tags=tags,
    )
    roles.known[key] = role
    return {"Role": _told(role)}


def _update_trust(call: _Call) -> dict[str, Any]:
    role = call.role
    role.trust = _trust(call.text("PolicyDocument"))
    role.usable_at = max(role.usable_at, call.store.clock() + call.store.roles_of_iam.delay)
    return {}


def _tag_role(call: _Call) -> dict[str, Any]:
    role = call.role
    tags = {**role.tags, **_tags(call.asked)}
    if len(tags) > _MOST_TAGS:
        message = f"The number of tags has reached the maximum limit ({_MOST_TAGS})."
        raise ServiceError("LimitExceeded", message, status=409)
    role.tags = tags
    return {}


def _list_policies(call: _Call) -> dict[str, Any]:
    role = call.role
    size = call.asked.get("MaxItems", "100")
    if not size.isdecimal() or not 1 <= int(size) <= 1000:
        raise _invalid("1 validation error detected: Value at 'maxItems' failed to satisfy constraint")
    query = f"ListRolePolicies {role.arn}"
    try:
        names, marker = call.store.pager.page(query, sorted(role.policies), int(size), call.asked.get("Marker"))
    except UnknownTokenError:
        raise _invalid("Invalid Marker.") from None
    return {"PolicyNames": names, "IsTruncated": marker is not None, "Marker": marker}


def _get_policy(call: _Call) -> dict[str, Any]:
    role, name = call.role, _policy_name(call)
    return {"RoleName": role.name, "PolicyName": name, "PolicyDocument": quote(role.policies[_known(role, name)])}


def _put_policy(call: _Call) -> dict[str, Any]:
    role, name = call.role, _policy_name(call)
    document = call.text("PolicyDocument")
    _parsed(document)
    sizes = sum(_size(text) for other, text in role.policies.items() if other != name) + _size(document)
    if sizes > _LARGEST_POLICIES:
        message = f"Maximum policy size of {_LARGEST_POLICIES} bytes exceeded for role {role.name}"
        raise ServiceError("LimitExceeded", message, status=409)
    role.policies[name] = document
    return {}


def _delete_policy(call: _Call) -> dict[str, Any]:
    role = call.role
    del role.policies[_known(role, _policy_name(call))]
    return {}


def _action(
    carry_out: Callable[[_Call], dict[str, Any]], *known: str
) -> tuple[Callable[[_Call], dict[str, Any]], frozenset[str]]:
    return carry_out, frozenset({"RoleName", *known})


ACTIONS = {
    "GetRole": _action(_get_role),
    "CreateRole": _action(
        _create_role, "Path", "AssumeRolePolicyDocument", "Description", "MaxSessionDuration", "Tags"
    ),
    "UpdateAssumeRolePolicy": _action(_update_trust, "PolicyDocument"),
    "TagRole": _action(_tag_role, "Tags"),
    "ListRolePolicies": _action(_list_policies, "Marker", "MaxItems"),
    "GetRolePolicy": _action(_get_policy, "PolicyName"),
    "PutRolePolicy": _action(_put_policy, "PolicyName", "PolicyDocument"),
    "DeleteRolePolicy": _action(_delete_policy, "PolicyName"),
}
"""What carries out an action, and the parameters that it takes."""


def _told(role: IamRole) -> dict[str, Any]:
    return {
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role.id,
        "Arn": role.arn,
        "CreateDate": timestamp(role.created_at),
        "AssumeRolePolicyDocument": quote(role.trust),
        "Description": role.description or None,
        "MaxSessionDuration": role.longest_seconds,
        "Tags": [{"Key": key, "Value": value} for key, value in role.tags.items()] or None,
    }


def _trust(document: str) -> str:
    for statement in _parsed(document):
        if "Principal" not in statement:
            raise _malformed("Missing required field Principal")
        if "Resource" in statement:
            raise _malformed("Has prohibited field Resource")
    if _size(document) > _LARGEST_TRUST:
        message = f"Cannot exceed quota for ACLSizePerRole: {_LARGEST_TRUST}"
        raise ServiceError("LimitExceeded", message, status=409)
    return document


def _parsed(document: str) -> Sequence[Mapping[str, Any]]:
    """The statements of a policy; raises ServiceError."""
    try:
        policy = json.loads(document)
    except ValueError:
        raise _malformed("This policy contains invalid Json") from None
    statements = policy.get("Statement") if isinstance(policy, dict) else None
    listed: list[Any] = statements if isinstance(statements, list) else [statements]
    if not listed or not all(isinstance(item, dict) for item in listed):
        raise _malformed("Syntax errors in policy.")
    for item in listed:
        if item.get("Effect") not in ("Allow", "Deny") or not {"Action", "NotAction"} & set(item):
            raise _malformed("Syntax errors in policy.")
    return listed


def _tags(asked: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for tag in members(asked, "Tags"):
        key, value = tag.get("Key"), tag.get("Value")
        if not isinstance(key, str) or not 1 <= len(key) <= 128 or not _TAG.fullmatch(key):
            raise _invalid("1 validation error detected: Value at 'tags.1.member.key' failed to satisfy constraint")
        if not isinstance(value, str) or len(value) > 256 or not _TAG.fullmatch(value):
            raise _invalid("1 validation error detected: Value at 'tags.1.member.value' failed to satisfy constraint")
        if key.lower().startswith("aws:"):
            raise ServiceError("InvalidInput", "Caller is not allowed to modify tags that begin with aws:")
        if key in found:
            raise ServiceError(
                "InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive."
            )
        found[key] = value
    if len(found) > _MOST_TAGS:
        raise _invalid("1 validation error detected: Value at 'tags' failed to satisfy constraint")
    return found


def _policy_name(call: _Call) -> str:
    return _named(call.text("PolicyName"), "policyName", _LONGEST_POLICY_NAME)


def _known(role: IamRole, policy: str) -> str:
    if policy not in role.policies:
        raise _no_such(f"The role policy with name {policy} cannot be found.")
    return policy


def _named(name: str, member: str, longest: int) -> str:
    if not _NAME.fullmatch(name) or len(name) > longest:
        raise _invalid(
            f"1 validation error detected: Value '{name}' at '{member}' failed to satisfy constraint: Member must "
            r"satisfy regular expression pattern: [\w+=,.@-]+"
        )
    return name


def _size(document: str) -> int:
    return len("".join(document.split()))


def _lower(name: str) -> str:
    return name[0].lower() + name[1:]


def _invalid(message: str) -> ServiceError:
    return ServiceError("ValidationError", message)


def _malformed(message: str) -> ServiceError:
    return ServiceError("MalformedPolicyDocument", message)


def _no_such(message: str) -> ServiceError:
    return ServiceError("NoSuchEntity", message, status=404)
