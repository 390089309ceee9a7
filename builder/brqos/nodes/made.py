"""What every kind of configuration is made into."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brqos.nodes.request import NodegroupRequest


@dataclass(frozen=True, slots=True)
class NodeFile:
    """One file for one or several nodegroups of a cluster.

    `document` is its content as data (JSON's types), `text` the same as it is written, with comments that say why.
    `suffix` ends its name; `commands` are what comes next, each a line for a shell with `{file}` for the path.
    `warnings` are for the user.
    """

    requests: tuple[NodegroupRequest, ...]
    document: Any
    text: str
    suffix: str
    commands: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    def commands_for(self, path: Path | str) -> tuple[str, ...]:
        """The commands for the file at this path."""
        return tuple(command.replace("{file}", shlex.quote(str(path))) for command in self.commands)
