"""What the verdicts on AMIs, parameters and snapshots have in common."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from brqos.ami import tags as tagging
from brqos.ami.pruning.model import Kind, PruneItem, PruneRules
from brqos.architecture import Architecture
from brqos.errors import BrqosError
from brqos.variant import SUFFIX

_MOST_NAMED = 3


def age(moment: datetime | None, now: datetime) -> timedelta:
    """How old something is; nothing at all where its time is not known."""
    return now - moment if moment is not None else timedelta.min


def and_so_on(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f", and {more} more" if more > 0 else "")


def matches(tags: Mapping[str, str], rules: PruneRules) -> bool:
    """Whether something with these tags is among what a person asked for."""
    variant = tags.get(tagging.VARIANT, "")
    if rules.variant is not None and variant not in (rules.variant, f"{rules.variant}-{SUFFIX}"):
        return False
    if rules.arch is None:
        return True
    try:
        return Architecture.parse(tags.get(tagging.ARCH, "")) is rules.arch
    except BrqosError:
        return False


def in_words(length: timedelta) -> str:
    """A length of time in the largest unit that is whole: `7 days`, `36 hours`."""
    hours = round(length.total_seconds() / 3600)
    return counted(hours // 24, "day") if hours % 24 == 0 and hours > 24 else counted(hours, "hour")


def counted(number: int, noun: str) -> str:
    """`1 hour`, `2 hours`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def summary(items: Iterable[PruneItem]) -> str:
    """`3 AMIs and 6 snapshots (66 GiB of volumes) in 2 regions`; empty for nothing.

    An AMI's volumes are counted once, and not again with the snapshots that they are made from.
    """
    told = list(items)
    if not told:
        return ""
    kinds = ((Kind.AMI, "AMI"), (Kind.SNAPSHOT, "snapshot"), (Kind.PARAMETER, "SSM parameter"))
    numbers = [(sum(1 for item in told if item.kind is kind), noun) for kind, noun in kinds]
    things = [counted(number, noun) for number, noun in numbers if number]
    gib = sum(item.gib for item in told if item.kind is Kind.AMI or not item.after)
    size = f" ({gib} GiB of volumes)" if gib else ""
    listed = " and ".join(filter(None, (", ".join(things[:-1]), things[-1])))
    return f"{listed}{size} in {counted(len({item.region for item in told}), 'region')}"
