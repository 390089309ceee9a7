"""What a newer release would change in what brqos builds: two plans, held against each other. No effects here."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from brqos.config.model import Delivery
from brqos.memoryqos.settings import KubeletSettings
from brqos.overlay.model import FileOperation, Operation
from brqos.pipeline.generate import Planned

How = Literal["added", "removed", "changed"]


@dataclass(frozen=True, slots=True)
class FileChange:
    """A path of the overlay that is not the same in both.

    `diff` is a unified diff. Of a file that is upstream's own, and that brqos only edits, it shows how the edit
    differs: it is empty where only upstream's part is another (`is_upstreams`).
    """

    path: str
    how: How
    is_upstreams: bool
    diff: tuple[str, ...] = field(repr=False)

    @property
    def insertions(self) -> int:
        """Lines that only the newer one has."""
        return sum(line.startswith("+") for line in self.diff[2:])

    @property
    def deletions(self) -> int:
        """Lines that only the older one has."""
        return sum(line.startswith("-") for line in self.diff[2:])


@dataclass(frozen=True, slots=True)
class Difference:
    """Between two releases: `files` are those of the overlay that differ, out of so many (`all_files`) in the newer."""

    delivery: tuple[Delivery, Delivery]
    core_kit: tuple[str, str]
    settings: tuple[KubeletSettings, KubeletSettings]
    files: tuple[FileChange, ...]
    all_files: int

    @property
    def changes_delivery(self) -> bool:
        """Whether MemoryQoS gets into the image in another way."""
        return self.delivery[0] is not self.delivery[1]

    @property
    def changes_settings(self) -> bool:
        """Whether the kubelet is told something else."""
        return self.settings[0].configuration() != self.settings[1].configuration()


def difference(old: Planned, new: Planned) -> Difference:
    """What differs from one plan to the other."""
    before = {file.path: file for file in old.overlay.files}
    after = {file.path: file for file in new.overlay.files}
    changes = [
        change
        for path in sorted({*before, *after})
        if (change := _change(path, _side(old, before.get(path)), _side(new, after.get(path)))) is not None
    ]
    return Difference(
        delivery=(old.overlay.delivery, new.overlay.delivery),
        core_kit=(old.tree.core_kit, new.tree.core_kit),
        settings=(old.overlay.settings, new.overlay.settings),
        files=tuple(changes),
        all_files=len(after),
    )


@dataclass(frozen=True, slots=True)
class _Side:
    """A file of the overlay, with upstream's own text of it where it has one."""

    file: FileOperation
    upstreams: str | None

    def lines(self) -> list[str]:
        """What is brqos's: the whole file, or of a file of upstream's what is taken out and put in."""
        if self.upstreams is None:
            mark = "-> " if self.file.operation is Operation.LINK else ""
            return (mark + self.file.content).splitlines()
        edit = difflib.unified_diff(self.upstreams.splitlines(), self.file.content.splitlines(), n=0, lineterm="")
        return [line for number, line in enumerate(edit) if number > 1 and not line.startswith("@@")]


def _side(planned: Planned, file: FileOperation | None) -> _Side | None:
    if file is None:
        return None
    own = file.operation is Operation.MODIFY
    return _Side(file, planned.tree.files.text(file.path) if own else None)


def _change(path: str, old: _Side | None, new: _Side | None) -> FileChange | None:
    if old and new and (old.file.mode, old.file.sha256) == (new.file.mode, new.file.sha256):
        return None
    how: How = "changed" if old and new else "added" if new else "removed"
    diff = _diff(path, old.lines() if old else None, new.lines() if new else None)
    return FileChange(path, how, not diff, diff)


def _diff(path: str, old: Sequence[str] | None, new: Sequence[str] | None) -> tuple[str, ...]:
    return tuple(
        difflib.unified_diff(
            old or [],
            new or [],
            "/dev/null" if old is None else f"a/{path}",
            "/dev/null" if new is None else f"b/{path}",
            lineterm="",
        )
    )
