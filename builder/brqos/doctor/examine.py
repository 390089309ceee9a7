"""All checks of the stages asked for, and the refusal to begin what cannot end well."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from brqos.config.model import Engine
from brqos.doctor.aws import Account, Ask, check_aws
from brqos.doctor.model import Check, Report, Status, in_order
from brqos.doctor.probe import Probe, ThisMachine
from brqos.doctor.remedies import install_all
from brqos.doctor.repack import check_repack
from brqos.doctor.resources import check_repack_resources, check_resources
from brqos.doctor.tools import check_docker, check_eksctl, check_git, check_host, check_plain_programs, check_rust
from brqos.errors import ToolError
from brqos.monitor import Monitor
from brqos.resources import cache_directory
from brqos.stages import Stage

# STS answers in any; this one is there for every account of the partition `aws`.
_ANY_REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class _Wish:
    """What is to be done, and by what."""

    stages: frozenset[Stage]
    engine: Engine
    signed: bool
    official: bool
    with_optional: bool
    profile: str | None
    regions: Sequence[str]
    cache: Path
    output: Path


def examine(
    stages: Collection[Stage],
    *,
    engine: Engine = Engine.SOURCE,
    signed: bool = True,
    official: bool = False,
    with_optional: bool = True,
    probe: Probe | None = None,
    ask_aws: Ask | None = None,
    profile: str | None = None,
    regions: Sequence[str] = (),
    cache: Path | None = None,
    output: Path | None = None,
) -> Report:
    """Check what the stages need; the probe and the question to AWS can be replaced.

    For the engine `repack`: whether images are `signed` with own keys, and whether they are `official` ones, to be
    fetched; what only the other way needs is told as optional, or left out without `with_optional`. `output` is the
    folder of the result (by default the current one). `generate` is upstream's source, whichever engine builds.

    With the defaults it starts programs and, for `register`, asks AWS' STS.
    """
    wish = _Wish(
        stages=frozenset(stages),
        engine=engine,
        signed=signed,
        official=official,
        with_optional=with_optional,
        profile=profile,
        regions=regions,
        cache=cache or cache_directory(),
        output=output or Path(),
    )
    probe = probe or ThisMachine()
    checks = tuple(_checks(wish, probe, ask_aws or _ask_aws))
    at_once = install_all((check.packages for check in checks if check.stops and check.packages), probe)
    return Report(in_order(stages), checks, at_once)


def require(
    stages: Collection[Stage],
    *,
    monitor: Monitor,
    engine: Engine = Engine.SOURCE,
    signed: bool = True,
    official: bool = False,
    probe: Probe | None = None,
    ask_aws: Ask | None = None,
    profile: str | None = None,
    regions: Sequence[str] = (),
    cache: Path | None = None,
    output: Path | None = None,
) -> Report:
    """Raise ToolError with all that is missing, each with its remedy; warn of what is scarce; return all checks.

    The parameters are those of `examine`; what is optional is not looked at.
    """
    report = examine(
        stages,
        engine=engine,
        signed=signed,
        official=official,
        with_optional=False,
        probe=probe,
        ask_aws=ask_aws,
        profile=profile,
        regions=regions,
        cache=cache,
        output=output,
    )
    for check in report.checks:
        # What has an amount is a scarce resource; the rest is of no use to somebody in the middle of the work.
        if check.status is Status.WARNING and check.version:
            monitor.warn(_line(check))
    if lacking := report.lacking:
        names = ", ".join(check.name for check in lacking)
        verb = "is" if len(lacking) == 1 else "are"
        shown = f"`brqos doctor{_flags(engine, signed=signed, official=official)}` shows this and all the rest."
        raise ToolError(
            f"{names} {verb} missing or too old",
            why="\n".join(_line(check) for check in lacking),
            todo=f"At once: {report.at_once}\n{shown}" if report.at_once else shown,
        )
    return report


def _flags(engine: Engine, *, signed: bool, official: bool) -> str:
    """What `brqos doctor` has to be told to look at the same."""
    if engine is not Engine.REPACK:
        return ""
    return f" --engine repack --{'signed' if signed else 'unsigned'} --{'from-release' if official else 'own-image'}"


def _checks(wish: _Wish, probe: Probe, ask_aws: Ask) -> Iterator[Check]:
    builds_source = Stage.BUILD in wish.stages and wish.engine is Engine.SOURCE
    if builds_source:
        yield check_git(probe)
        yield check_host(probe)
        yield from check_rust(probe)
        yield from check_docker(probe)
        yield from check_plain_programs(probe)
        yield from check_resources(probe, wish.cache)
    elif Stage.GENERATE in wish.stages:
        yield check_git(probe)
    if Stage.BUILD in wish.stages and wish.engine is Engine.REPACK:
        yield from check_repack(probe, signed=wish.signed, official=wish.official, with_optional=wish.with_optional)
        yield from check_repack_resources(probe, wish.output, wish.cache, official=wish.official)
    if Stage.REGISTER in wish.stages:
        yield from check_aws(ask_aws, wish.profile, wish.regions)
    if Stage.NODEGROUP in wish.stages:
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
    return [(check.name, _sign(check) + _found(check), check.needed, check.remedy) for check in checks]


def _sign(check: Check) -> str:
    if check.is_there:
        return "+"
    return "!" if check.stops else "~"


def _found(check: Check) -> str:
    if check.status is Status.TOO_OLD:
        return f"{check.version} (too old)"
    # An amount; any other version of what is not there says in words what is wrong.
    if check.version[:1].isdigit() and not check.is_there:
        return f"{check.version} ({'far too little' if check.stops else 'not enough'})"
    return check.version or _nothing(check)


def _nothing(check: Check) -> str:
    if check.is_there:
        return "yes"
    return "missing" if check.stops else "not found"
