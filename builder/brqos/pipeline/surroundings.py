"""What a build runs in: the real world, or a rehearsal's. Only the outermost calls differ."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from brqos.aws.credentials import Credentials
from brqos.aws.session import AwsSession
from brqos.config.model import BuildSpec
from brqos.image.order import CARGO_MAKE
from brqos.resources import cache_directory


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The spec to build, the program that builds, the AWS to publish to, and where mirrors and trees are kept."""

    spec: BuildSpec
    program: tuple[str, ...]
    aws: AwsSession
    cache: Path
    rehearsal: bool = False


def real(spec: BuildSpec) -> Surroundings:
    """The world as it is."""
    return Surroundings(spec, CARGO_MAKE, AwsSession(profile=spec.ami.profile), cache_directory())


@contextlib.contextmanager
def rehearsed(spec: BuildSpec) -> Iterator[Surroundings]:
    """A rehearsal: a miniature source, a build of seconds, an AWS on loopback."""
    from brqos.rehearsal.emulator.server import ACCESS_KEY, SECRET_KEY
    from brqos.rehearsal.stand_ins import PROGRAM, stand_ins

    with stand_ins(spec) as ins:
        aws = AwsSession(endpoint=ins.endpoint, credentials=Credentials(ACCESS_KEY, SECRET_KEY))
        yield Surroundings(ins.spec, PROGRAM, aws, cache_directory() / "rehearsal", rehearsal=True)
