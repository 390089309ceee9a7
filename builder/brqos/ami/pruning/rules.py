"""From flags to the rules of pruning."""

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta

from pydantic import TypeAdapter, ValidationError

from brqos.ami.pruning.model import PruneRules
from brqos.ami.spread import partition_of
from brqos.architecture import Architecture
from brqos.aws.session import AwsSession
from brqos.config.ami import RoleArn
from brqos.config.base import REGION_PATTERN
from brqos.errors import ConfigurationError, UsageError

_AGE = re.compile(r"(?P<number>\d{1,5})(?P<unit>[hdw])", re.ASCII)
_HOURS = {"h": 1, "d": 24, "w": 168}
_VARIANT = re.compile(r"[a-z0-9][a-z0-9.-]*", re.ASCII)
_REGION = re.compile(REGION_PATTERN, re.ASCII)
_ROLE: TypeAdapter[str] = TypeAdapter(RoleArn)


def prune_rules(
    keep: int, older_than: str, variant: str | None, arch: str | None, *, protected: bool, shared: bool
) -> PruneRules:
    """The rules for flags; raises ConfigurationError naming the first that is wrong."""
    if variant is not None and not _VARIANT.fullmatch(variant):
        raise ConfigurationError(f"“{variant}” cannot stand for --variant", todo="Give one such as aws-k8s-1.29.")
    return PruneRules(
        keep=keep,
        older_than=_age(older_than),
        variant=variant,
        arch=Architecture.parse(arch) if arch is not None else None,
        include_protected=protected,
        include_shared=shared,
    )


def check_role(role: str | None) -> None:
    """Refuse what is no ARN of a role; raises ConfigurationError."""
    if role is None:
        return
    try:
        _ROLE.validate_python(role)
    except ValidationError:
        raise ConfigurationError(
            f"“{role}” cannot stand for --role",
            why="It is not the ARN of an IAM role.",
            todo="Write it like arn:aws:iam::111111111111:role/images; `aws iam get-role --role-name NAME` tells it.",
        ) from None


def check_regions(given: Iterable[str], session: AwsSession) -> tuple[str, ...]:
    """The regions, or the one that the AWS configuration names; all are of one partition.

    Raises UsageError without any, and ConfigurationError.
    """
    regions = tuple(dict.fromkeys(given)) or tuple(filter(None, (session.default_region(),)))
    if not regions:
        raise UsageError(
            "no AWS region is given", todo="Give one with --region, for example eu-west-1; repeat it for several."
        )
    for region in regions:
        if not _REGION.fullmatch(region):
            raise ConfigurationError(
                f"“{region}” cannot stand for --region", todo="A region is written like eu-west-1."
            )
    _check_partitions(regions)
    return regions


def _check_partitions(regions: Sequence[str]) -> None:
    first = regions[0]
    for region in regions[1:]:
        if partition_of(region) != partition_of(first):
            raise ConfigurationError(
                f"{first} and {region} are in different partitions ({partition_of(first)} and {partition_of(region)})",
                why="No credentials hold in both, and one run prunes with those of one profile.",
                todo="Run `brqos prune` once for each partition, each with its own --profile.",
            )


def _age(text: str) -> timedelta:
    match = _AGE.fullmatch(text.strip())
    if match is None:
        raise ConfigurationError(
            f"“{text}” cannot stand for --older-than",
            why="It is a number with h, d or w after it: hours, days or weeks.",
            todo="Write it like 36h, 7d or 2w.",
        )
    return timedelta(hours=int(match["number"]) * _HOURS[match["unit"]])
