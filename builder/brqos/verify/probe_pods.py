"""The probe pods: what they are, how they are known again, and what their logs say. Pure.

A probe prints the files of its own cgroup and ends: inside a container (cgroup v2, private namespace) /sys/fs/cgroup is
that container's own, so it needs no privilege and nobody needs exec. It is put on its node by `nodeName`: no scheduler
is asked, so cordoned nodes and taints do not matter and nobody is preempted for it; a node without room refuses it
(OutOfmemory), which is told. It passes Pod Security's level “restricted”.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from brqos.verify.cgroup_text import Cgroup, cgroup_of

IMAGE = "public.ecr.aws/docker/library/busybox:1.37.0"
"""Small, for amd64 and arm64, and from a registry that EKS nodes reach without a login."""

CONTAINER = "probe"
MANAGED_BY = {"app.kubernetes.io/managed-by": "brqos", "app.kubernetes.io/name": "brqos-probe"}
SELECTOR = ",".join(f"{key}={value}" for key, value in MANAGED_BY.items())
RUN_LABEL = "brqos/run"
OWNER_ANNOTATION = "brqos/owner"
_SECONDS_BEYOND = 60

# POSIX only. A file that is not there is left out, and the end mark says that nothing was cut off.
_SCRIPT = """\
cd /sys/fs/cgroup || exit 3
echo '=== brqos-probe 1'
for file in cgroup.controllers memory.min memory.low memory.high memory.max memory.current memory.events memory.stat \
memory.pressure; do
  if [ -r $file ]; then echo "=== $file"; cat $file 2>/dev/null; fi
done
echo '=== end'
"""
_SECTION = re.compile(r"^=== (?P<name>\S+)(?: \d+)?\n(?P<text>.*?)(?=^=== )", re.MULTILINE | re.DOTALL)
_BEGINNING = "=== brqos-probe 1"


class ProbeClass(StrEnum):
    """The four shapes; the value is the end of the pod's name."""

    GUARANTEED = "guaranteed"
    LIMITED = "burstable-limit"
    UNLIMITED = "burstable"
    BEST_EFFORT = "besteffort"

    @property
    def words(self) -> str:
        """For people."""
        return {
            "guaranteed": "Guaranteed",
            "burstable-limit": "Burstable with a limit",
            "burstable": "Burstable without a limit",
            "besteffort": "BestEffort",
        }[self.value]

    @property
    def qos(self) -> str:
        """The QoS class that it is meant to have."""
        return {"guaranteed": "Guaranteed", "besteffort": "BestEffort"}.get(self.value, "Burstable")


_RESOURCES: dict[ProbeClass, dict[str, dict[str, str]]] = {
    ProbeClass.GUARANTEED: {
        "requests": {"cpu": "50m", "memory": "32Mi"},
        "limits": {"cpu": "50m", "memory": "32Mi"},
    },
    ProbeClass.LIMITED: {"requests": {"cpu": "10m", "memory": "24Mi"}, "limits": {"memory": "48Mi"}},
    ProbeClass.UNLIMITED: {"requests": {"cpu": "10m", "memory": "24Mi"}},
    ProbeClass.BEST_EFFORT: {},
}


@dataclass(frozen=True, slots=True)
class ProbeSpec:
    """What the user may choose about probes; `timeout` is seconds from making a probe to its end."""

    image: str = IMAGE
    pull_secret: str | None = None
    timeout: float = 120.0


@dataclass(frozen=True, slots=True)
class Probe:
    """One probe that is to be: its pod's name is known before it is made, so it can be removed whatever happens."""

    node: str
    shape: ProbeClass
    name: str


def planned(run: str, nodes: list[str]) -> list[Probe]:
    """Four probes for each node."""
    return [
        Probe(node, shape, f"brqos-probe-{run}-{number}-{shape.value}")
        for number, node in enumerate(nodes)
        for shape in ProbeClass
    ]


