"""EC2's dry runs: a call that asks whether it would be allowed, and does nothing.

With DryRun EC2 answers by an error in any case: DryRunOperation (412) if the permissions are there, and
UnauthorizedOperation (403) if not (EC2 API Reference, "Common parameters"). AWS does not document whether parameters
are looked at before permissions or after, and operations differ, so any other error tells nothing of permissions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from brqos.aws.errors import AwsCallError, ErrorKind, translated

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

_ALLOWED = "DryRunOperation"
_DENIED = frozenset({"UnauthorizedOperation", "AccessDenied", "AccessDeniedException"})
# What follows is a cipher of many lines, which only `aws sts decode-authorization-message` can read.
_CIPHER = "Encoded authorization failure message"


class Permission(StrEnum):
    """What a probe tells."""

    ALLOWED = "allowed"
    DENIED = "denied"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """The answer to one probe: `words` are AWS's, empty where it is allowed; `kind` is that of the error, if one came.

    `explicit` says that a policy forbids it, which no other policy can make good; `ignored` that the endpoint took no
    notice of DryRun, and has done what it was only asked about.
    """

    operation: str
    permission: Permission
    words: str = ""
    kind: ErrorKind | None = None
    explicit: bool = False
    ignored: bool = False


class DryRunEc2:
    """EC2 in one region, asked only; safe to use from any thread."""

    def __init__(self, client: "EC2Client", region: str, profile: str | None) -> None:
        self._client = client
        self._profile = profile
        self.region = region

    def probe(self, operation: str, parameters: Mapping[str, Any]) -> ProbeResult:
        """Ask whether a call (named as the API names it: `RegisterImage`) would be allowed. Raises nothing of AWS's."""
        from botocore import xform_name

        try:
            with translated(operation, self.region, self._profile):
                getattr(self._client, xform_name(operation))(**{**parameters, "DryRun": True})
        except AwsCallError as error:
            return _result(operation, error)
        # EC2 itself never comes here; an endpoint that stands in for it may not know dry runs.
        return ProbeResult(operation, Permission.UNKNOWN, "The endpoint took no notice of DryRun.", ignored=True)


def _result(operation: str, error: AwsCallError) -> ProbeResult:
    if error.code == _ALLOWED:
        return ProbeResult(operation, Permission.ALLOWED)
    words = error.why.split(_CIPHER)[0].strip() or error.what
    if error.code in _DENIED:
        return ProbeResult(operation, Permission.DENIED, words, error.kind, explicit="explicit deny" in words)
    code = f"{error.code}: " if error.code and not words.startswith(error.code) else ""
    return ProbeResult(operation, Permission.UNKNOWN, code + words, error.kind)
