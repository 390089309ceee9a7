"""What verifying finds: per node six checks, each with its findings and the cgroup values that were compared."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Literal

from brqos.config.base import Model
from brqos.memoryqos.kubelet import Amount, CgroupMemory
from brqos.memoryqos.settings import ReservationPolicy

FILES = ("memory.min", "memory.low", "memory.high", "memory.max")


class Status(StrEnum):
    """How a finding stands. UNANSWERED: it could not be asked; SKIPPED: it was not to be asked, or nothing is there."""

    PASSED = "passed"
    SKIPPED = "skipped"
    WARNING = "warning"
    UNANSWERED = "unanswered"
    FAILED = "failed"


_GRAVITY = (Status.SKIPPED, Status.PASSED, Status.WARNING, Status.UNANSWERED, Status.FAILED)


def worst(statuses: Iterable[Status]) -> Status:
    """The gravest of them; SKIPPED where there are none."""
    return max(statuses, key=_GRAVITY.index, default=Status.SKIPPED)


class Subject(StrEnum):
    """The six checks, in their order."""

    IMAGE = "image"
    ON = "on"
    POSSIBLE = "possible"
    EFFECT = "effect"
    WORKLOADS = "workloads"
    PRESSURE = "pressure"

    @property
    def question(self) -> str:
        """The check as a question."""
        return {
            "image": "is it the image",
            "on": "is MemoryQoS on",
            "possible": "can it work",
            "effect": "did it take effect",
            "workloads": "do the workloads have it",
            "pressure": "is it hurting",
        }[self.value]


class Finding(Model):
    """One thing that was looked at; `todo` is what to do about it."""

    status: Status
    what: str
    expected: str = ""
    observed: str = ""
    why: str = ""
    todo: str = ""


class Values(Model):
    """The four files of one cgroup, in bytes as the kernel reads them back."""

    memory_min: Amount
    memory_low: Amount
    memory_high: Amount
    memory_max: Amount

    @classmethod
    def of(cls, memory: CgroupMemory) -> "Values":
        """The values of a prediction."""
        return cls(memory_min=memory.min, memory_low=memory.low, memory_high=memory.high, memory_max=memory.max)

    def by_file(self) -> dict[str, Amount]:
        """File name to value."""
        return dict(zip(FILES, (self.memory_min, self.memory_low, self.memory_high, self.memory_max), strict=True))

    @property
    def untouched(self) -> bool:
        """Whether MemoryQoS wrote nothing here: what every container has with the gate off."""
        return self.memory_min == 0 and self.memory_low == 0 and self.memory_high == "max"


class Compared(Model):
    """One cgroup, predicted and observed; `expected` is None where nothing could be predicted, `why` says which rule.

    `container` is empty for the cgroup of a pod, `pod` and `container` for that of a QoS level.
    """

    status: Status
    namespace: str = ""
    pod: str = ""
    container: str = ""
    kind: str = ""
    qos_class: str = ""
    expected: Values | None = None
    observed: Values | None = None
    why: str = ""
    remark: str = ""

    @property
    def name(self) -> str:
        """Which cgroup, for people."""
        parts = [part for part in (self.namespace, self.pod, self.container) if part]
        return "/".join(parts) or self.qos_class

    @property
    def differing(self) -> tuple[str, ...]:
        """The files whose values are not the predicted ones."""
        if self.expected is None or self.observed is None:
            return ()
        observed = self.observed.by_file()
        return tuple(file for file, value in self.expected.by_file().items() if observed[file] != value)


class Check(Model):
    """One of the six, for one node."""

    subject: Subject
    findings: tuple[Finding, ...] = ()
    compared: tuple[Compared, ...] = ()

    @property
    def status(self) -> Status:
        """The gravest status in it."""
        return worst([*(each.status for each in self.findings), *(each.status for each in self.compared)])


class NodeReport(Model):
    """What was found on one node."""

    node: str
    checks: tuple[Check, ...]

    @property
    def status(self) -> Status:
        """The gravest status in it."""
        return worst(check.status for check in self.checks)


class Report(Model):
    """What was found on all of them; `left` are probe pods that could not be removed."""

    nodes: tuple[NodeReport, ...]
    left: tuple[str, ...] = ()

    @property
    def status(self) -> Status:
        """The gravest status in it."""
        return worst([*(node.status for node in self.nodes), *([Status.UNANSWERED] if self.left else [])])

    def data(self) -> dict[str, object]:
        """The report as plain data for JSON; statuses that are computed stand in it too."""
        return {
            "status": self.status.value,
            "left": list(self.left),
            "nodes": [
                {
                    "node": node.node,
                    "status": node.status.value,
                    "checks": [
                        {
                            "check": check.subject.value,
                            "question": check.subject.question,
                            "status": check.status.value,
                            "findings": [each.model_dump(mode="json", by_alias=False) for each in check.findings],
                            "compared": [each.model_dump(mode="json", by_alias=False) for each in check.compared],
                        }
                        for check in node.checks
                    ],
                }
                for node in self.nodes
            ],
        }


class Wanted(Model):
    """What a build record says that its nodes are. `amis` are the ids of its AMIs, in any region."""

    build: str
    variant: str
    release: str
    kubernetes: str
    architecture: str
    throttling_factor: float
    reservation_policy: ReservationPolicy | None
    delivery: Literal["drop-in", "template", "native"]
    amis: tuple[str, ...] = ()
