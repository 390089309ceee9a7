"""`brqos verify` from the command line, through a real kubectl, against the fake API server."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from ruamel.yaml import YAML
from typer.testing import CliRunner

from brqos.cli.verify import verify
from brqos.config.model import BuildSpec
from brqos.record import BuildRecord, now
from kube.fake import KUBELET_STARTED, FakeCluster, FakeNode, serving
from kube.faults import Fault, forbidden
from kube.kernel import Kernel

pytestmark = [pytest.mark.processes, pytest.mark.loopback]

app = typer.Typer()
app.command()(verify)
app.callback()(lambda: None)


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster()


@pytest.fixture
def kubeconfig(
    cluster: FakeCluster, tmp_path: Path, tool: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    tool("kubectl")
    monkeypatch.chdir(tmp_path)
    # A pod of a node that is gone is waited for before it is removed by force; not for that long here.
    monkeypatch.setattr("brqos.verify.probing.POLITE_SECONDS", 1.0)
    with serving(cluster, tmp_path) as file:
        monkeypatch.setenv("KUBECONFIG", str(file))
        yield file


@pytest.fixture
def run(kubeconfig: Path, cluster: FakeCluster) -> Callable[..., Any]:
    """Run the command, with nothing left behind; gives its output, or with --json its object."""

    def call(*words: str, code: int = 0) -> Any:
        result = CliRunner().invoke(app, ["verify", *words])
        assert result.exit_code == code, f"exit {result.exit_code}\n{result.stdout}\n{result.stderr}"
        assert "Traceback" not in result.output
        assert cluster.left() == []
        return json.loads(result.stdout) if "--json" in words else result.stdout + result.stderr

    return call


def write_record(folder: Path, policy: str | None = None, factor: float = 0.9, version: str = "1.29") -> Path:
    spec = BuildSpec.model_validate({"variant": f"aws-k8s-{version}", "arch": "x86_64"})
    configuration: dict[str, Any] = {"featureGates": {"MemoryQoS": True}, "memoryThrottlingFactor": factor}
    if policy:
        configuration["memoryReservationPolicy"] = policy
    record = BuildRecord.model_validate(
        {
            "id": "b1",
            "created": now(),
            "updated": now(),
            "spec": spec,
            "variant": f"aws-k8s-{version}-memoryqos",
            "delivery": "drop-in",
            "upstream": {"repository": "r", "ref": "v1.50.0", "commit": "c", "release": "1.50.0"},
            "overlay_commit": "o",
            "work_tree": "w",
            "files": [],
            "kubelet_configuration": configuration,
            "amis": {"eu-west-1": {"id": "ami-0123456789abcdef0", "name": "n", "snapshots": {}}},
        }
    )
    file = folder / "build.json"
    file.write_text(record.model_dump_json())
    return file


def checks(report: Any, node: int = 0) -> dict[str, Any]:
    return {check["check"]: check for check in report["nodes"][node]["checks"]}


def findings(check: Any) -> dict[str, Any]:
    return {finding["what"]: finding for finding in check["findings"]}


def test_a_node_that_is_as_predicted(run: Callable[..., Any], cluster: FakeCluster) -> None:
    cluster.add(FakeNode())
    report = run("--json", "--junit", "out/junit.xml")
    assert report["status"] == "passed"
    found = checks(report)
    assert {name: check["status"] for name, check in found.items()} == {
        "image": "passed",
        "on": "passed",
        "possible": "passed",
        "effect": "passed",
        "workloads": "skipped",
        "pressure": "skipped",
    }
    compared = {entry["pod"]: entry for entry in found["effect"]["compared"]}
    assert compared["probe Burstable with a limit"]["observed"] == {
        "memory_min": 24 * 2**20,
        "memory_low": 0,
        "memory_high": 47812608,
        "memory_max": 48 * 2**20,
    }
    assert len(compared) == 4
    assert all(entry["expected"] == entry["observed"] for entry in compared.values())
    suite = ET.parse("out/junit.xml").getroot()[0]
    assert (suite.get("name"), suite.get("failures"), suite.get("errors")) == ("node-1", "0", "0")


@pytest.mark.parametrize("version", ["1.26", "1.37"])
def test_every_family_of_versions(run: Callable[..., Any], cluster: FakeCluster, version: str) -> None:
    minor = int(version.split(".")[1])
    policy = "TieredReservation" if minor >= 36 else None
    kernel = Kernel(minor=minor, factor=0.7, policy=policy, allocatable=7 * 2**30 + 4096)
    os_image = f"Bottlerocket OS 1.50.0 (aws-k8s-{version}-memoryqos)"
    cluster.add(FakeNode(kernel=kernel, kubelet_version=f"v{version}.3-eks-1", os_image=os_image))
    assert run("--probe-only", "--json")["status"] == "passed"


def test_the_probes_are_small_restricted_and_pinned(run: Callable[..., Any], cluster: FakeCluster) -> None:
    cluster.add(FakeNode())
    run("--probe-only", "--image", "registry.local/busybox:1", "--pull-secret", "login", "--namespace", "own")
    assert [pod["status"]["qosClass"] for pod in cluster.created] == [
        "Guaranteed",
        "Burstable",
        "Burstable",
        "BestEffort",
    ]
    for pod in cluster.created:
        assert pod["metadata"]["namespace"] == "own"
        assert pod["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "brqos"
        spec, container = pod["spec"], pod["spec"]["containers"][0]
        assert spec["nodeName"] == "node-1"
        assert spec["tolerations"] == [{"operator": "Exists"}]
        assert spec["imagePullSecrets"] == [{"name": "login"}]
        assert container["image"] == "registry.local/busybox:1"
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}


def test_a_stock_image_fails(run: Callable[..., Any], cluster: FakeCluster, tmp_path: Path) -> None:
    stock = "Bottlerocket OS 1.50.0 (aws-k8s-1.29)"
    cluster.add(FakeNode(os_image=stock, kernel=Kernel(gate=False)))
    told = run("--node", "node-1", "--record", str(write_record(tmp_path)), code=8)
    assert "the nodegroup has another AMI, or an in-place update replaced the image" in told
    assert "the kubelet does what it is configured to, and that is not what is wanted" in told
    assert re.search(r"memory\.min +differs +33554432 +0", told)


def test_no_node_of_ours_disagrees(run: Callable[..., Any], cluster: FakeCluster) -> None:
    cluster.add(FakeNode(os_image="Bottlerocket OS 1.50.0 (aws-k8s-1.29)"))
    assert "no node of the cluster runs an image made by brqos" in run(code=8)


def test_the_gate_is_on_but_does_nothing_on_1_37(run: Callable[..., Any], cluster: FakeCluster) -> None:
    kernel = Kernel(minor=37, factor=None, policy="None")
    node = FakeNode(kernel=kernel, kubelet_version="v1.37.0-eks-1", os_image="Bottlerocket OS 1.66.0 (aws-k8s-1.37)")
    cluster.add(node)
    report = run("--node", "node-1", "--json", code=8)
    on = findings(checks(report)["on"])
    assert on["gate MemoryQoS"]["status"] == "passed"
    assert on["memoryThrottlingFactor"] == on["memoryThrottlingFactor"] | {"status": "failed", "observed": "null"}
    assert on["altogether, on Kubernetes 1.37"]["observed"] == "off"
    assert checks(report)["effect"]["status"] == "failed"


def test_1_36_without_a_policy_only_warns_but_for_a_record_that_wants_one(
    run: Callable[..., Any], cluster: FakeCluster, tmp_path: Path
) -> None:
    kernel = Kernel(minor=36, policy="None")
    os_image = "Bottlerocket OS 1.50.0 (aws-k8s-1.36-memoryqos)"
    cluster.add(FakeNode(kernel=kernel, kubelet_version="v1.36.1", os_image=os_image))
    assert run("--json")["status"] == "warning"
    record = write_record(tmp_path, "TieredReservation", version="1.36")
    report = run("--json", "--record", str(record), code=8)
    assert findings(checks(report)["on"])["memoryReservationPolicy"]["status"] == "failed"
    remarks = [entry["remark"] for entry in checks(report)["effect"]["compared"] if entry["status"] == "failed"]
    assert remarks == ["the kubelet does what it is configured to, and that is not what is wanted"] * 3


def test_the_metrics_win_over_configz(run: Callable[..., Any], cluster: FakeCluster) -> None:
    cluster.add(FakeNode(gate_metric=0))
    report = run("--read-only", "--json", code=8)
    assert findings(checks(report)["on"])["gate MemoryQoS"]["status"] == "failed"


def test_several_nodes_by_name_selector_and_nodegroup(run: Callable[..., Any], cluster: FakeCluster) -> None:
    cluster.add(FakeNode("a", labels={"eks.amazonaws.com/nodegroup": "spark", "pool": "x"}))
    cluster.add(FakeNode("b", labels={"alpha.eksctl.io/nodegroup-name": "spark"}))
    cluster.add(FakeNode("c", labels={"pool": "x"}, kernel=Kernel(factor=0.5)))

    def names(report: Any) -> list[str]:
        return [node["node"] for node in report["nodes"]]

    assert names(run("--json", "--nodegroup", "spark")) == ["a", "b"]
    assert names(run("--json", "--read-only", "-l", "pool=x")) == ["a", "c"]
    assert names(run("--json", "--read-only", "--node", "c", "--node", "a", "--node", "c")) == ["c", "a"]
    assert "The nodes' groups: spark" in run("--nodegroup", "flink", code=3)
    assert "there is no node “d”" in run("--node", "d", code=3)
    assert "no node has the labels" in run("--selector", "pool=y", code=3)


def test_kernels_that_differ_within_one_image_are_told(run: Callable[..., Any], cluster: FakeCluster) -> None:
    for name, version in (("a", "6.1.141"), ("b", "6.1.141"), ("c", "6.1.99")):
        cluster.add(FakeNode(name, kernel_version=version))
    report = run("--read-only", "--json")
    assert [node["status"] for node in report["nodes"]] == ["passed", "passed", "warning"]


def test_the_ami_by_the_label_of_eks(run: Callable[..., Any], cluster: FakeCluster, tmp_path: Path) -> None:
    cluster.add(FakeNode(labels={"eks.amazonaws.com/nodegroup-image": "ami-0fedcba9876543210"}))
    report = run("--read-only", "--json", "--record", str(write_record(tmp_path)), code=8)
    ami = findings(checks(report)["image"])["AMI"]
    assert (ami["status"], ami["observed"]) == ("failed", "ami-0fedcba9876543210")


def test_without_an_aws_login_the_ami_is_skipped(run: Callable[..., Any], cluster: FakeCluster, tmp_path: Path) -> None:
    cluster.add(FakeNode(provider_id="aws:///eu-west-1a/i-0123456789abcdef0"))
    report = run("--read-only", "--json", "--record", str(write_record(tmp_path)))
    ami = findings(checks(report)["image"])["AMI"]
    assert ami["status"] == "skipped"
    assert "credentials" in ami["why"]


def test_read_only_makes_nothing(run: Callable[..., Any], cluster: FakeCluster) -> None:
    cluster.add(FakeNode())
    run("--read-only")
    assert all(request.startswith("GET ") for request in cluster.requests)


@pytest.mark.slow
def test_forbidden_proxy_degrades_to_what_the_probes_show(
    run: Callable[..., Any], cluster: FakeCluster, tmp_path: Path
) -> None:
    cluster.add(FakeNode())
    cluster.faults.append(forbidden("/proxy/", "nodes/proxy"))
    told = run()
    assert "the cluster forbids GET /api/v1/nodes/node-1/proxy/configz" in told
    assert "brqos verify --rbac" in told
    assert "nothing can be predicted" in told
    report = run("--json", "--record", str(write_record(tmp_path)))
    assert [entry["status"] for entry in checks(report)["effect"]["compared"]] == ["passed"] * 4
    assert "no answer" in run("--read-only", code=9)
    cluster.nodes["node-1"].kernel = Kernel(gate=False)
    assert "nothing but limits" in run(code=8)


def test_a_user_who_may_make_no_pods(run: Callable[..., Any], cluster: FakeCluster) -> None:
    cluster.add(FakeNode())
    cluster.allows = lambda method, _path: method == "GET"
    assert "Or leave the probes out with --read-only." in run(code=9)


def test_a_quota_that_refuses_a_probe(run: Callable[..., Any], cluster: FakeCluster) -> None:
    cluster.add(FakeNode())
    why = 'pods "x" is forbidden: failed quota: q: must specify limits.memory for: probe'
    cluster.faults.append(Fault("POST", status=403, reason="Forbidden", message=why, skip=3, times=1))
    report = run("--json", "--probe-only", code=9)
    finding = checks(report)["effect"]["findings"][0]
    assert finding["observed"] == "the namespace team refuses the pod"
    assert finding["why"].endswith(why)
    assert len(checks(report)["effect"]["compared"]) == 3


def test_the_permissions_that_are_printed_are_enough(run: Callable[..., Any], cluster: FakeCluster) -> None:
    cluster.add(FakeNode())
    add_workload(cluster, "web", {"requests": {"memory": "64Mi"}})
    rules: set[tuple[str, str]] = set()
    for document in YAML(typ="safe").load_all(run("--rbac", "--exec", "--namespace", "team")):
        for rule in document.get("rules", []):
            rules |= {(verb, resource) for verb in rule["verbs"] for resource in rule["resources"]}

    def allowed(method: str, path: str) -> bool:
        if not path.startswith("/api/v1/"):
            return True
        parts = path.removeprefix("/api/v1/").split("/")
        if parts[0] == "namespaces":
            parts = parts[2:]
        resource = "/".join([parts[0], *parts[2:3]])
        one = len(parts) > 1
        verbs = {"POST": "create", "DELETE": "delete" if one else "deletecollection", "GET": "get" if one else "list"}
        verb = verbs[method]
        return (verb, resource) in rules

    cluster.allows = allowed
    run("--exec")
    rules.clear()
    assert "forbids" in run("--exec", code=9)


def test_a_probe_that_never_starts_is_told_with_its_events(run: Callable[..., Any], cluster: FakeCluster) -> None:
    cluster.add(FakeNode())
    message = 'Back-off pulling image "public.ecr.aws/docker/library/busybox"'
    cluster.stuck["-burstable"] = {"waiting": {"reason": "ImagePullBackOff", "message": message}}
    event = {"type": "Warning", "reason": "Failed", "message": "dial tcp 1.2.3.4:443: i/o timeout"}

    def tell(_request: str) -> None:
        for pod in cluster.left():
            cluster.events[pod] = [{**event, "metadata": {"name": "e"}}]

    cluster.on_request = tell
    told = run("--probe-only", "--probe-timeout", "2", code=9)
    assert "probe Burstable without a limit" in told
    assert "it did not end within 2 seconds" in told
    assert "ImagePullBackOff: Back-off pulling image" in told
    assert "Warning Failed: dial tcp 1.2.3.4:443: i/o timeout" in told
    assert "--pull-secret" in told


def _state(state: Any) -> Any:
    return {"containerStatuses": [{"name": "probe", "state": state}]}


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ({"phase": "Failed", "reason": "OutOfmemory", "message": "not enough"}, "has no room for"),
        (_state({"terminated": {"exitCode": 128, "reason": "StartError"}}), "needs a shell"),
    ],
)
def test_a_probe_that_fails(run: Callable[..., Any], cluster: FakeCluster, status: Any, words: str) -> None:
    cluster.add(FakeNode())
    cluster.failing["-guaranteed"] = status
    assert words in run("--probe-only", code=9)


@pytest.mark.parametrize(
    ("log", "words", "code"),
    [("hello\n", "does not begin as a probe's", 9), ("=== brqos-probe 1\n=== end\n", "There is no cgroup v2", 8)],
)
def test_wrong_answers_of_a_probe(
    run: Callable[..., Any], cluster: FakeCluster, log: str, words: str, code: int
) -> None:
    cluster.add(FakeNode())
    cluster.logs["-besteffort"] = log
    assert words in run("--probe-only", code=code)


def test_wrong_values_are_differences(run: Callable[..., Any], cluster: FakeCluster) -> None:
    cluster.add(
        FakeNode(kernel=Kernel(factor=0.8), configz={"featureGates": {"MemoryQoS": True}, "cgroupDriver": "systemd"})
    )
    report = run("--json", "--probe-only", code=8)
    failed = [entry for entry in checks(report)["effect"]["compared"] if entry["status"] == "failed"]
    assert [entry["pod"] for entry in failed] == ["probe Burstable with a limit", "probe Burstable without a limit"]


@pytest.mark.slow
def test_slow_and_lost_logs(run: Callable[..., Any], cluster: FakeCluster) -> None:
    cluster.add(FakeNode())
    cluster.faults.append(Fault("-guaranteed/log", delay=3))
    assert "did not answer in time" in run("--probe-only", "--request-timeout", "1", code=9)
    cluster.faults[:] = [Fault("-guaranteed/log", drop=True, times=2)]
    run("--probe-only")


def test_a_node_that_goes_away_in_the_middle(run: Callable[..., Any], cluster: FakeCluster) -> None:
    cluster.add(FakeNode("a"))
    cluster.add(FakeNode("b"))
    cluster.lingers = True

    def vanish(request: str) -> None:
        if request.endswith("/log"):
            cluster.nodes.pop("b", None)

    cluster.on_request = vanish
    # A probe that had not ended by then is waited for as long as any other.
    report = run("--json", "--probe-only", "--probe-timeout", "3", code=9)
    assert checks(report, 0)["effect"]["status"] == "passed"
    finding = checks(report, 1)["effect"]["findings"][0]
    assert finding["observed"] == "the node b has gone"


def test_a_node_that_stops_being_ready_in_the_middle(run: Callable[..., Any], cluster: FakeCluster) -> None:
    node = cluster.add(FakeNode())
    cluster.lingers = True

    def stop(request: str) -> None:
        node.ready = node.ready and not request.endswith("/log")

    cluster.on_request = stop
    told = run("--probe-only", "--probe-timeout", "3", code=9)
    assert "the node node-1 is not ready" in told
    assert "Kubelet stopped posting node status" in told


def test_a_node_that_is_not_ready_gets_no_probes(run: Callable[..., Any], cluster: FakeCluster) -> None:
    cluster.add(FakeNode(ready=False))
    assert "the node node-1 is not ready" in run("--probe-only", code=9)
    assert cluster.created == []


def test_probes_that_somebody_removes(run: Callable[..., Any], cluster: FakeCluster) -> None:
    cluster.add(FakeNode())
    cluster.seconds_to_end = 60

    def remove(request: str) -> None:
        if request == "GET /api/v1/namespaces/team/pods" and len(cluster.left()) == 4:
            cluster.pods.clear()

    cluster.on_request = remove
    assert "it was removed by somebody else" in run("--probe-only", code=9)


def test_a_cluster_that_is_lost_in_the_middle_leaves_its_words(
    kubeconfig: Path, cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("brqos.verify.probing.PATIENCE_SECONDS", 2.0)
    cluster.add(FakeNode())
    cluster.faults.append(Fault("(GET|DELETE) /api/v1/namespaces/team/pods", drop=True, skip=1))
    result = CliRunner().invoke(app, ["verify", "--probe-only", "--probe-timeout", "3"])
    assert result.exit_code == 9
    assert "the cluster cannot be reached" in result.stdout
    assert "4 probe pod(s) could not be removed" in result.stderr
    assert "kubectl delete pods --namespace=team --selector=brqos/run=" in result.stderr


def test_no_cluster_is_9_and_no_kubectl_is_4(
    run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "kubectl does not know which cluster to ask" in run("--context", "other", code=9)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "the program “kubectl” is not installed" in run(code=4)


def add_workload(
    cluster: FakeCluster, name: str, resources: Any, *, started: float = 60, node: str = "node-1", **files: str
) -> None:
    """A running pod, started so many seconds after the kubelet; exec reads what the kernel has, but for `files`."""
    pod: dict[str, Any] = {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {"name": name, "namespace": "team", "labels": {}},
        "spec": {"nodeName": node, "containers": [{"name": "app", "image": "i", "resources": resources}]},
        "status": {
            "phase": "Running",
            "containerStatuses": [{"name": "app", "state": {"running": {"startedAt": _time(started)}}}],
        },
    }
    cluster.pods["team", name] = pod
    defaults = {
        **cluster.nodes[node].kernel.files(pod, pod["spec"]["containers"][0]),
        "memory.current": "1048576",
        "memory.events": "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\n",
        "memory.stat": "anon 524288\nfile 524288\n",
        "memory.pressure": "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
    }
    given = {name.replace("_", ".", 1): text for name, text in files.items()}
    cluster.files["team", name, "app"] = {file: f"{text}\n" for file, text in {**defaults, **given}.items()}


def _time(after: float) -> str:
    from datetime import timedelta

    return (KUBELET_STARTED + timedelta(seconds=after)).isoformat().replace("+00:00", "Z")


def test_exec_compares_the_workloads_and_names_those_from_before(run: Callable[..., Any], cluster: FakeCluster) -> None:
    cluster.add(FakeNode())
    old = {"memory_min": "0", "memory_low": "0", "memory_high": "max"}
    add_workload(cluster, "new", {"requests": {"memory": "64Mi"}, "limits": {"memory": "128Mi"}})
    add_workload(cluster, "old", {"requests": {"memory": "64Mi"}, "limits": {"memory": "128Mi"}}, started=-60, **old)
    add_workload(cluster, "distroless", {"requests": {"memory": "64Mi"}})
    del cluster.files["team", "distroless", "app"]
    report = run("--read-only", "--exec", "--json")
    entries = {entry["pod"]: entry for entry in checks(report)["workloads"]["compared"]}
    assert entries["new"]["status"] == "passed"
    assert entries["new"]["observed"]["memory_high"] == 127504384
    assert entries["old"]["status"] == "warning"
    assert "created before this kubelet started" in entries["old"]["remark"]
    assert "the image has no cat" in entries["distroless"]["remark"]
    assert all(command[2] == "cat" for command in cluster.execs)
    add_workload(cluster, "wrong", {"requests": {"memory": "64Mi"}, "limits": {"memory": "128Mi"}}, **old)
    assert "wrong" in run("--read-only", "--exec", code=8)


def test_a_throttled_leak_and_a_kill_are_flagged(run: Callable[..., Any], cluster: FakeCluster) -> None:
    cluster.add(FakeNode())
    events = "low 0\nhigh {high}\nmax 0\noom 0\noom_kill {kill}\n"
    leak = {"memory_stat": "anon 120000000\nfile 4096\n", "memory_events": events.format(high=100, kill=0)}
    add_workload(cluster, "leak", {"limits": {"memory": "128Mi"}, "requests": {"memory": "64Mi"}}, **leak)
    cache = {"memory_stat": "anon 4096000\nfile 110000000\n", "memory_events": events.format(high=100, kill=0)}
    add_workload(cluster, "cache", {"limits": {"memory": "128Mi"}, "requests": {"memory": "64Mi"}}, **cache)
    add_workload(cluster, "killed", {"requests": {"memory": "64Mi"}}, memory_events=events.format(high=0, kill=3))

    def grow(request: str) -> None:
        for name in ("leak", "cache"):
            if request.endswith(f"{name}/exec"):
                files = cluster.files["team", name, "app"]
                high = int(re.search(r"high (\d+)", files["memory.events"])[1])  # type: ignore[index]
                files["memory.events"] = events.format(high=high + 500, kill=0)

    cluster.on_request = grow
    report = run("--read-only", "--exec", "--json")
    found = findings(checks(report)["pressure"])
    assert "looks like a leak that is being throttled" in found["team/leak/app"]["why"]
    assert found["team/leak/app"]["status"] == "warning"
    assert found["team/cache/app"]["status"] == "passed"
    assert found["team/killed/app"]["observed"] == "oom_kill 3"


@pytest.mark.parametrize(
    "words",
    [
        ("--probe-only", "--read-only"),
        ("--probe-only", "--exec"),
        ("--read-only", "--image", "x"),
        ("--node", "a", "--selector", "b=c"),
        ("--pods", "x"),
        ("--cgroup-root", "x"),
        ("--cgroup-root", "x", "--pods", "y", "--exec"),
    ],
)
def test_options_that_do_not_go_together(run: Callable[..., Any], words: tuple[str, ...]) -> None:
    run(*words, code=2)


# What follows needs a process of its own: it is interrupted, or killed.


def _started(kubeconfig: Path, *words: str) -> subprocess.Popen[str]:
    code = (
        "import sys, typer; from brqos.cli.verify import verify\n"
        "app = typer.Typer(); app.command()(verify); app.callback()(lambda: None)\n"
        "sys.argv[0] = 'brqos'; app()"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, "verify", "--probe-only", f"--kubeconfig={kubeconfig}", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ},
    )


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize(("number", "made"), [(signal.SIGINT, 1), (signal.SIGTERM, 3), (signal.SIGHUP, 4)])
def test_an_interrupt_leaves_nothing(kubeconfig: Path, cluster: FakeCluster, number: signal.Signals, made: int) -> None:
    cluster.add(FakeNode())
    cluster.seconds_to_end = 600
    running = _started(kubeconfig)
    _wait_for(lambda: len(cluster.created) >= made)
    running.send_signal(number)
    # A second one, while the probes are being removed, must not stop that.
    _wait_for(lambda: any(request.startswith("DELETE") for request in cluster.requests))
    running.send_signal(number)
    _, told = running.communicate(timeout=30)
    assert running.returncode == 130, told
    assert "Traceback" not in told
    assert cluster.left() == []


@pytest.mark.slow
def test_a_later_run_removes_what_a_crash_left(kubeconfig: Path, cluster: FakeCluster) -> None:
    cluster.add(FakeNode())
    cluster.seconds_to_end = 600
    killed = _started(kubeconfig)
    _wait_for(lambda: len(cluster.created) == 4)
    killed.kill()
    killed.communicate(timeout=30)
    assert len(cluster.left()) == 4
    living = _started(kubeconfig)
    _wait_for(lambda: len(cluster.created) == 8)
    others = set(cluster.left())
    assert len(others) == 4
    # A third run, while the second still waits for its probes: those are not its to remove.
    cluster.seconds_to_end = 0.1
    held = {name: pod for (_, name), pod in cluster.pods.items() if name in others}
    for pod in held.values():
        cluster.stuck[pod["metadata"]["name"]] = {"waiting": {"reason": "ContainerCreating"}}
    third = _started(kubeconfig)
    _, told = third.communicate(timeout=60)
    assert third.returncode == 0, told
    assert set(cluster.left()) == others
    living.send_signal(signal.SIGINT)
    living.communicate(timeout=30)
    assert cluster.left() == []
