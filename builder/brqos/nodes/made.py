"""What every kind of configuration is made into."""

from dataclasses import dataclass
from typing import Any

from brqos.nodes.request import NodegroupRequest


@dataclass(frozen=True, slots=True)
class NodeFile:
    """One file for one or several nodegroups of a cluster.

    `document` is its content as data (JSON's types), `text` the same as it is written, with comments that say why.
    `suffix` ends its name; `command` is what comes next, with `{file}` for its path. `warnings` are for the user.
    """

    requests: tuple[NodegroupRequest, ...]
    document: Any
    text: str
    suffix: str
    command: str
    warnings: tuple[str, ...] = ()
