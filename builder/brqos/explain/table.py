"""The explanation as tables for people."""

from collections.abc import Sequence

from brqos.explain.bars import LEGEND, bar, scale_of
from brqos.explain.compare import Change, Side, shown
from brqos.explain.result import ExplainedContainer, ExplainedPod, Explanation, cgroup_of
from brqos.memoryqos.cgroup_paths import level_path
from brqos.memoryqos.kubelet import CgroupMemory
from brqos.memoryqos.quantity import readable

CONTAINER_COLUMNS = ("POD", "CONTAINER", "QOS", "MIN", "LOW", "HIGH", "MAX", "BAR")
POD_COLUMNS = ("POD", "KIND", "PODS", "QOS", "MIN", "LOW", "HIGH", "MAX", "CGROUP")
LEVEL_COLUMNS = ("LEVEL", "MIN", "LOW", "HIGH", "MAX", "CGROUP")
CHANGE_COLUMNS = ("POD", "CONTAINER", "FROM", "TO", "LOSES", "GAINS")

_SHOWN_OF_MANY = 3


def headline(explanation: Explanation) -> list[str]:
    """What was taken for the node, in a line each."""
    kubelet = explanation.node.kubelet
    factor = "null" if kubelet.throttling_factor is None else f"{kubelet.throttling_factor:g}"
    policy = "" if kubelet.reservation_policy is None else f", memoryReservationPolicy {kubelet.reservation_policy}"
    gate = "on" if kubelet.gate else "off"
    settings = f"MemoryQoS {gate}, memoryThrottlingFactor {factor}{policy} ({explanation.node.settings})"
    memory = f"{readable(kubelet.allocatable)} ({kubelet.allocatable} bytes; {explanation.node.memory.source})"
    return [f"Kubernetes {kubelet.kubernetes}, {settings}", f"Memory for pods: {memory}"]


def container_rows(explanation: Explanation, width: int = 24) -> list[list[str]]:
    """One row per container; all bars on one scale."""
    scale = scale_of((each.memory for each in explanation.containers), explanation.node.kubelet.allocatable)
    return [
        [
            pod_name(each),
            container_name(each),
            each.qos.value,
            *_values(each.memory),
            bar(each.memory, scale, width),
        ]
        for each in explanation.containers
    ]


def legend(explanation: Explanation) -> str:
    """What the bars mean, and their scale."""
    scale = scale_of((each.memory for each in explanation.containers), explanation.node.kubelet.allocatable)
    return f"{LEGEND}   > no limit; a whole bar is {readable(scale)}"


def pod_rows(explanation: Explanation) -> list[list[str]]:
    """One row per pod, with the number of its replicas."""
    return [
        [
            f"{each.workload.pod.namespace}/{each.workload.pod.name}",
            each.workload.kind,
            str(each.workload.replicas),
            each.known.qos.value,
            *_values(each.prediction.memory),
            cgroup_of(explanation.node, each),
        ]
        for each in explanation.pods
    ]


def level_rows(explanation: Explanation) -> list[list[str]]:
    """One row per cgroup of the QoS levels, and one with the sum of all requests."""
    node = explanation.node
    return [
        [level.value, *_values(memory), str(level_path(level, driver=node.driver, root=node.root))]
        for level, memory in explanation.levels.items()
    ]


def reasons(explanation: Explanation) -> list[str]:
    """`pod container: why`, one line per container."""
    return [f"{pod_name(each)} {container_name(each)}: {each.prediction.why}" for each in explanation.containers]


def warning_lines(explanation: Explanation) -> list[str]:
    """Each warning once, with the containers or pods that it is about."""
    about: dict[str, list[str]] = {}
    for pod in explanation.pods:
        for warning in pod.warnings:
            about.setdefault(warning, []).append(_pod_of(pod))
        for each in pod.containers:
            for warning in each.warnings:
                about.setdefault(warning, []).append(f"{pod_name(each)} {each.container.name}")
    lines = list(explanation.warnings)
    lines += [f"{_some(names)}: {warning}" for warning, names in about.items() if warning not in lines]
    return lines


def change_rows(found: Sequence[Change]) -> list[list[str]]:
    """One row per container and step that changes something."""
    return [
        [
            f"{each.namespace}/{each.pod}",
            each.container,
            each.before,
            each.after,
            f"!{'; '.join(each.lost)}" if each.lost else "",
            f"+{'; '.join(each.gained)}" if each.gained else "",
        ]
        for each in found
    ]


def comparison_columns(sides: Sequence[Side]) -> list[str]:
    """The columns of `comparison_rows`."""
    return ["POD", "CONTAINER", *(side.label.upper() for side in sides)]


def comparison_rows(sides: Sequence[Side]) -> list[list[str]]:
    """One row per container, one column per side."""
    return [
        [pod_name(one[0]), container_name(one[0]), *(in_short(each.memory) for each in one)]
        for one in zip(*(side.explanation.containers for side in sides), strict=True)
    ]


def in_short(memory: CgroupMemory) -> str:
    """`min 100Mi, high 190Mi, max 200Mi`: what is not the kernel's default; `-` where nothing is written."""
    protected = (("min", memory.min), ("low", memory.low))
    bounds = (("high", memory.high), ("max", memory.max))
    parts = [f"{name} {readable(amount)}" for name, amount in protected if amount]
    parts += [f"{name} {shown(amount)}" for name, amount in bounds if amount != "max"]
    return ", ".join(parts) or "-"


def pod_name(each: ExplainedContainer) -> str:
    """`namespace/pod`."""
    return f"{each.workload.pod.namespace}/{each.workload.pod.name}"


def container_name(each: ExplainedContainer) -> str:
    """The container's name, and what it is where it is no app container."""
    kind = each.container.kind.value
    return each.container.name if kind == "app" else f"{each.container.name} ({kind})"


def _pod_of(pod: ExplainedPod) -> str:
    return f"{pod.workload.pod.namespace}/{pod.workload.pod.name}"


def _values(memory: CgroupMemory) -> list[str]:
    return [
        readable(memory.min) if memory.min else "-",
        readable(memory.low) if memory.low else "-",
        shown(memory.high) if memory.high != "max" else "-",
        shown(memory.max) if memory.max != "max" else "-",
    ]


def _some(names: Sequence[str]) -> str:
    shown_names = ", ".join(names[:_SHOWN_OF_MANY])
    return f"{shown_names} and {len(names) - _SHOWN_OF_MANY} more" if len(names) > _SHOWN_OF_MANY else shown_names
