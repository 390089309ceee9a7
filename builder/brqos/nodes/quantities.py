"""Amounts of resources in Kubernetes' notation, as Bottlerocket's settings take them.

What is accepted is what both sides accept: Kubernetes (apimachinery, pkg/api/resource/quantity.go) and Bottlerocket's
model (modeled-types, kubernetes.rs: KubernetesQuantityValue, KubernetesThresholdValue). They differ: Bottlerocket lets
`1K` pass, which the kubelet refuses at start, and the kubelet takes `1e-3`, for which Bottlerocket refuses all user
data.
"""

import re
from collections.abc import Mapping
from fractions import Fraction

from brqos.errors import ConfigurationError
from brqos.memoryqos import quantity
from brqos.nodes.user_data.listed import order

RESERVABLE = ("cpu", "memory", "ephemeral-storage", "pid")
"""What kube-reserved and system-reserved may name (modeled-types, kubernetes.rs: ReservedResources)."""

EVICTION_SIGNALS = (
    "memory.available",
    "nodefs.available",
    "nodefs.inodesFree",
    "imagefs.available",
    "imagefs.inodesFree",
    "pid.available",
)
"""What eviction-hard may name (modeled-types, kubernetes.rs: KubernetesEvictionKey)."""

DEFAULT_EVICTION = {
    "memory.available": "100Mi",
    "nodefs.available": "10%",
    "nodefs.inodesFree": "5%",
    "imagefs.available": "15%",
}
"""The kubelet's evictionHard where nothing is set (kubernetes, pkg/kubelet/eviction/defaults_linux.go)."""

FIRST_MERGING_RELEASE = "1.69.0"
"""From this release of Bottlerocket on, thresholds stand beside the kubelet's own, and not in their place."""

# Of Kubernetes' notation, what Bottlerocket takes too.
_TAKEN_BY_BOTH = re.compile(r"\d{1,18}(?:\.\d{1,9})?(?:[KMGTPE]i|[mkMGTPE]|e\d{1,2})?", re.ASCII)
_CPU = re.compile(r"\d{1,6}m|\d{1,4}(?:\.\d{1,3})?", re.ASCII)
_PERCENTAGE = re.compile(r"(?P<number>\d{1,2}(?:\.\d{1,3})?)%", re.ASCII)
_SMALLEST_SENSIBLE_BYTES = 1024**2


def parse_quantity(text: str) -> Fraction | None:
    """The number that the notation stands for (bytes, cores or a count); None where one of the readers refuses it."""
    return quantity.parse_quantity(text) if _TAKEN_BY_BOTH.fullmatch(text) else None


def check_reserved(setting: str, reserved: Mapping[str, str]) -> None:
    """Refuse an entry of `setting` (kube-reserved or system-reserved) that the kubelet or Bottlerocket would refuse."""
    for resource, amount in reserved.items():
        if resource not in RESERVABLE:
            raise ConfigurationError(
                f"{setting} cannot reserve “{resource}”",
                why="Bottlerocket refuses all of a node's user data over one wrong key, and the node never joins.",
                todo=f"Reserve {', '.join(RESERVABLE[:-1])} or {RESERVABLE[-1]}.",
            )
        if resource == "cpu":
            _check_cpu(setting, amount)
        elif resource == "pid":
            # A number of processes, known since Bottlerocket v1.50.0.
            if parse_quantity(amount) is None:
                raise _not_a_quantity(f"{setting} {resource}", amount, "1000")
        else:
            _check_bytes(f"{setting} {resource}", amount)


def check_eviction(thresholds: Mapping[str, str]) -> None:
    """Refuse an entry of eviction-hard that the kubelet or Bottlerocket would refuse."""
    for signal, threshold in thresholds.items():
        what = f"eviction-hard {signal}"
        if signal not in EVICTION_SIGNALS:
            raise ConfigurationError(
                f"eviction-hard does not know the signal “{signal}”",
                why="Bottlerocket refuses all of a node's user data over one wrong key, and the node never joins.",
                todo=f"Use one of {', '.join(EVICTION_SIGNALS)}.",
            )
        if threshold.endswith("%"):
            if _PERCENTAGE.fullmatch(threshold) is None:
                raise ConfigurationError(
                    f"{what}: “{threshold}” is not a percentage from 0 % to below 100 %",
                    todo="Write it without a space, for example 5%.",
                )
        elif signal.endswith(".available") and signal != "pid.available":
            _check_bytes(what, threshold)
        elif parse_quantity(threshold) is None:
            raise _not_a_quantity(what, threshold, "1000 or 5%")


def lost_evictions(thresholds: Mapping[str, str], release: str | None) -> dict[str, str]:
    """The kubelet's default thresholds that go away with these; `release` is Bottlerocket's, None if it is not known.

    The kubelet takes its defaults only where evictionHard is not set at all (kubernetes,
    pkg/kubelet/apis/config/v1beta1/defaults.go), and Bottlerocket writes what the setting has and nothing else. From
    1.69.0 on it has the kubelet merge both (Bottlerocket's release notes).
    """
    if not thresholds or merges_evictions(release):
        return {}
    return {signal: default for signal, default in DEFAULT_EVICTION.items() if signal not in thresholds}


def merges_evictions(release: str | None) -> bool:
    """Whether a release is known to keep the kubelet's defaults beside the thresholds that are set."""
    return release is not None and order(release) >= order(FIRST_MERGING_RELEASE)


def _check_cpu(setting: str, amount: str) -> None:
    if _CPU.fullmatch(amount) is None:
        raise ConfigurationError(
            f"{setting} cpu: “{amount}” is not an amount of processor time",
            todo="Write cores or thousandths of a core, for example 0.5 or 500m.",
        )


def _check_bytes(what: str, amount: str) -> None:
    size = parse_quantity(amount)
    if size is None:
        raise _not_a_quantity(what, amount, "500Mi or 1Gi")
    if 0 < size < _SMALLEST_SENSIBLE_BYTES:
        raise ConfigurationError(
            f"{what}: “{amount}” is less than a mebibyte",
            why="Without a unit the number is bytes, and “m” means thousandths of one.",
            todo="Add the unit, for example 500Mi or 1Gi.",
        )


def _not_a_quantity(what: str, text: str, example: str) -> ConfigurationError:
    return ConfigurationError(
        f"{what}: “{text}” is not an amount in Kubernetes' notation",
        why="Units are Ki, Mi, Gi, Ti, Pi, Ei (powers of 1024) and k, M, G, T, P, E (powers of 1000), without a space.",
        todo=f"Write it for example as {example}.",
    )
