"""Cgroup trees as a node has them, and the pods that belong to them; values as the kernel of the tests has them."""

import json
from pathlib import Path
from typing import Any

from kube.kernel import PAGE, UNITS, Kernel, qos_class

EVENTS = "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\n"
STAT = "anon 4096000\nfile 8192000\nkernel 4096\n"


def pod_object(number: int, name: str, resources: dict[str, Any], node: str = "node-1") -> dict[str, Any]:
    """A running pod with one container, `app`."""
    pod: dict[str, Any] = {
        "metadata": {"name": name, "namespace": "team", "uid": f"{number:08x}-1111-2222-3333-444444444444"},
        "spec": {"nodeName": node, "containers": [{"name": "app", "resources": resources}]},
    }
    pod["status"] = {
        "phase": "Running",
        "qosClass": qos_class(pod),
        "containerStatuses": [{"name": "app", "containerID": f"containerd://{number:064x}"}],
    }
    return pod


def folders(root: Path, pod: dict[str, Any], driver: str = "systemd") -> tuple[Path, Path]:
    """The pod's cgroup and its container's."""
    uid, number = (
        pod["metadata"]["uid"],
        pod["status"]["containerStatuses"][0]["containerID"].removeprefix("containerd://"),
    )
    level = {"Guaranteed": "", "Burstable": "burstable", "BestEffort": "besteffort"}[pod["status"]["qosClass"]]
    if driver == "cgroupfs":
        folder = root.joinpath("kubepods", *filter(None, [level]), f"pod{uid}")
        return folder, folder / number
    names = ["kubepods", *filter(None, [level]), f"pod{uid.replace('-', '_')}"]
    folder = root.joinpath(*("-".join(names[: end + 1]) + ".slice" for end in range(len(names))))
    return folder, folder / f"cri-containerd-{number}.scope"


def write_cgroup(folder: Path, values: dict[str, str], **others: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    files = {"memory.current": "8388608", "memory.events": EVENTS, "memory.stat": STAT, **values}
    for name, text in {**files, **{key.replace("_", ".", 1): value for key, value in others.items()}}.items():
        (folder / name).write_text(text if text.endswith("\n") else f"{text}\n")


def write_node(root: Path, pods: list[dict[str, Any]], kernel: Kernel, driver: str = "systemd") -> Path:
    """All cgroups of a node up to 1.35, and the file of its pods."""
    sums = {"Guaranteed": 0, "Burstable": 0, "BestEffort": 0}
    for pod in pods:
        folder, container = folders(root, pod, driver)
        values = kernel.files(pod, pod["spec"]["containers"][0])
        write_cgroup(container, values)
        # A pod of one container has the container's request and limit, and no memory.high before 1.37.
        write_cgroup(folder, {**values, "memory.high": "max"})
        sums[pod["status"]["qosClass"]] += int(values["memory.min"])
    total, burstable = (sums["Guaranteed"] + sums["Burstable"], sums["Burstable"]) if kernel.gate else (0, 0)
    nothing = {"memory.min": "0", "memory.low": "0", "memory.high": "max", "memory.max": "max"}
    top = root / ("kubepods.slice" if driver == "systemd" else "kubepods")
    names = ["kubepods-burstable.slice", "kubepods-besteffort.slice"]
    if driver == "cgroupfs":
        names = ["burstable", "besteffort"]
    allocatable = str(kernel.allocatable // PAGE * PAGE)
    write_cgroup(top, {**nothing, "memory.min": str(total), "memory.max": allocatable})
    write_cgroup(top / names[0], {**nothing, "memory.min": str(burstable)})
    write_cgroup(top / names[1], nothing)
    file = root.parent / "pods.json"
    file.write_text(json.dumps({"kind": "List", "items": pods}))
    return file


def sample_pods() -> list[dict[str, Any]]:
    """The four shapes of the worked table."""
    hundred, two = {"memory": "100Mi", "cpu": "1"}, {"memory": "200Mi", "cpu": "1"}
    return [
        pod_object(1, "guaranteed", {"requests": two, "limits": two}),
        pod_object(2, "limited", {"requests": hundred, "limits": two}),
        pod_object(3, "unlimited", {"requests": hundred}),
        pod_object(4, "free", {}),
    ]


MEBIBYTE = UNITS["Mi"]
