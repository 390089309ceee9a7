"""Where memory.high lies: the kubelet's own arithmetic, in float64 and in the written order."""

import math
from fractions import Fraction

from brqos.memoryqos.kubelet import PAGE


def share_of(ceiling: int, factor: float) -> int:
    """`int64(float64(ceiling) * factor)`: Kubernetes 1.22 to 1.26 (kuberuntime_container_linux.go)."""
    return int(float(ceiling) * factor)


def on_the_way(request: int, ceiling: int, factor: float, *, fused: bool = False) -> int:
    """`int64(math.Floor(request + (ceiling-request)*factor) / page) * page`: from Kubernetes 1.27.

    kuberuntime_container_linux.go (KEP-2570); the same text stands in cm/helpers_linux.go of 1.37 for pods. For arm64
    Go's compiler rounds the product and the sum once instead of twice (FMADDD): `fused`. That tells only where the
    exact value lies within 2^-53 of a page's boundary, and then by one page; among a million amounts of all sizes there
    was no such one.
    """
    difference = float(ceiling) - float(request)
    if fused:
        exact = float(Fraction(difference) * Fraction(factor) + Fraction(float(request)))
    else:
        exact = float(request) + difference * factor
    return int(math.floor(exact) / PAGE) * PAGE
