"""All checks of the stages asked for, and the refusal to begin what cannot end well."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from brqos.doctor.aws import Account, Ask, check_aws
from brqos.doctor.model import Check, Report, Status, in_order
from brqos.doctor.probe import Probe, ThisMachine
from brqos.doctor.resources import check_resources
from brqos.doctor.tools import check_docker, check_eksctl, check_git, check_host, check_plain_programs, check_rust
from brqos.errors import ToolError
from brqos.monitor import Monitor
from brqos.resources import cache_directory
from brqos.stages import Stage

# STS answers in any; this one is there for every account of the partition `aws`.
_ANY_REGION = "us-east-1"


def examine(
    stages: Collection[Stage],
    *,
    probe: Probe | None = None,
    ask_aws: Ask | None = None,
    profile: str | None = None,
    regions: Sequence[str] = (),
    cache: Path | None = None,
) -> Report:
    """Check what the stages need; the probe and the question to AWS can be replaced.

    With the defaults it starts programs (git, cargo, docker) and, for `register`, asks AWS' STS.
    """
    checks = _checks(
        frozenset(stages), probe or ThisMachine(), ask_aws or _ask_aws, profile, regions, cache or cache_directory()
    )
    return Report(in_order(stages), tuple(checks))


def require(
    stages: Collection[Stage],
    *,
    monitor: Monitor,
    probe: Probe | None = None,
    ask_aws: Ask | None = None,
    profile: str | None = None,
    regions: Sequence[str] = (),
    cache: Path | None = None,
) -> Report:
    """Raise ToolError with all that is missing, each with its remedy; warn of what is scarce; return all checks."""
    report = examine(stages, probe=probe, ask_aws=ask_aws, profile=profile, regions=regions, cache=cache)
    for check in report.checks:
        # What has an amount is a scarce resource; the rest is of no use to somebody in the middle of the work.
        if check.status is Status.WARNING and check.version:
            monitor.warn(_line(check))
    if lacking := report.lacking:
        names = ", ".join(check.name for check in lacking)
        verb = "is" if len(lacking) == 1 else "are"
        raise ToolError(
            f"{names} {verb} missing or too old",
            why="\n".join(_line(check) for check in lacking),
            todo="`brqos doctor` shows this and all the rest.",
        )
    return report


def _checks(
    stages: frozenset[Stage],
    probe: Probe,
    ask_aws: Ask,
    profile: str | None,
    regions: Sequence[str],
    cache: Path,
) -> Iterator[Check]:
    if stages & {Stage.GENERATE, Stage.BUILD}:
        yield check_git(probe)
    if Stage.BUILD in stages:
        yield check_host(probe)
        yield from check_rust(probe)
        yield from check_docker(probe)
        yield from check_plain_programs(probe)
        yield from check_resources(probe, cache)
    if Stage.REGISTER in stages:
        yield from check_aws(ask_aws, profile, regions)
    if Stage.NODEGROUP in stages:
        yield check_eksctl(probe)


def _ask_aws(profile: str | None, region: str | None) -> Account:
    from brqos.aws.session import AwsSession

    session = AwsSession(profile=profile)
    configured = session.default_region()
    identity = session.identity(region or configured or _ANY_REGION)
    return Account(identity.arn, configured)


def _line(check: Check) -> str:
    found = f"{check.version or check.status.value}" + (f", needed {check.needed}" if check.needed else "")
    return f"{check.name}: {found}. {check.remedy}"


def rows(checks: Iterable[Check]) -> list[tuple[str, str, str, str]]:
    """The table of `brqos doctor`: name, found, needed, remedy; the second cell is coloured by its first character."""
    signs = {Status.FOUND: "+", Status.WARNING: "~", Status.TOO_OLD: "!", Status.MISSING: "!"}
    words = {Status.FOUND: "yes", Status.WARNING: "not enough", Status.TOO_OLD: "too old", Status.MISSING: "missing"}
    return [
        (check.name, signs[check.status] + _found(check, words[check.status]), check.needed, check.remedy)
        for check in checks
    ]


def _found(check: Check, word: str) -> str:
    if check.status is Status.FOUND:
        return check.version or word
    if check.version:
        return f"{check.version} ({word})"
    return "not found" if check.status is Status.WARNING else word
