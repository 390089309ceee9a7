"""From the options of `brqos explain` to the node that is explained: its settings and its memory."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from brqos.errors import UsageError

if TYPE_CHECKING:
    from brqos.explain.compare import Wishes
    from brqos.explain.configuration import Configuration
    from brqos.explain.node_memory import NodeMemory
    from brqos.explain.result import Node
    from brqos.kube.kubectl import Kubectl


@dataclass(frozen=True, slots=True)
class MemoryOptions:
    """The options that tell the node's memory."""

    allocatable: str | None
    node_allocatable: str | None
    capacity: str | None
    instance_type: str | None
    max_pods: int | None
    eviction: str | None
    kube_reserved: str | None
    system_reserved: str | None


@dataclass(frozen=True, slots=True)
class SettingsOptions:
    """The options that tell the kubelet's settings."""

    kubernetes: str | None
    gate: str | None
    factor: float | None
    policy: str | None
    build: str | None
    record: Path | None
    configz: Path | None


def check(
    file: list[Path] | None,
    memory: MemoryOptions,
    settings: SettingsOptions,
    *,
    live: bool,
    node: str | None,
    all_namespaces: bool,
) -> None:
    """Refuse options that do not go together; raises UsageError."""
    if bool(file) == live:
        raise UsageError(
            "the pods come either from manifests or from the cluster",
            why="Both were given." if live else "Neither was given.",
            todo="Use -f FILE (or -f - for standard input), or --live.",
        )
    if all_namespaces and not live:
        raise UsageError("--all-namespaces goes with --live only", todo="Leave it out, or use --live instead of -f.")
    named = [
        option
        for option, value in (
            ("--allocatable", memory.allocatable),
            ("--node-allocatable", memory.node_allocatable),
            ("--instance-type", memory.instance_type),
            ("--capacity", memory.capacity if memory.node_allocatable is None else None),
            ("--node", node),
        )
        if value is not None
    ]
    if len(named) != 1:
        raise UsageError(
            "the node's memory is told in exactly one way",
            why=f"Given: {', '.join(named)}." if named else "Containers without a limit are throttled by it.",
            todo="Use one of --allocatable 7Gi, --node-allocatable, --capacity, --instance-type m6i.large, --node.",
        )
    _check_company(memory, named[0])
    sources = [
        option
        for option, value in (
            ("--build", settings.build),
            ("--record", settings.record),
            ("--configz", settings.configz),
            ("--node", node),
        )
        if value is not None
    ]
    if len(sources) > 1:
        raise UsageError(
            f"{' and '.join(sources)} both tell the kubelet's settings",
            todo="Keep one; flags may change single values.",
        )


def _check_company(memory: MemoryOptions, source: str) -> None:
    """Refuse an option about memory that would say nothing beside the source that was chosen."""
    belongs = {
        "--eviction-hard": (memory.eviction, ("--node-allocatable",)),
        "--max-pods": (memory.max_pods, ("--instance-type",)),
        "--kube-reserved": (memory.kube_reserved, ("--instance-type", "--capacity")),
        "--system-reserved": (memory.system_reserved, ("--instance-type", "--capacity")),
    }
    for option, (value, partners) in belongs.items():
        if value is not None and source not in partners:
            raise UsageError(
                f"{option} says nothing beside {source}",
                todo=f"It goes with {' or '.join(partners)}; leave it out otherwise.",
            )


def node_of(
    settings: SettingsOptions, memory: MemoryOptions, name: str | None, kubectl: "Kubectl | None"
) -> "tuple[Node, Configuration, Wishes]":
    """The node, what its settings come from, and what the flags say of them; `name` is a living node's.

    Raises ConfigurationError for values that no kubelet takes, KubeCallError where the cluster cannot be asked.
    """
    from brqos.explain.compare import Wishes
    from brqos.explain.configuration import kubelet_of, policy_of
    from brqos.explain.result import Node
    from brqos.variant import KubernetesVersion

    if name is not None and kubectl is not None:
        from brqos.explain.live import live_node

        configuration, node_memory = live_node(kubectl, name)
    else:
        configuration = _configuration(settings)
        node_memory = _memory(memory, configuration)
    wishes = Wishes(settings.factor, policy_of(settings.policy) if settings.policy is not None else None)
    kubelet = kubelet_of(
        configuration,
        allocatable=node_memory.allocatable,
        kubernetes=KubernetesVersion.parse(settings.kubernetes) if settings.kubernetes is not None else None,
        gate=_switch(settings.gate),
        factor=wishes.factor,
        policy=wishes.policy,
        fused=configuration.fused,
    )
    flags = [
        option
        for option, value in (
            ("--kubernetes", settings.kubernetes),
            ("--gate", settings.gate),
            ("--factor", settings.factor),
            ("--policy", settings.policy),
        )
        if value is not None
    ]
    source = configuration.source if not flags else f"{', '.join(flags)}, else {configuration.source}"
    node = Node(
        kubelet,
        node_memory,
        source,
        driver=configuration.driver,
        root=configuration.root,
        enforces_pods=configuration.enforces_pods,
    )
    return node, configuration, wishes


def _switch(text: str | None) -> bool | None:
    if text is None:
        return None
    if text not in ("on", "off"):
        raise UsageError(f"--gate takes on or off, not “{text}”", todo="Write --gate on or --gate off.")
    return text == "on"


def _configuration(settings: SettingsOptions) -> "Configuration":
    from brqos.explain.configuration import NOTHING, of_configz, of_kubelet_configuration
    from brqos.variant import VariantName

    if settings.configz is not None:
        return of_configz(settings.configz)
    if settings.build is None and settings.record is None:
        return NOTHING
    from brqos.record import find

    record = find(settings.build, settings.record).record
    nodegroup = record.spec.nodegroup
    return replace(
        of_kubelet_configuration(record.kubelet_configuration, f"the build {record.id}"),
        kubernetes=VariantName.parse(record.variant).kubernetes,
        kube_reserved=nodegroup.kube_reserved.get("memory"),
        system_reserved=nodegroup.system_reserved.get("memory"),
        eviction=nodegroup.eviction_hard.get("memory.available", "0") if nodegroup.eviction_hard else None,
    )


def _memory(memory: MemoryOptions, configuration: "Configuration") -> "NodeMemory":
    from brqos.explain.node_memory import (
        from_allocatable,
        from_capacity,
        from_instance_type,
        from_node_allocatable,
    )

    kube = memory.kube_reserved if memory.kube_reserved is not None else configuration.kube_reserved
    system = memory.system_reserved if memory.system_reserved is not None else configuration.system_reserved
    if memory.allocatable is not None:
        return from_allocatable(memory.allocatable)
    if memory.node_allocatable is not None:
        eviction = memory.eviction if memory.eviction is not None else configuration.eviction
        return from_node_allocatable(memory.node_allocatable, eviction=eviction, capacity=memory.capacity)
    if memory.instance_type is not None:
        return from_instance_type(
            memory.instance_type, max_pods=memory.max_pods, kube_reserved=kube, system_reserved=system
        )
    assert memory.capacity is not None
    return from_capacity(memory.capacity, kube_reserved=kube, system_reserved=system)
