"""Limits by rate: a token bucket for each operation, account and region, as EC2 and EBS direct have them."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """So many calls a second in the long run; `burst` (a second's worth by default) may come at once."""

    per_second: float
    burst: float | None = None

    @property
    def capacity(self) -> float:
        """How much the bucket holds."""
        return max(1.0, self.per_second if self.burst is None else self.burst)


@dataclass(slots=True)
class _Bucket:
    tokens: float
    seen: float


class Throttle:
    """Says of each call whether it is within its rate; safe to use from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._rates: dict[str, Rate] = {}
        self._buckets: dict[tuple[str, str, str], _Bucket] = {}
        self.refused = 0

    def limit(self, operation: str, rate: Rate | None) -> None:
        """Set the rate of an operation (such as `PutSnapshotBlock`, or `*` for each of the others); None lifts it."""
        with self._lock:
            rates = {name: known for name, known in self._rates.items() if name != operation}
            self._rates = rates if rate is None else {**rates, operation: rate}
            self._buckets.clear()

    def admits(self, account: str, region: str, operation: str) -> bool:
        """Whether this call is within the rate; counts it."""
        if not self._rates:
            return True
        with self._lock:
            rate = self._rates.get(operation) or self._rates.get("*")
            if rate is None:
                return True
            now = self._clock()
            bucket = self._buckets.setdefault((account, region, operation), _Bucket(rate.capacity, now))
            bucket.tokens = min(rate.capacity, bucket.tokens + (now - bucket.seen) * rate.per_second)
            bucket.seen = now
            if bucket.tokens < 1.0:
                self.refused += 1
                return False
            bucket.tokens -= 1.0
            return True
