"""The same work in many regions at once; what fails in one is kept apart from what is done in the others."""

import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Generic, TypeVar

from brqos.errors import BrqosError

_T = TypeVar("_T")

WORKERS = 8
"""Regions under way at once."""

_GRACE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Outcome(Generic[_T]):
    """What came of each region, in the order that was asked for."""

    results: Mapping[str, _T]
    failures: Mapping[str, BrqosError]


def everywhere(
    regions: Iterable[str],
    work: Callable[[str], _T],
    *,
    at_once: int | None = None,
    stop: threading.Event | None = None,
) -> Outcome[_T]:
    """Do it for every region, in threads; returns when all have ended.

    A BrqosError is that region's failure. Anything else (an interrupt, say) sets `stop` and is raised soon after: calls
    that hang are waited for a few seconds, and then left behind.
    """
    wanted = list(dict.fromkeys(regions))
    results: dict[str, _T] = {}
    failures: dict[str, BrqosError] = {}
    pool = ThreadPoolExecutor(max(1, min(at_once or WORKERS, len(wanted))), thread_name_prefix="region")
    futures = {region: pool.submit(work, region) for region in wanted}
    try:
        for region, future in futures.items():
            try:
                results[region] = future.result()
            except BrqosError as error:
                failures[region] = error
    except BaseException:
        if stop is not None:
            stop.set()
        pool.shutdown(wait=False, cancel_futures=True)
        # One that was cancelled before it began never counts as done.
        wait([future for future in futures.values() if not future.cancelled()], timeout=_GRACE_SECONDS)
        raise
    pool.shutdown()
    return Outcome(results, failures)


def told(failures: Mapping[str, BrqosError]) -> str:
    """The failures as lines, one region each."""
    return "\n".join(f"{region}: {error}" for region, error in failures.items())
