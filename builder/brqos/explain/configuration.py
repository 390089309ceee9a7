"""The kubelet's MemoryQoS settings by the ways in which people know them: flags, a configz, a build, its defaults."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from brqos.errors import ConfigurationError
from brqos.memoryqos.kubelet import Kubelet, kubelet
from brqos.memoryqos.settings import FIRST_ON_BY_DEFAULT, FIRST_WITH_POLICY, GATE, ReservationPolicy
from brqos.variant import KubernetesVersion

Driver = Literal["systemd", "cgroupfs"]


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a KubeletConfiguration says about MemoryQoS; None is what it does not say.

    `source` says where it is from. The memory amounts are texts, as the file has them. Bottlerocket's cgroupDriver is
    systemd, and its kubelet enforces pods' allocatable: the defaults here. `running` is whether it comes from a running
    kubelet: a gate that it does not name has the version's own default then. `fused` is whether the node is arm64.
    """

    source: str
    kubernetes: KubernetesVersion | None = None
    gate: bool | None = None
    factor: float | None = None
    policy: ReservationPolicy | None = None
    kube_reserved: str | None = None
    system_reserved: str | None = None
    eviction: str | None = None
    driver: Driver = "systemd"
    root: str = "/"
    enforces_pods: bool = True
    running: bool = False
    fused: bool = False


NOTHING = Configuration("the kubelet's own defaults")


def policy_of(text: str) -> ReservationPolicy:
    """A memoryReservationPolicy by its name; raises ConfigurationError."""
    if text == "None":
        return "None"
    if text == "TieredReservation":
        return "TieredReservation"
    raise ConfigurationError(
        f"“{text}” is not a memoryReservationPolicy", todo="Use TieredReservation or None, written just so."
    )


def of_kubelet_configuration(fields: Mapping[str, object], source: str, *, running: bool = False) -> Configuration:
    """From a KubeletConfiguration's fields, in camelCase; raises ConfigurationError for one of a wrong kind."""
    gates = _mapping(fields, "featureGates", source)
    gate = gates.get(GATE)
    policy, factor = fields.get("memoryReservationPolicy"), fields.get("memoryThrottlingFactor")
    if factor is not None and (isinstance(factor, bool) or not isinstance(factor, int | float)):
        raise ConfigurationError(f"{source}: memoryThrottlingFactor is {factor!r}, not a number")
    eviction = _mapping(fields, "evictionHard", source) if fields.get("evictionHard") is not None else None
    enforced = fields.get("enforceNodeAllocatable")
    return Configuration(
        source,
        gate=gate if isinstance(gate, bool) else None,
        factor=float(factor) if factor is not None else None,
        policy=policy_of(str(policy)) if policy else None,
        kube_reserved=_amount(_mapping(fields, "kubeReserved", source), "memory"),
        system_reserved=_amount(_mapping(fields, "systemReserved", source), "memory"),
        # An evictionHard that lacks the signal switches it off; none at all leaves the kubelet's default.
        eviction=None if eviction is None else _amount(eviction, "memory.available") or "0",
        driver="cgroupfs" if fields.get("cgroupDriver") == "cgroupfs" else "systemd",
        root=str(fields.get("cgroupRoot") or "/"),
        enforces_pods="pods" in enforced if isinstance(enforced, list) else True,
        running=running,
    )


def _mapping(fields: Mapping[str, object], key: str, source: str) -> Mapping[str, object]:
    value = fields.get(key)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ConfigurationError(f"{source}: {key} is {value!r}, not a mapping")
    return value


def _amount(fields: Mapping[str, object], key: str) -> str | None:
    value = fields.get(key)
    return None if value is None else str(value)


def of_configz(file: Path) -> Configuration:
    """From a saved answer of `GET /api/v1/nodes/NODE/proxy/configz`; raises ConfigurationError."""
    try:
        content = json.loads(file.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read", why=error.strerror or str(error)) from None
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{file} is not JSON", why=str(error)) from None
    inner = content.get("kubeletconfig", content) if isinstance(content, dict) else None
    if not isinstance(inner, dict) or not ({"featureGates", "evictionHard", "cgroupDriver", "kind"} & inner.keys()):
        raise ConfigurationError(
            f"{file} is not the configz of a kubelet",
            todo="Save it with: kubectl get --raw /api/v1/nodes/NODE/proxy/configz > configz.json",
        )
    return of_kubelet_configuration(inner, f"the configz in {file}", running=True)


def kubelet_of(
    configuration: Configuration,
    *,
    allocatable: int,
    kubernetes: KubernetesVersion | None = None,
    gate: bool | None = None,
    factor: float | None = None,
    policy: ReservationPolicy | None = None,
    fused: bool = False,
) -> Kubelet:
    """The kubelet: flags before the configuration before the version's own defaults; the gate is on if nobody says.

    A running kubelet that does not name the gate has its version's default, though.

    Raises ConfigurationError where nothing tells the version, or the version takes no such setting. A policy that comes
    from the configuration is left out for another version that has no such field.
    """
    version = kubernetes or configuration.kubernetes
    if version is None:
        raise ConfigurationError(
            "the Kubernetes version is not known",
            why="What a gate does has changed three times; there is no version to guess.",
            todo="Give it with --kubernetes 1.29, or name a build with --record, or a node with --node.",
        )
    known = configuration.policy if version >= FIRST_WITH_POLICY else None
    stated = gate if gate is not None else configuration.gate
    if stated is None:
        stated = version >= FIRST_ON_BY_DEFAULT or not configuration.running
    return kubelet(
        version,
        allocatable=allocatable,
        gate=stated,
        fused=fused,
        throttling_factor=factor if factor is not None else configuration.factor,
        reservation_policy=policy if policy is not None else known,
    )


def without_gate(one: Kubelet) -> Kubelet:
    """The same kubelet with the gate off."""
    return replace(one, gate=False)
