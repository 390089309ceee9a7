"""Availability zones, and whether they are of the nodes' region."""

import re
from collections.abc import Iterable

from brqos.errors import ConfigurationError

_LETTER = re.compile(r"[a-z]", re.ASCII)
_LETTER_OR_LOCAL = re.compile(r"[a-z]|-[a-z0-9-]+", re.ASCII)


def check_zones(region: str, zones: Iterable[str], *, local: bool) -> None:
    """Refuse names that are no zones of the region; with `local` its local zones are taken too, us-west-2-lax-1a.

    Raises ConfigurationError: no subnet fits such a zone, and the nodes never come.
    """
    ending = _LETTER_OR_LOCAL if local else _LETTER
    for zone in zones:
        if not zone.startswith(region) or ending.fullmatch(zone[len(region) :]) is None:
            raise ConfigurationError(
                f"“{zone}” is not an availability zone of {region}",
                why="A zone is called like its region, with a letter; a zone's id (euc1-az1) is something else."
                + ("" if local else " Nodes in a local zone need its subnets instead."),
                todo=f"Write it for example as {region}a.",
            )
