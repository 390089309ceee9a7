"""Disk, memory and cores: what is scarce is told, what is far too little stops."""

from pathlib import Path

import pytest

from brqos.doctor.model import Check, Status
from brqos.doctor.resources import check_repack_resources, check_resources
from doctor.machine import GB, GIB, Machine


def _check(name: str, machine: Machine) -> Check:
    return next(check for check in check_resources(machine, Path("/cache/brqos")) if check.name == name)


@pytest.mark.parametrize(
    ("free", "status"),
    [(80, Status.FOUND), (500, Status.FOUND), (79, Status.WARNING), (20, Status.WARNING), (19, Status.MISSING)],
)
def test_disk(free: int, status: Status) -> None:
    check = _check("disk", Machine(free=free * GB))
    assert (check.status, check.version, check.needed) == (status, f"{free} GB free", "80 GB")
    assert ("/cache/brqos" in check.remedy) is (status is not Status.FOUND)


@pytest.mark.parametrize(
    ("memory", "status"), [(8 * GIB, Status.FOUND), (8 * GIB - 300_000_000, Status.FOUND), (4 * GIB, Status.WARNING)]
)
def test_memory(memory: int, status: Status) -> None:
    assert _check("memory", Machine(memory=memory)).status is status


@pytest.mark.parametrize(("cores", "status"), [(4, Status.FOUND), (2, Status.WARNING)])
def test_cores(cores: int, status: Status) -> None:
    assert _check("cores", Machine(processors=cores)).status is status


def _for_repack(name: str, machine: Machine, *, official: bool = True) -> Check | None:
    checks = check_repack_resources(machine, Path("/srv/here"), Path("/cache/brqos"), official=official)
    return next((check for check in checks if check.name == name), None)


@pytest.mark.parametrize(
    ("free", "told", "status"),
    [
        (6 * GB, "6 GB free", Status.FOUND),
        (71 * GB, "71 GB free", Status.FOUND),
        # Never rounded up to what would be enough.
        (6 * GB - 1, "5.9 GB free", Status.WARNING),
        (2 * GB, "2 GB free", Status.WARNING),
        (2 * GB - 1, "1.9 GB free", Status.MISSING),
        (0, "0 GB free", Status.MISSING),
    ],
)
def test_disk_for_repacking(free: int, told: str, status: Status) -> None:
    check = _for_repack("disk", Machine(free=free))
    assert check is not None
    assert (check.status, check.version, check.needed) == (status, told, "6 GB")
    assert ("/srv/here" in check.remedy) is (status is not Status.FOUND)


def test_an_official_image_is_kept_in_the_cache() -> None:
    check = _for_repack("disk of the cache", Machine(free=GB // 2))
    assert check is not None
    assert check.stops
    assert "/cache/brqos" in check.remedy
    assert _for_repack("disk of the cache", Machine(), official=False) is None


@pytest.mark.parametrize(
    ("memory", "told", "status"),
    [
        (64 * GIB, "64 GiB", Status.FOUND),
        (GIB, "1024 MiB", Status.FOUND),
        (GIB // 2, "512 MiB", Status.FOUND),
        (GIB // 4, "256 MiB", Status.WARNING),
    ],
)
def test_memory_for_repacking(memory: int, told: str, status: Status) -> None:
    check = _for_repack("memory", Machine(memory=memory))
    assert check is not None
    assert (check.status, check.version, check.needed) == (status, told, "512 MiB")
