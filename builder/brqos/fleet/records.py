"""The records of builds, from one or several folders: those of this machine, or what other jobs left."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from brqos.architecture import Architecture
from brqos.config.model import BuildSpec
from brqos.errors import ConfigurationError
from brqos.fleet.sameness import is_same
from brqos.monitor import Monitor
from brqos.pipeline.foresee import Outlook
from brqos.record import BUILDS, FILE, StoredBuild, load


class Records:
    """Records that were read, by what they are of."""

    def __init__(self, builds: Sequence[StoredBuild]) -> None:
        self._builds: dict[tuple[str, Architecture], list[StoredBuild]] = defaultdict(list)
        for stored in builds:
            self._builds[stored.record.variant, stored.record.spec.arch].append(stored)

    def __len__(self) -> int:
        return sum(map(len, self._builds.values()))

    def of(self, spec: BuildSpec, outlook: Outlook | None) -> list[StoredBuild]:
        """The records of the build that the spec asks for; several where it was carried on on several machines."""
        candidates = self._builds.get((spec.variant_name.memory_qos, spec.arch), ())
        return [stored for stored in candidates if is_same(spec, outlook, stored.record)]


def read_records(folders: Sequence[Path] | None, monitor: Monitor) -> Records:
    """All records in folders of builds (`DIR/*/build.json`), or of single builds (`DIR/build.json`).

    Without any the current folder's own are meant, if there are any. A record that cannot be read is told, and counts
    for nothing. Raises ConfigurationError for a folder that is not there.
    """
    builds = []
    for folder in folders or [BUILDS]:
        if folders and not folder.is_dir():
            raise ConfigurationError(
                f"there is no folder of records {folder}",
                todo="Give --records a folder that has folders of builds, each with its build.json.",
            )
        for file in sorted([*folder.glob(FILE), *folder.glob(f"*/{FILE}")]):
            try:
                builds.append(load(file))
            except ConfigurationError as error:
                monitor.warn(f"{error.what}: {error.why}" if error.why else error.what)
    return Records(builds)
