"""The AWS that a fleet is built on: the real one, or a rehearsal's, whose builds are run on this machine."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from brqos.aws.session import AwsSession
from brqos.errors import BrqosError
from brqos.fleet.codebuild.ordering import Chosen, refuse_repack
from brqos.fleet.codebuild.polling import Pace
from brqos.fleet.expand import Entry
from brqos.monitor import Monitor
from brqos.pipeline.foresee import foresee

PROGRAM = (sys.executable, "-P", "-m", "brqos")
"""How a rehearsal's builds run brqos: by this Python, without the folder that they run in on its path."""


@dataclass(frozen=True, slots=True)
class World:
    """An identity at AWS, how often it is asked, and how time goes by (seconds since 1970).

    `folder` is there in a rehearsal, and gone with it.
    """

    session: AwsSession
    pace: Pace = field(default_factory=Pace)
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    folder: Path | None = None

    @property
    def rehearsal(self) -> bool:
        """Whether nothing of it is real."""
        return self.folder is not None


def real_world(profile: str | None) -> World:
    """AWS as this machine's configuration and environment say."""
    return World(AwsSession(profile))


@contextlib.contextmanager
def rehearsed_world() -> Iterator[World]:
    """An emulator of AWS on loopback, whose CodeBuild runs what it is told to in processes of its own."""
    from brqos.rehearsal.codebuild_runner import ExecutingRunner
    from brqos.rehearsal.emulator import Emulator
    from brqos.rehearsal.stand_ins import own_folder

    with own_folder() as folder, Emulator(rehearsal=True, runner=ExecutingRunner(folder / "builds")) as emulator:
        session = AwsSession(endpoint=emulator.endpoint, credentials=emulator.credentials)
        yield World(session, Pace(shortest=0.5, longest=2.0, per_build=0.0), folder=folder)


def rehearsed_choice(entries: Sequence[Entry], world: World, cache: Path, monitor: Monitor) -> Chosen:
    """All of the builds, each with what it will be when it is rehearsed; raises BrqosError."""
    from brqos.rehearsal.stand_ins import rehearsed_spec

    assert world.folder is not None
    refuse_repack(entries)
    specs = [rehearsed_spec(entry.spec, world.folder / f"source-{number}") for number, entry in enumerate(entries)]
    outlooks = foresee(specs, cache / "rehearsal", monitor)
    for outlook in outlooks:
        if isinstance(outlook, BrqosError):
            raise outlook
    return Chosen(tuple(entries), tuple(outlooks), len(entries))
