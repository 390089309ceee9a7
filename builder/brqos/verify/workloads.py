"""Check 5: the workloads that are there. Predicted against observed, where a container can be read."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from brqos.kube.kubectl import Kubectl
from brqos.kube.refusals import KubeCallError, Refusal
from brqos.memoryqos.pod import ContainerKind, Pod
from brqos.verify.answers import Answer, unanswered
from brqos.verify.cgroup_text import BESIDES, Cgroup, cgroup_of
from brqos.verify.compare import compared, named, pod_in, predictions
from brqos.verify.model import FILES, Check, Compared, Finding, Status, Subject
from brqos.verify.probe_pods import MANAGED_BY
from brqos.verify.prospect import Prospect

_FOLDER = "/sys/fs/cgroup"
_SECONDS_APART = 3.0


@dataclass(frozen=True, slots=True)
class Running:
    """A container that runs; `started` is seconds since 1970 by the node's clock, None where it is not told."""

    pod: Pod
    container: str
    started: float | None


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of a container: once, and again `seconds` later where it was being throttled."""

    first: Cgroup | None = None
    second: Cgroup | None = None
    seconds: float = 0.0
    trouble: str = ""
    forbidden: bool = False


@dataclass(frozen=True, slots=True)
class Workloads:
    """The running containers of a node, and the readings of those that were read."""

    running: tuple[Running, ...] = ()
    readings: Mapping[tuple[str, str, str], Reading] = field(default_factory=dict)


def key_of(each: Running) -> tuple[str, str, str]:
    """Namespace, pod and container."""
    return (each.pod.namespace, each.pod.name, each.container)


def running_containers(pods: Sequence[Mapping[str, Any]]) -> tuple[Running, ...]:
    """The app and sidecar containers that run, our own probes left out; raises KubeCallError for what is no pod."""
    found = []
    for item in pods:
        labels = (item.get("metadata") or {}).get("labels") or {}
        if all(labels.get(key) == value for key, value in MANAGED_BY.items()):
            continue
        pod, started = pod_in(item), _started(item)
        for container in pod.containers:
            if container.kind is not ContainerKind.EPHEMERAL and container.name in started:
                found.append(Running(pod, container.name, started[container.name]))
    return tuple(found)


def _started(item: Mapping[str, Any]) -> dict[str, float | None]:
    status = item.get("status") or {}
    found: dict[str, float | None] = {}
    for each in [*(status.get("containerStatuses") or []), *(status.get("initContainerStatuses") or [])]:
        running = (each.get("state") or {}).get("running")
        if running is not None:
            try:
                found[str(each.get("name"))] = datetime.fromisoformat(str(running.get("startedAt"))).timestamp()
            except ValueError:
                found[str(each.get("name"))] = None
    return found


def read_all(
    kubectl: Kubectl, running: Sequence[Running], *, pause: Callable[[float], None] = time.sleep
) -> dict[tuple[str, str, str], Reading]:
    """Read the cgroup of each by `kubectl exec`; a second time, a little later, of those that were throttled.

    Nothing but `cat` is run. Stops asking once exec turns out to be forbidden.
    """
    readings: dict[tuple[str, str, str], Reading] = {}
    at: dict[tuple[str, str, str], float] = {}
    for each in running:
        readings[key_of(each)] = reading = _read(kubectl, each)
        at[key_of(each)] = time.monotonic()
        if reading.forbidden:
            return readings | {key_of(other): reading for other in running if key_of(other) not in readings}
    throttled = [each for each in running if (first := readings[key_of(each)].first) and first.events.get("high")]
    for each in throttled:
        key = key_of(each)
        # Less apart, a burst would look like a trend.
        pause(max(0.0, _SECONDS_APART - (time.monotonic() - at[key])))
        again = _read(kubectl, each)
        readings[key] = Reading(readings[key].first, again.first, time.monotonic() - at[key])
    return readings


def _read(kubectl: Kubectl, each: Running) -> Reading:
    names = [f"{_FOLDER}/{file}" for file in (*FILES, *BESIDES)]
    try:
        completed = kubectl.execute(each.pod.namespace, each.pod.name, each.container, ["cat", *names])
    except KubeCallError as error:
        return Reading(trouble=f"{error.what}: {error.why}", forbidden=error.kind is Refusal.FORBIDDEN)
    cgroup = cgroup_of(parted(completed.text))
    if cgroup is not None:
        return Reading(first=cgroup)
    said = completed.stderr.strip().splitlines()
    if any(word in completed.stderr for word in ("executable file not found", "no such file or directory: unknown")):
        return Reading(trouble="the image has no cat: it cannot be read from inside")
    return Reading(trouble=f"its cgroup cannot be read: {said[0] if said else 'the answer is no memory cgroup'}")


def parted(text: str) -> dict[str, str]:
    """What `cat` of all the files printed, by file: the first four are one line each, the rest is known by its form."""
    lines = text.splitlines()
    files = dict(zip(FILES, lines, strict=False))
    rest = lines[len(FILES) :]
    if rest and rest[0].isdecimal():
        files["memory.current"] = rest.pop(0)
    # memory.events ends where memory.stat begins, with anon.
    counts = [line for line in rest if not line.startswith(("some ", "full "))]
    split = next((number for number, line in enumerate(counts) if line.startswith("anon ")), len(counts))
    files["memory.events"] = "\n".join(counts[:split])
    files["memory.stat"] = "\n".join(counts[split:])
    files["memory.pressure"] = "\n".join(line for line in rest if line.startswith(("some ", "full ")))
    return files


def check_workloads(
    workloads: Answer[Workloads], prospect: Prospect | None, kubelet_started: float | None, *, executed: bool
) -> Check:
    """Do the containers that are there have the predicted values.

    A container keeps what its cgroup was created with. One that has nothing of MemoryQoS was created before it was on:
    certainly so where it started before this kubelet did (`kubelet_started`, seconds since 1970 by the same clock).
    """
    if workloads.refusal is not None:
        status = Status.WARNING if workloads.forbidden else Status.UNANSWERED
        finding = unanswered("the pods of the node", workloads.refusal, status)
        return Check(subject=Subject.WORKLOADS, findings=(finding,))
    assert workloads.value is not None
    entries = [_entry(each, workloads.value, prospect, kubelet_started) for each in workloads.value.running]
    return Check(subject=Subject.WORKLOADS, findings=tuple(_summary(entries, executed)), compared=tuple(entries))


def _entry(each: Running, workloads: Workloads, prospect: Prospect | None, kubelet_started: float | None) -> Compared:
    reading = workloads.readings.get(key_of(each))
    entry = named(each.pod, each.container, prospect.wanted if prospect else None, Status.SKIPPED)
    if reading is not None and reading.trouble:
        status = Status.WARNING if reading.forbidden else Status.SKIPPED
        entry = entry.model_copy(update={"remark": reading.trouble, "status": status})
    observed = reading.first.values if reading and reading.first else None
    expected = predictions(prospect.wanted, each.pod)[each.container] if prospect else None
    entry = compared(entry, expected, observed)
    if entry.status is not Status.FAILED:
        return entry
    return judged(entry, each, prospect, kubelet_started)


def judged(entry: Compared, each: Running, prospect: Prospect | None, kubelet_started: float | None) -> Compared:
    """A difference, with what explains it."""
    assert entry.observed is not None
    earlier = kubelet_started is not None and each.started is not None and each.started < kubelet_started
    if earlier:
        remark = "created before this kubelet started, so before the gate was on as it is now: restart the pod"
        return entry.model_copy(update={"status": Status.WARNING, "remark": remark})
    if kubelet_started is None and entry.observed.untouched:
        remark = "has nothing of MemoryQoS: most likely created before the gate was on; restart the pod"
        return entry.model_copy(update={"status": Status.WARNING, "remark": remark})
    unlimited = all(c.resources.memory_limit == 0 for c in each.pod.containers if c.name == each.container)
    if prospect is not None and prospect.assumes_eviction and unlimited and entry.differing == ("memory.high",):
        remark = "the eviction threshold is assumed, so this may be right"
        return entry.model_copy(update={"status": Status.WARNING, "remark": remark})
    return entry


def nowhere(entries: Sequence[Compared]) -> Finding | None:
    """The finding that MemoryQoS did nothing anywhere, although it should have: no pod is that old."""
    due = [entry for entry in entries if entry.expected and not entry.expected.untouched and entry.observed]
    if not due or not all(entry.observed and entry.observed.untouched for entry in due):
        return None
    return Finding(
        status=Status.FAILED,
        what="MemoryQoS altogether",
        expected=f"values in {len(due)} cgroup(s)",
        observed="none of them has any",
        why="Either MemoryQoS is off on this node, or every pod is from before it was on.",
        todo="Restart a pod and look again; without a change MemoryQoS is off.",
    )


def _summary(entries: Sequence[Compared], executed: bool) -> list[Finding]:
    total, read = len(entries), sum(entry.observed is not None for entry in entries)
    if not executed:
        why = "Their values can only be read from inside: --exec does it, with `cat`."
        return [Finding(status=Status.SKIPPED, what=f"{total} running container(s), predicted", why=why)]
    earlier = sum("before" in entry.remark for entry in entries)
    return [
        Finding(
            status=Status.PASSED if read else Status.SKIPPED,
            what=f"{total} running container(s)",
            observed=f"{read} could be read" + (f", {earlier} from before the gate was on" if earlier else ""),
        )
    ]
