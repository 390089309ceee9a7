"""How the doctor looks at the machine; a test gives a Probe of its own and starts no process."""

import importlib.metadata
import os
import platform
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from brqos import process
from brqos.errors import ToolError

# A Docker CLI whose daemon hangs would otherwise wait for ever.
_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a program said. `status` is None if it could not be started or did not end in time."""

    status: int | None
    text: str = ""


class Probe(Protocol):
    """What the checks may ask."""

    @property
    def system(self) -> str:
        """`Linux` or `Darwin`, as `uname -s` says."""

    @property
    def machine(self) -> str:
        """`x86_64`, `aarch64` or `arm64`, as `uname -m` says."""

    @property
    def distribution(self) -> str:
        """ID and ID_LIKE of /etc/os-release, such as `ubuntu debian`; empty elsewhere."""

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment's variables."""

    def which(self, program: str) -> Path | None:
        """Where a program is."""

    def ask(self, *argv: str) -> Answer:
        """Run a program that only tells something."""

    def package(self, name: str) -> str | None:
        """The version of a Python package, or None where the Python that runs brqos has none of that name."""

    def free_bytes(self, folder: Path) -> int:
        """How much an ordinary user may still write there (the folder need not be there yet)."""

    def memory_bytes(self) -> int:
        """The machine's memory, or what a container may have of it."""

    def cores(self) -> int:
        """How many processors this process may use."""


@dataclass(frozen=True, slots=True)
class ThisMachine:
    """The real one."""

    system: str = field(default_factory=platform.system)
    machine: str = field(default_factory=platform.machine)
    distribution: str = field(default_factory=lambda: _distribution())
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def which(self, program: str) -> Path | None:
        """Where a program is."""
        return process.find(program)

    def ask(self, *argv: str) -> Answer:
        """Run a program that only tells something."""
        try:
            done = process.run(argv, check=False, timeout=_SECONDS)
        except (ToolError, OSError, process.TimedOut) as error:
            return Answer(None, str(error))
        return Answer(done.status, f"{done.text}\n{done.stderr}".strip())

    def package(self, name: str) -> str | None:
        """The version of a Python package."""
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            return None

    def free_bytes(self, folder: Path) -> int:
        """How much an ordinary user may still write there."""
        there = folder.absolute()
        while not there.exists():
            there = there.parent
        return shutil.disk_usage(there).free

    def memory_bytes(self) -> int:
        """The machine's memory, or what its cgroup allows."""
        import psutil

        total: int = psutil.virtual_memory().total
        return min([total, *_limits()])

    def cores(self) -> int:
        """How many processors this process may use."""
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _limits() -> Sequence[int]:
    found = []
    for file in (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes")):
        try:
            found.append(int(file.read_text().strip()))
        except (OSError, ValueError):
            continue
    return found


def _distribution() -> str:
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return ""
    return f"{release.get('ID', '')} {release.get('ID_LIKE', '')}".strip()
