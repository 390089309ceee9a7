"""Disk, memory and cores: what is scarce is told, what is far too little stops."""

from pathlib import Path

import pytest

from brqos.doctor.model import Check, Status
from brqos.doctor.resources import check_resources
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
