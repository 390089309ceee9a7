"""What a build runs in: the real world, or a rehearsal's. Only the outermost calls differ."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from brqos.ami.upload.journal import journal_folder
from brqos.aws.credentials import Credentials
from brqos.aws.regions import AwsRegions
from brqos.aws.session import AwsSession
from brqos.config.ami import AmiSpec
from brqos.config.model import BuildSpec
from brqos.image.order import CARGO_MAKE
from brqos.resources import cache_directory


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The spec to build, the program that builds, the AWS to publish to, and where brqos keeps its own.

    `cache` has mirrors and work trees, `journals` the uploads that are not finished. `signs` is false where another run
    publishes what this one makes, and signs then.
    """

    spec: BuildSpec
    program: tuple[str, ...]
    aws: AwsRegions
    cache: Path
    journals: Path
    rehearsal: bool = False
    signs: bool = True

    def image_only(self) -> Self:
        """The same for a run that ends with the image, whatever the spec says of AMIs and nodegroups."""
        ami, nodegroup = self.spec.ami, self.spec.nodegroup
        unpublished = {
            "ami": ami.model_copy(update={"regions": ()}),
            "nodegroup": nodegroup.model_copy(update={"cluster": None}),
        }
        return replace(self, spec=self.spec.model_copy(update=unpublished), signs=False)


def real(spec: BuildSpec) -> Surroundings:
    """The world as it is."""
    return Surroundings(spec, CARGO_MAKE, aws_of(spec.ami), cache_directory(), journal_folder())


def aws_of(spec: AmiSpec) -> AwsRegions:
    """The identities that `[ami]` names, per region."""
    return AwsRegions(AwsSession(spec.profile, role=spec.role), spec.region_profiles, spec.region_roles)


@contextlib.contextmanager
def rehearsed(spec: BuildSpec) -> Iterator[Surroundings]:
    """A rehearsal: a miniature source, a build of seconds, an AWS on loopback."""
    from brqos.rehearsal.emulator.server import ACCESS_KEY, SECRET_KEY
    from brqos.rehearsal.stand_ins import PROGRAM, stand_ins

    with stand_ins(spec) as ins:
        credentials, region = Credentials(ACCESS_KEY, SECRET_KEY), ins.spec.ami.regions[0]
        aws = AwsSession(endpoint=ins.endpoint, credentials=credentials, region=region)
        # What the emulator of this run has is gone with it, and so are the journals.
        journals = ins.folder / "uploads"
        cache = cache_directory() / "rehearsal"
        yield Surroundings(ins.spec, PROGRAM, AwsRegions(aws), cache, journals, rehearsal=True)
