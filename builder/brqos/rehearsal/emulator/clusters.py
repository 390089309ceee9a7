"""EKS clusters and their managed nodegroups as an account keeps them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Cluster:
    """A cluster; `told` is what DescribeCluster answers, `nodegroups` by name what DescribeNodegroup answers."""

    told: dict[str, Any]
    nodegroups: dict[str, dict[str, Any]] = field(default_factory=dict)


def merged(usual: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The usual members with the given ones in their place; structures are merged, and None leaves a member out."""
    result = dict(usual)
    for name, value in given.items():
        before = result.get(name)
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            result[name] = merged(before, value)
        elif value is None:
            result.pop(name, None)
        else:
            result[name] = value
    return result
