"""How big a machine a build gets, and whether it needs Docker. Pure.

Disk and processors of CodeBuild's Linux machines are those of its user guide, "Build environment compute modes and
types". Images for aarch64 are cross-built on x86, as upstream's own build does it, so no ARM machine is needed.
"""

from dataclasses import dataclass

from brqos.config.codebuild import IMAGE, CodeBuildSpec, Compute
from brqos.config.model import BuildSpec
from brqos.doctor.resources import needs_of

DISK_GB = {Compute.SMALL: 64, Compute.MEDIUM: 128, Compute.LARGE: 128, Compute.XLARGE: 256, Compute.XXLARGE: 824}
CORES = {Compute.SMALL: 2, Compute.MEDIUM: 4, Compute.LARGE: 8, Compute.XLARGE: 36, Compute.XXLARGE: 72}
IMAGE_TO_REPACK = "public.ecr.aws/docker/library/python:3.12-bookworm"
"""What repacks run in where nothing else is wished: CodeBuild's own has erofs-utils 1.4 (Ubuntu 22.04), too old."""
# A source build is hours of compiling: what has few processors has them wait, though its disk would do.
_LEAST_CORES_FROM_SOURCE = 8
# The drivers' kits and the kernel modules that are built for them; the FIPS crates have kits of their own.
_MORE_DISK_GB = {"nvidia": 100, "fips": 50}


@dataclass(frozen=True, slots=True)
class Machine:
    """What one build runs on; `image` is another container image than that of all."""

    compute: Compute
    docker: bool
    image: str | None = None


def machine_of(spec: BuildSpec, wanted: CodeBuildSpec) -> Machine:
    """The machine for a build: what the configuration says, else the smallest that has what it needs."""
    needs = needs_of(spec.build.engine)
    image = IMAGE_TO_REPACK if not needs.docker and wanted.image == IMAGE else None
    given = wanted.compute_of.get(spec.variant) or wanted.compute
    if given is not None:
        return Machine(given, needs.docker, image)
    flavors = spec.variant.split("-")[3:]
    disk = needs.disk_gb + (sum(_MORE_DISK_GB.get(word, 0) for word in flavors) if needs.docker else 0)
    cores = _LEAST_CORES_FROM_SOURCE if needs.docker else needs.cores
    fitting = (size for size in Compute if DISK_GB[size] >= disk and CORES[size] >= cores)
    return Machine(next(fitting, Compute.XXLARGE), needs.docker, image)
