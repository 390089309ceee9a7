"""The kubelet whose cgroup values are predicted: its version, its MemoryQoS settings and its node's memory."""

import math
from dataclasses import dataclass
from typing import Literal

from brqos.errors import ConfigurationError
from brqos.memoryqos.settings import (
    FIRST,
    FIRST_BETWEEN_REQUEST_AND_LIMIT,
    FIRST_ON_BY_DEFAULT,
    FIRST_WITH_POLICY,
    ReservationPolicy,
)
from brqos.variant import KubernetesVersion

FIRST_WITH_SIDECARS = KubernetesVersion(1, 29)
"""SidecarContainers (KEP-753) is on from here; before, the API server drops `restartPolicy` of an init container."""

FIRST_WITH_POD_RESOURCES = KubernetesVersion(1, 34)
"""PodLevelResources (KEP-2837) is on from here; before, the API server drops `spec.resources` of a pod."""

Amount = int | Literal["max"]
"""A cgroup value as the kernel reads it back: whole pages in bytes, or `max`."""

PAGE = 4096
"""Bytes of a page; Bottlerocket's kernels have pages of 4 KiB on both architectures."""

_MOST_PAGES = (2**63 - 1) // PAGE


@dataclass(frozen=True, slots=True)
class CgroupMemory:
    """The four files of one cgroup, as the kernel reads them back."""

    min: int = 0
    low: int = 0
    high: Amount = "max"
    max: Amount = "max"

    def files(self) -> dict[str, str]:
        """What stands in each file, without the newline: `{"memory.min": "0", ..., "memory.max": "max"}`."""
        return {
            "memory.min": str(self.min),
            "memory.low": str(self.low),
            "memory.high": str(self.high),
            "memory.max": str(self.max),
        }


@dataclass(frozen=True, slots=True)
class Prediction:
    """Values, and in words the rule and the numbers that they come from."""

    memory: CgroupMemory
    why: str


@dataclass(frozen=True, slots=True)
class Kubelet:
    """All that the formulas take from a node.

    `allocatable` is in bytes and without the eviction threshold: capacity - kubeReserved - systemReserved.
    `throttling_factor` is None where memoryThrottlingFactor is null; `reservation_policy` is None where the version has
    no such field. `fused` is whether the node is arm64, see `throttling.on_the_way`.
    Make it with `kubelet()`, which knows each version's defaults.
    """

    kubernetes: KubernetesVersion
    allocatable: int
    gate: bool = True
    throttling_factor: float | None = None
    reservation_policy: ReservationPolicy | None = None
    fused: bool = False

    @property
    def tiered(self) -> bool:
        """Whether requests are protected by tiers: memory.min for Guaranteed pods, memory.low for others."""
        return self.reservation_policy == "TieredReservation"

    @property
    def protects(self) -> bool:
        """Whether requests are protected at all."""
        return self.gate and (self.reservation_policy is None or self.tiered)

    @property
    def throttles(self) -> bool:
        """Whether memory.high is written at all."""
        return self.gate and self.throttling_factor is not None


def default_factor(kubernetes: KubernetesVersion) -> float | None:
    """The kubelet's own memoryThrottlingFactor; None is null (pkg/kubelet/apis/config/v1beta1/defaults.go)."""
    if kubernetes >= FIRST_ON_BY_DEFAULT:
        return None
    return 0.9 if kubernetes >= FIRST_BETWEEN_REQUEST_AND_LIMIT else 0.8


def default_policy(kubernetes: KubernetesVersion) -> ReservationPolicy | None:
    """The kubelet's own memoryReservationPolicy; None where the version has no such field."""
    return "None" if kubernetes >= FIRST_WITH_POLICY else None


def kubelet(
    kubernetes: KubernetesVersion,
    *,
    allocatable: int,
    gate: bool = True,
    throttling_factor: float | None = None,
    reservation_policy: ReservationPolicy | None = None,
    fused: bool = False,
) -> Kubelet:
    """A kubelet with the version's own defaults for what is not given.

    A factor of None is the default (null on 1.37). Raises ConfigurationError for what no kubelet of the version takes:
    a version before 1.22, a factor outside 0 < f <= 1, TieredReservation before 1.36. The policy `None` is taken by
    every version; before 1.36, where there is no such field, it says nothing.
    """
    if kubernetes < FIRST:
        raise ConfigurationError(
            f"Kubernetes {kubernetes} has no MemoryQoS",
            why=f"The feature came with Kubernetes {FIRST} (KEP-2570).",
            todo="Give the version of a newer kubelet, for example 1.29.",
        )
    if throttling_factor is not None and not (math.isfinite(throttling_factor) and 0 < throttling_factor <= 1):
        raise ConfigurationError(
            f"the throttling factor {throttling_factor:g} is not in the range 0 < factor <= 1",
            why="The kubelet refuses such a memoryThrottlingFactor and does not start.",
            todo="Use for example 0.9; 1.0 puts memory.high at the limit itself.",
        )
    if kubernetes < FIRST_WITH_POLICY:
        if reservation_policy == "TieredReservation":
            raise ConfigurationError(
                f"Kubernetes {kubernetes} knows no memoryReservationPolicy",
                why=f"The field came with Kubernetes {FIRST_WITH_POLICY}; up to 1.35 the gate alone protects requests.",
                todo="Leave the policy out, or give a newer version.",
            )
        reservation_policy = None
    elif reservation_policy is None:
        reservation_policy = default_policy(kubernetes)
    if throttling_factor is None:
        throttling_factor = default_factor(kubernetes)
    return Kubelet(kubernetes, allocatable, gate, throttling_factor, reservation_policy, fused)


def as_read(written: int) -> Amount:
    """What the kernel reads back: whole pages; at and above its largest number of pages, `max`.

    Linux, mm/page_counter.c: page_counter_memparse; mm/memcontrol.c: seq_puts_memcg_tunable.
    """
    pages = written // PAGE
    return "max" if pages >= _MOST_PAGES else pages * PAGE


def protection_as_read(request: int) -> int:
    """What memory.min or memory.low reads back for a request; no node has the memory for one that would read `max`."""
    return min(request // PAGE, _MOST_PAGES) * PAGE
