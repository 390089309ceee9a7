"""IAM: one role, whom it trusts and what its inline policies allow. IAM is one for all regions of a partition."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote

from brqos.aws.errors import AwsCallError, ErrorKind, translated

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_iam.type_defs import RoleTypeDef

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Role:
    """A role as GetRole tells it; `trust` is its trust policy (AssumeRolePolicyDocument)."""

    name: str
    arn: str
    trust: Mapping[str, Any]
    tags: Mapping[str, str]
    description: str = ""


class Iam:
    """IAM; safe to use from any thread. All methods raise AwsCallError.

    What was just written may be missing from an answer for some seconds: IAM is eventually consistent (its guide,
    "Changes that I make are not always immediately visible").
    """

    def __init__(self, client: "IAMClient", profile: str | None) -> None:
        self._client = client
        self._profile = profile

    def role(self, name: str) -> Role | None:
        """The role of that name; None if there is none."""

        def ask() -> Role:
            with translated("GetRole", None, self._profile):
                return _role(self._client.get_role(RoleName=name)["Role"])

        return _or_none(ask)

    def create_role(self, name: str, trust: Mapping[str, Any], *, description: str, tags: Mapping[str, str]) -> Role:
        """Make a role that the principals in `trust` may take on; an error of kind DUPLICATE_NAME if it exists.

        Services may refuse it for some seconds yet.
        """
        with translated("CreateRole", None, self._profile):
            answer = self._client.create_role(
                RoleName=name,
                AssumeRolePolicyDocument=_document(trust),
                Description=description,
                Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
            )
        return _role(answer["Role"])

    def update_trust(self, name: str, trust: Mapping[str, Any]) -> None:
        """Give a role another trust policy; an error of kind NOT_FOUND if there is no such role."""
        with translated("UpdateAssumeRolePolicy", None, self._profile):
            self._client.update_assume_role_policy(RoleName=name, PolicyDocument=_document(trust))

    def tag_role(self, name: str, tags: Mapping[str, str]) -> None:
        """Add tags to a role, or change their values; an error of kind NOT_FOUND if there is no such role."""
        with translated("TagRole", None, self._profile):
            self._client.tag_role(RoleName=name, Tags=[{"Key": key, "Value": value} for key, value in tags.items()])

    def policies(self, name: str) -> dict[str, dict[str, Any]]:
        """The inline policies of a role by name; none of a role that does not exist."""
        found: dict[str, dict[str, Any]] = {}
        for policy in self._policy_names(name):

            def ask(policy: str = policy) -> dict[str, Any]:
                with translated("GetRolePolicy", None, self._profile):
                    answer = self._client.get_role_policy(RoleName=name, PolicyName=policy)
                return _parsed(answer["PolicyDocument"])

            # One that was removed in between is none any more.
            document = _or_none(ask)
            if document is not None:
                found[policy] = document
        return found

    def put_policy(self, name: str, policy_name: str, document: Mapping[str, Any]) -> None:
        """Give a role an inline policy, or replace it; an error of kind NOT_FOUND if there is no such role."""
        with translated("PutRolePolicy", None, self._profile):
            self._client.put_role_policy(RoleName=name, PolicyName=policy_name, PolicyDocument=_document(document))

    def delete_policy(self, name: str, policy_name: str) -> None:
        """Take an inline policy from a role; one that is not there is no error."""

        def ask() -> None:
            with translated("DeleteRolePolicy", None, self._profile):
                self._client.delete_role_policy(RoleName=name, PolicyName=policy_name)

        _or_none(ask)

    def _policy_names(self, name: str) -> list[str]:
        def ask() -> list[str]:
            with translated("ListRolePolicies", None, self._profile):
                pages = self._client.get_paginator("list_role_policies").paginate(RoleName=name)
                return [policy for page in pages for policy in page.get("PolicyNames", [])]

        return _or_none(ask) or []


def _or_none(ask: Callable[[], _T]) -> _T | None:
    try:
        return ask()
    except AwsCallError as error:
        # By the code, not by the kind: a wrong endpoint answers 404 as well.
        if error.code == "NoSuchEntity" and error.kind is ErrorKind.NOT_FOUND:
            return None
        raise


def _role(told: "RoleTypeDef") -> Role:
    return Role(
        name=told["RoleName"],
        arn=told["Arn"],
        trust=_parsed(told.get("AssumeRolePolicyDocument", {})),
        tags={tag["Key"]: tag["Value"] for tag in told.get("Tags", [])},
        description=told.get("Description", ""),
    )


def _document(policy: Mapping[str, Any]) -> str:
    return json.dumps(policy)


def _parsed(document: Any) -> dict[str, Any]:  # noqa: ANN401 - boto3 has made an object of it already, its stubs differ
    return dict(json.loads(unquote(document)) if isinstance(document, str) else document)