def manifest(probe: Probe, spec: ProbeSpec, run: str, owner: str, seconds: int) -> dict[str, Any]:
    """The probe's v1.Pod; `seconds` is how long it may live, whatever becomes of us."""
    pod: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": probe.name,
            # A mesh that puts a container beside ours would change the pod, and keep it from ending.
            "labels": {**MANAGED_BY, RUN_LABEL: run, "sidecar.istio.io/inject": "false"},
            "annotations": {
                OWNER_ANNOTATION: owner,
                "linkerd.io/inject": "disabled",
                "cluster-autoscaler.kubernetes.io/safe-to-evict": "true",
            },
        },
        "spec": {
            "nodeName": probe.node,
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 1,
            "activeDeadlineSeconds": seconds,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "dnsPolicy": "Default",
            "tolerations": [{"operator": "Exists"}],
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65534,
                "runAsGroup": 65534,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": CONTAINER,
                    "image": spec.image,
                    "imagePullPolicy": "IfNotPresent",
                    "command": ["/bin/sh", "-c", _SCRIPT],
                    "resources": _RESOURCES[probe.shape],
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "readOnlyRootFilesystem": True,
                        "capabilities": {"drop": ["ALL"]},
                    },
                }
            ],
        },
    }
    if spec.pull_secret:
        pod["spec"]["imagePullSecrets"] = [{"name": spec.pull_secret}]
    return pod


def lifetime(spec: ProbeSpec, probes: int) -> int:
    """Seconds in which a run with so many probes is over: each is made and read by a request of its own."""
    return int(spec.timeout) + _SECONDS_BEYOND + 2 * probes


def run_of(pod: Mapping[str, Any]) -> str:
    """The run that made a probe."""
    return str(((pod.get("metadata") or {}).get("labels") or {}).get(RUN_LABEL) or "")


def owner_of(pod: Mapping[str, Any]) -> str:
    """The process that made a probe."""
    return str(((pod.get("metadata") or {}).get("annotations") or {}).get(OWNER_ANNOTATION) or "")


def has_expired(pod: Mapping[str, Any], now: datetime) -> bool:
    """Whether the run that made it must be over, by the API server's clock: its probes live no longer than that."""
    try:
        made = datetime.fromisoformat(str((pod.get("metadata") or {}).get("creationTimestamp")))
        lifetime = timedelta(seconds=int((pod.get("spec") or {}).get("activeDeadlineSeconds") or 0))
    except (ValueError, TypeError):
        return False
    return now > made + lifetime


@dataclass(frozen=True, slots=True)
class Printed:
    """What a probe's log says: its cgroup, or in words why there is none."""

    cgroup_v2: bool | None = None
    cgroup: Cgroup | None = None
    trouble: str = ""


def read_log(log: str) -> Printed:
    """A probe's log; everything that is not exactly a probe's answer is trouble."""
    text = log.replace("\r\n", "\n")
    if not text.startswith(_BEGINNING):
        return Printed(trouble=f"Its log does not begin as a probe's: {text[:80]!r}")
    if not text.rstrip().endswith("=== end"):
        return Printed(trouble="Its log ends in the middle.")
    files = {match["name"]: match["text"] for match in _SECTION.finditer(text)}
    if "cgroup.controllers" not in files:
        return Printed(cgroup_v2=False, trouble="There is no cgroup v2 at /sys/fs/cgroup in the container.")
    if "memory" not in files["cgroup.controllers"].split():
        return Printed(cgroup_v2=False, trouble="The memory controller is not on in the container's cgroup.")
    if "memory.max" not in files:
        trouble = "The container sees the root of the cgroup tree, not its own cgroup (no private cgroup namespace)."
        return Printed(cgroup_v2=True, trouble=trouble)
    cgroup = cgroup_of(files)
    if cgroup is None:
        return Printed(cgroup_v2=True, trouble="A file of its cgroup does not hold a number of bytes or “max”.")
    return Printed(cgroup_v2=True, cgroup=cgroup)
