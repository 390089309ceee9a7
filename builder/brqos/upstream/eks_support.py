"""Until when EKS supports a version of Kubernetes: the shipped table `eks-support.toml`, with its source and date."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path

from brqos.variant import KubernetesVersion


class Support(StrEnum):
    """What EKS gives a version on some day."""

    STANDARD = "standard"
    EXTENDED = "extended"
    ENDED = "ended"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class EksSupport:
    """The two days from which on EKS gives less; both None where the table does not have the version."""

    kubernetes: KubernetesVersion
    standard_until: date | None = None
    extended_until: date | None = None

    def on(self, day: date) -> Support:
        """What it gets on a day; the day that is named as the end is the first one without (EKS bills by that)."""
        if self.standard_until is None or self.extended_until is None:
            return Support.UNKNOWN
        if day >= self.extended_until:
            return Support.ENDED
        return Support.EXTENDED if day >= self.standard_until else Support.STANDARD


@dataclass(frozen=True, slots=True)
class EksTable:
    """The whole table; `source` is the page that it was read from, `read` the day."""

    source: str
    read: date
    minors: Mapping[KubernetesVersion, EksSupport]

    def of(self, kubernetes: KubernetesVersion) -> EksSupport:
        """The row of a version, an empty one where the table does not know it."""
        return self.minors.get(kubernetes, EksSupport(kubernetes))


@cache
def eks_table() -> EksTable:
    """The shipped table."""
    data = tomllib.loads(Path(__file__).with_name("eks-support.toml").read_text(encoding="utf-8"))
    minors = {}
    for name, row in data["minors"].items():
        version = KubernetesVersion.parse(name)
        minors[version] = EksSupport(version, row["standard-until"], row["extended-until"])
    return EksTable(data["source"], data["read"], minors)
