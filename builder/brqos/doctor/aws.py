"""Credentials and region for registering AMIs, asked from AWS itself."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.doctor.model import Check, Status
from brqos.errors import BrqosError
from brqos.stages import Stage

_FOR_REGISTER = (Stage.REGISTER,)
_LOG_IN = (
    "`aws configure` or `aws sso login` and --profile NAME, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; in CI "
    "a role."
)
_NETWORK = "Check the network and the proxy (HTTPS_PROXY); AWS' STS has to be reached from here."
_REGION = "Give --region, or regions in brqos.toml, or AWS_REGION."


@dataclass(frozen=True, slots=True)
class Account:
    """Who the credentials belong to, and the region that is set for them (None if none is)."""

    who: str
    region: str | None


# Takes the name of a profile of AWS' configuration and a region, either None for what is configured; raises BrqosError
# where AWS does not know the caller.
Ask = Callable[[str | None, str | None], Account]


def check_aws(ask: Ask, profile: str | None, regions: Sequence[str]) -> Iterator[Check]:
    """Whether AWS knows us, and which region is meant: those given, else that of the configuration."""
    account = None
    try:
        account = ask(profile, regions[0] if regions else None)
    except BrqosError as error:
        told = ": ".join(part for part in (error.what, error.why) if part)
        yield Check("AWS credentials", Status.MISSING, _FOR_REGISTER, told, remedy=error.todo or _remedy(error))
    if account:
        yield Check("AWS credentials", Status.FOUND, _FOR_REGISTER, account.who)
    region = ", ".join(regions) or (account.region if account else None) or ""
    if region:
        yield Check("AWS region", Status.FOUND, _FOR_REGISTER, region)
    elif account:
        yield Check("AWS region", Status.MISSING, _FOR_REGISTER, remedy=_REGION)


def _remedy(error: BrqosError) -> str:
    unreachable = isinstance(error, AwsCallError) and error.kind is ErrorKind.CONNECTION
    return _NETWORK if unreachable else _LOG_IN
