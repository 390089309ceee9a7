"""Disk, memory and processors: what upstream's build takes, by its own BUILDING.md and by what its parts weigh."""

from collections.abc import Iterator
from pathlib import Path

from brqos.doctor.model import Check, Status
from brqos.doctor.probe import Probe
from brqos.stages import Stage

_GB = 10**9
_GIB = 1 << 30
# "can consume in excess of 80GB in the local directory" (BUILDING.md).
_DISK = 80 * _GB
# The SDK, the kits and their unpacked RPMs, and images of 2 GiB, some of them several times, do not fit into less.
_LEAST_DISK = 20 * _GB
_MEMORY = 8 * _GIB
_CORES = 4
_FOR_BUILD = (Stage.BUILD,)


def check_resources(probe: Probe, cache: Path) -> Iterator[Check]:
    """What the machine has; only a disk that is far too small stops the work."""
    yield _disk(probe, cache)
    yield _memory(probe)
    yield _cores(probe)


def _disk(probe: Probe, cache: Path) -> Check:
    free = probe.free_bytes(cache)
    enough = free >= _DISK
    remedy = (
        ""
        if enough
        else f"Free some space on the disk of {cache} (`brqos clean` for brqos' own), or put the cache elsewhere by "
        "BRQOS_CACHE_DIR. A build that goes on in a tree that is there already needs less."
    )
    status = Status.FOUND if enough else Status.WARNING if free >= _LEAST_DISK else Status.MISSING
    return Check("disk", status, _FOR_BUILD, f"{free / _GB:.0f} GB free", f"{_DISK / _GB:.0f} GB", remedy)


def _memory(probe: Probe) -> Check:
    memory = probe.memory_bytes()
    enough = memory >= _MEMORY * 0.95
    return Check(
        "memory",
        Status.FOUND if enough else Status.WARNING,
        _FOR_BUILD,
        f"{memory / _GIB:.0f} GiB",
        f"{_MEMORY // _GIB} GiB",
        "" if enough else "Use a machine with more memory, or --jobs 1.",
    )


def _cores(probe: Probe) -> Check:
    cores = probe.cores()
    enough = cores >= _CORES
    return Check(
        "cores",
        Status.FOUND if enough else Status.WARNING,
        _FOR_BUILD,
        str(cores),
        str(_CORES),
        "" if enough else "The first build can take hours so; with 32 cores it takes minutes.",
    )
