"""Assuming a role: from then on a session's credentials are those of the role, renewed by themselves."""

import functools
import getpass
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import boto3

_NO_NAME = re.compile(r"[^\w+=,.@-]", re.ASCII)
_LONGEST_SESSION_NAME = 64
_FIRST_REGION = {"aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}


def assume_role(session: "boto3.Session", role: str, endpoint: str | None) -> None:
    """Let the session act in the role of this ARN; AWS is not asked before the first call needs credentials.

    The machinery is botocore's own for `role_arn` in a profile; it has no public way for a role given otherwise.
    Without credentials to begin with nothing changes, so that the first call says that there are none.
    """
    from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials

    source = session.get_credentials()
    if source is None:
        return
    core: Any = session._session  # noqa: SLF001 - boto3 keeps botocore's session there and shows it nowhere else
    region = session.region_name or _FIRST_REGION.get(role.removeprefix("arn:").partition(":")[0], "us-east-1")
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=functools.partial(core.create_client, region_name=region, endpoint_url=endpoint),
        source_credentials=source,
        role_arn=role,
        extra_args={"RoleSessionName": _session_name()},
    )
    core._credentials = DeferredRefreshableCredentials(  # noqa: SLF001 - set_credentials takes fixed ones only
        method="assume-role", refresh_using=fetcher.fetch_credentials
    )


def _session_name() -> str:
    """`brqos-<user>`, by which CloudTrail tells who it was."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        # A container's user may have no name.
        user = "unknown"
    return _NO_NAME.sub("-", f"brqos-{user}")[:_LONGEST_SESSION_NAME]
