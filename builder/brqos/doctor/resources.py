"""Disk, memory and processors.

What upstream's build takes, by its own BUILDING.md and by what its parts weigh, and what repacking an image of 2 GiB
does.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from brqos.config.model import Engine
from brqos.doctor.model import Check, Status
from brqos.doctor.probe import Probe
from brqos.stages import Stage

_GB = 10**9
_GIB = 1 << 30
_MIB = 1 << 20
_FOR_BUILD = (Stage.BUILD,)


@dataclass(frozen=True, slots=True)
class _Disk:
    """How much space is asked for, and below how much there is no sense in beginning."""

    name: str
    needed: int
    least: int


# "can consume in excess of 80GB in the local directory" (BUILDING.md). The SDK, the kits and their unpacked RPMs, and
# images of 2 GiB, some of them several times, do not fit into 20.
_SOURCE_DISK = _Disk("disk", 80 * _GB, 20 * _GB)
# The working copy is sparse: half of an image of 2 GiB is blank. Beside it lie for a while a copy of the root file
# system (1 GB) or its files (EROFS: unpacked about 2 GB), and at the end the packed result (up to 1 GB).
_REPACK_DISK = _Disk("disk", 6 * _GB, 2 * _GB)
# OS and data image as they are published, packed.
_DOWNLOAD_DISK = _Disk("disk of the cache", 2 * _GB, 1 * _GB)
_SOURCE_MEMORY = 8 * _GIB
_REPACK_MEMORY = 512 * _MIB
_CORES = 4


@dataclass(frozen=True, slots=True)
class Needs:
    """What a machine that builds should have; `cores` is what the work can use, with fewer it takes longer."""

    disk_gb: int
    memory_mib: int
    cores: int
    docker: bool


def needs_of(engine: Engine) -> Needs:
    """What the engine asks of a machine, the official image that is fetched included."""
    if engine is Engine.REPACK:
        return Needs((_REPACK_DISK.needed + _DOWNLOAD_DISK.needed) // _GB, _REPACK_MEMORY // _MIB, 1, docker=False)
    return Needs(_SOURCE_DISK.needed // _GB, _SOURCE_MEMORY // _MIB, _CORES, docker=True)


def check_resources(probe: Probe, cache: Path) -> Iterator[Check]:
    """What the machine has for upstream's build; only a disk that is far too small stops the work."""
    yield _disk(
        probe,
        _SOURCE_DISK,
        cache,
        f"Free some space on the disk of {cache} (`brqos clean` for brqos' own), or put the cache elsewhere by "
        "BRQOS_CACHE_DIR. A build that goes on in a tree that is there already needs less.",
    )
    yield _memory(probe, _SOURCE_MEMORY, "Use a machine with more memory, or --jobs 1.")
    yield _cores(probe)


def check_repack_resources(probe: Probe, output: Path, cache: Path, *, official: bool) -> Iterator[Check]:
    """What the machine has for repacking; `output` is the folder of the result, where the work is done, too."""
    yield _disk(
        probe,
        _REPACK_DISK,
        output,
        f"Free some space on the disk of {output.absolute()}, or build in a folder on another one: working copy and "
        "result lie there.",
    )
    if official:
        yield _disk(
            probe,
            _DOWNLOAD_DISK,
            cache,
            f"Free some space on the disk of {cache} (`brqos clean` for brqos' own), or put the cache elsewhere by "
            "BRQOS_CACHE_DIR.",
        )
    yield _memory(probe, _REPACK_MEMORY, "Use a machine, or allow the container, more memory.")


def _disk(probe: Probe, disk: _Disk, folder: Path, remedy: str) -> Check:
    free = probe.free_bytes(folder)
    enough = free >= disk.needed
    status = Status.FOUND if enough else Status.WARNING if free >= disk.least else Status.MISSING
    needed = f"{disk.needed / _GB:.0f} GB"
    return Check(disk.name, status, _FOR_BUILD, f"{_rounded(free)} GB free", needed, "" if enough else remedy)


def _rounded(free: int) -> str:
    """In GB, rounded down: what is not enough never reads as if it were."""
    return f"{free // _GB}" if free >= 10 * _GB else f"{free // (_GB // 10) / 10:.1f}".removesuffix(".0")


def _memory(probe: Probe, needed: int, remedy: str) -> Check:
    memory = probe.memory_bytes()
    enough = memory >= needed * 0.95
    return Check(
        "memory",
        Status.FOUND if enough else Status.WARNING,
        _FOR_BUILD,
        _amount(memory),
        _amount(needed),
        "" if enough else remedy,
    )


def _amount(memory: int) -> str:
    return f"{memory / _GIB:.0f} GiB" if memory >= 2 * _GIB else f"{memory // _MIB} MiB"


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
