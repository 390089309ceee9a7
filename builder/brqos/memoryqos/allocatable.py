"""The memory that stands in for a missing limit: capacity - kubeReserved - systemReserved, eviction not subtracted.

kubernetes, pkg/kubelet/cm/node_container_manager_linux.go: getNodeAllocatableAbsolute. What `kubectl describe node`
shows as allocatable is less the eviction threshold (GetNodeAllocatableReservation).
"""

import math
import struct

from brqos.errors import ConfigurationError
from brqos.memoryqos.quantity import parse_bytes

DEFAULT_EVICTION = "100Mi"
"""The kubelet's evictionHard for memory.available (pkg/kubelet/eviction/defaults_linux.go)."""

MIB = 2**20
BYTES_PER_POD = 11 * MIB
BYTES_FOR_THE_KUBELET = 255 * MIB


def allocatable_from_capacity(capacity: int, *, kube_reserved: int = 0, system_reserved: int = 0) -> int:
    """In bytes; never below 0."""
    return max(capacity - kube_reserved - system_reserved, 0)


def allocatable_from_node(shown: int, *, capacity: int | None = None, eviction: str = DEFAULT_EVICTION) -> int:
    """From `status.allocatable.memory` and evictionHard's `memory.available`, an amount or a percentage of capacity."""
    return shown + eviction_bytes(eviction, capacity)


def eviction_bytes(threshold: str, capacity: int | None) -> int:
    """The bytes of a threshold of memory.available; raises ConfigurationError where it is none.

    A percentage is of the capacity, is held as a float32, and gives whole bytes; 0% and 100% switch the signal off
    (pkg/kubelet/eviction: helpers.go parseThresholdStatement, api/types.go GetThresholdQuantity).
    """
    if threshold in ("0%", "100%"):
        return 0
    if threshold.endswith("%"):
        share = _percentage(threshold)
        if share is None:
            raise _not_a_threshold(threshold)
        if capacity is None:
            raise ConfigurationError(
                f"the eviction threshold {threshold} is a share of the node's memory, which is not known here",
                todo="Write it as an amount, for example 100Mi, or give --allocatable instead.",
            )
        return int(float(capacity) * share)
    amount = parse_bytes(threshold)
    if amount is None or amount < 0:
        raise _not_a_threshold(threshold)
    return amount


def _percentage(threshold: str) -> float | None:
    try:
        value = float(threshold[:-1])
    except ValueError:
        return None
    if not (math.isfinite(value) and 0 <= value <= 100):
        return None
    return _single(_single(value) / 100)


def _single(value: float) -> float:
    return float(struct.unpack("f", struct.pack("f", value))[0])


def _not_a_threshold(text: str) -> ConfigurationError:
    return ConfigurationError(
        f"“{text}” is not an eviction threshold", todo="Write an amount or a percentage, for example 100Mi or 5%."
    )


def bottlerocket_kube_reserved(max_pods: int) -> int:
    """Bottlerocket's own default of kubeReserved memory: 11 MiB a pod and 255 MiB (bottlerocket, schnauzer)."""
    return max_pods * BYTES_PER_POD + BYTES_FOR_THE_KUBELET
