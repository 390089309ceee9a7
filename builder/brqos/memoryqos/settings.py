"""The kubelet settings that really turn MemoryQoS on, for each Kubernetes version.

What the gate alone does changed twice (KEP-2570; kubernetes/kubernetes pkg/features/kube_features.go and
pkg/kubelet/apis/config/v1beta1/defaults.go of each minor):

==========  ==========  ==============================  ============================================
Kubernetes  gate        memoryThrottlingFactor default  memoryReservationPolicy
==========  ==========  ==============================  ============================================
1.22-1.26   alpha, off  0.8                             no such field
1.27-1.35   alpha, off  0.9                             no such field
1.36        alpha, off  0.9                             None by default, or TieredReservation
1.37        beta, on    null: nothing is throttled      None by default, or TieredReservation
==========  ==========  ==============================  ============================================

So the gate alone protects and throttles up to 1.35, only throttles on 1.36, and does nothing on 1.37. What we write
says everything explicitly: the gate, the factor, and from 1.36 the policy.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from brqos.errors import ConfigurationError
from brqos.variant import KubernetesVersion

GATE = "MemoryQoS"
FIRST = KubernetesVersion(1, 22)
FIRST_BETWEEN_REQUEST_AND_LIMIT = KubernetesVersion(1, 27)
FIRST_WITH_POLICY = KubernetesVersion(1, 36)
FIRST_ON_BY_DEFAULT = KubernetesVersion(1, 37)

ReservationPolicy = Literal["None", "TieredReservation"]


@dataclass(frozen=True, slots=True)
class KubeletSettings:
    """What the kubelet of one image is told; `reservation_policy` is None where the version has no such field."""

    kubernetes: KubernetesVersion
    throttling_factor: float
    reservation_policy: ReservationPolicy | None
    feature_gates: Mapping[str, bool]

    def fields(self) -> dict[str, object]:
        """The top-level fields of KubeletConfiguration (kubelet.config.k8s.io/v1beta1), without `featureGates`."""
        fields: dict[str, object] = {"memoryThrottlingFactor": self.throttling_factor}
        if self.reservation_policy is not None:
            fields["memoryReservationPolicy"] = self.reservation_policy
        return fields

    def configuration(self) -> dict[str, object]:
        """The whole fragment, as a KubeletConfiguration that the kubelet's `--config-dir` takes."""
        return {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "featureGates": dict(self.feature_gates),
            **self.fields(),
        }

    def native(self) -> dict[str, object]:
        """The settings below `settings.kubernetes` that do the same where Bottlerocket knows them (v1.66, 1.37)."""
        return {
            "memory-throttling-factor": self.throttling_factor,
            "memory-reservation-policy": self.reservation_policy,
        }

    def protection(self) -> str:
        """Which files protect a request from reclaim; nothing where the policy says so."""
        if self.reservation_policy is None:
            return "memory.min"
        return "memory.min, memory.low" if self.reservation_policy == "TieredReservation" else ""

    def throttling(self) -> str:
        """Where memory.high lies."""
        if self.kubernetes < FIRST_BETWEEN_REQUEST_AND_LIMIT:
            return f"memory.high at {self.throttling_factor:g} of the limit"
        return f"memory.high at {self.throttling_factor:g} from request to limit"

    def effect(self) -> str:
        """In a few words, what these settings do on this version: `the kubelet ...`."""
        protects = f"protects requests by {self.protection()}" if self.protection() else "protects nothing"
        return f"{protects} and throttles by {self.throttling()}"


def kubelet_settings(
    kubernetes: KubernetesVersion,
    *,
    throttling_factor: float = 0.9,
    reservation_policy: ReservationPolicy | None = None,
    feature_gates: Mapping[str, bool] | None = None,
) -> KubeletSettings:
    """The settings for a version and somebody's wishes; raises ConfigurationError for wishes that cannot work.

    `throttling_factor` is a share, 0 < factor <= 1 (pkg/kubelet/apis/config/validation). Gates are written sorted by
    name, MemoryQoS included, so that the same wishes always give the same bytes.
    """
    if kubernetes < FIRST:
        raise ConfigurationError(
            f"Kubernetes {kubernetes} has no MemoryQoS",
            why=f"The feature came with Kubernetes {FIRST} (KEP-2570).",
            todo="Choose a variant for a newer Kubernetes; `brqos variants` lists them.",
        )
    _check_factor(throttling_factor)
    if reservation_policy is not None and kubernetes < FIRST_WITH_POLICY:
        raise ConfigurationError(
            f"Kubernetes {kubernetes} knows no memoryReservationPolicy",
            why=f"The field came with Kubernetes {FIRST_WITH_POLICY}; an older kubelet would refuse the whole file.",
            todo="Leave kubelet.reservation-policy out: up to 1.35 the gate alone protects requests.",
        )
    if kubernetes >= FIRST_WITH_POLICY and reservation_policy is None:
        reservation_policy = "TieredReservation"
    return KubeletSettings(kubernetes, float(throttling_factor), reservation_policy, _merged_gates(feature_gates or {}))


def _check_factor(factor: float) -> None:
    # NaN compares false with everything, so the range is asked for positively.
    if not (math.isfinite(factor) and 0 < factor <= 1):
        raise ConfigurationError(
            f"the throttling factor {factor:g} is not in the range 0 < factor <= 1",
            why="The kubelet refuses such a memoryThrottlingFactor and does not start.",
            todo="Use for example 0.9; 1.0 puts memory.high at the limit itself.",
        )


def _merged_gates(wishes: Mapping[str, bool]) -> dict[str, bool]:
    for name, value in wishes.items():
        if name == GATE:
            raise ConfigurationError(
                f"the feature gate {GATE} is given twice",
                why="brqos sets it itself, that is what it is for"
                + ("." if value else "; switching it off would leave an image like the official one."),
                todo=f"Remove {GATE} from [kubelet.feature-gates].",
            )
        if not (name.isascii() and name.isalnum() and name[0].isalpha()):
            raise ConfigurationError(
                f"“{name}” cannot be the name of a feature gate",
                why="Gates are called like MemoryQoS; a kubelet that does not know a gate does not start.",
                todo="Correct it in [kubelet.feature-gates].",
            )
    return dict(sorted({**wishes, GATE: True}.items()))


def official_effect(kubernetes: KubernetesVersion) -> str:
    """What MemoryQoS does on this version where nothing is configured: the stock image."""
    if kubernetes < FIRST_ON_BY_DEFAULT:
        return "off"
    return "gate on, but nothing is protected and nothing is throttled"
