"""`brqos explain`, as scripts and people call it."""

import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from brqos.architecture import Architecture
from brqos.cli.explain import explain
from brqos.config.model import BuildSpec, Delivery
from brqos.record import BuildRecord, UpstreamRecord
from explain.inputs import FOUR_PODS, deployment
from kube.fake import FakeCluster, FakeNode, serving
from kube.faults import forbidden
from kube.kernel import Kernel

app = typer.Typer(pretty_exceptions_enable=False)
app.command()(explain)

NODE = ("--kubernetes", "1.29", "--allocatable", "7Gi")


class Result:
    def __init__(self, *words: str, stdin: str | None = None, code: int = 0) -> None:
        result = CliRunner().invoke(app, words, input=stdin)
        assert result.exit_code == code, f"exit {result.exit_code}\n{result.stdout}\n{result.stderr}"
        assert "Traceback" not in result.output
        self.out, self.err = result.stdout, result.stderr
        if code:
            assert self.out == ""
            assert self.err.count("error: ") == 1, self.err

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pods.yaml").write_text(FOUR_PODS, encoding="utf-8")
    return tmp_path


def high(result: Result) -> list[int | str]:
    return [each["memory_high"] for each in result.json["containers"]]


def test_the_promised_json() -> None:
    found = Result("-f", "pods.yaml", *NODE, "--json").json
    assert list(found)[:2] == ["kubernetes", "gate"]
    assert {"kubernetes", "factor", "policy", "allocatable_bytes", "containers", "pods", "qos"} <= found.keys()
    assert (found["kubernetes"], found["factor"], found["policy"]) == ("1.29", 0.9, None)
    keys = {"namespace", "pod", "container", "kind", "qos_class", "why", "warnings"}
    values = {"memory_min", "memory_low", "memory_high", "memory_max"}
    assert all(keys | values <= each.keys() for each in found["containers"])
    assert found["containers"][1]["memory_high"] == 199229440
    assert found["pods"][0]["memory_min"] == 209715200
    assert found["qos"]["kubepods"]["memory_min"] == 419430400


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--kubernetes", "1.26"), ["max", 167772160, 6012952576, 6012952576]),
        (("--kubernetes", "1.29"), ["max", 199229440, 6775058432, "max"]),
        (("--kubernetes", "v1.29.15-eks-473151a"), ["max", 199229440, 6775058432, "max"]),
        (("--kubernetes", "1.36"), ["max", 199229440, 6775058432, "max"]),
        (("--kubernetes", "1.37"), ["max", "max", "max", "max"]),
        (("--kubernetes", "1.37", "--factor", "0.9"), ["max", 199229440, 6775058432, 6764572672]),
        (("--kubernetes", "1.29", "--gate", "off"), ["max", "max", "max", "max"]),
        (("--kubernetes", "1.29", "--factor", "1"), ["max", 209715200, 7516192768, "max"]),
    ],
)
def test_flags_and_the_kubelets_own_defaults(words: tuple[str, ...], expected: list[int | str]) -> None:
    result = Result("-f", "pods.yaml", "--allocatable", "7Gi", *words, "--json")
    assert high(result) == expected
    assert "the kubelet's own defaults" in result.json["settings"]


def test_tiers() -> None:
    found = Result(
        "-f", "pods.yaml", "--kubernetes", "1.36", "--policy", "TieredReservation", "--allocatable", "7Gi", "--json"
    ).json
    assert [(each["memory_min"], each["memory_low"]) for each in found["containers"]] == [
        (209715200, 0),
        (0, 104857600),
        (0, 104857600),
        (0, 0),
    ]
    assert found["policy"] == "TieredReservation"


@pytest.mark.parametrize(
    ("words", "bytes_"),
    [
        (("--allocatable", "7Gi"), 7 * 2**30),
        (("--node-allocatable", "7Gi"), 7 * 2**30 + 100 * 2**20),
        (("--node-allocatable", "7Gi", "--eviction-hard", "200Mi"), 7 * 2**30 + 200 * 2**20),
        (("--node-allocatable", "7Gi", "--eviction-hard", "memory.available=200Mi"), 7 * 2**30 + 200 * 2**20),
        (("--node-allocatable", "7Gi", "--eviction-hard", "10%", "--capacity", "8Gi"), 7 * 2**30 + 858993472),
        (("--capacity", "8Gi", "--kube-reserved", "memory=1Gi"), 7 * 2**30),
        (("--instance-type", "m5.large"), 8 * 2**30 - 574 * 2**20),
    ],
)
def test_the_nodes_memory_by_each_way(words: tuple[str, ...], bytes_: int) -> None:
    found = Result("-f", "pods.yaml", "--kubernetes", "1.29", *words, "--json").json
    assert found["allocatable_bytes"] == bytes_
    assert found["estimate"] is ("--instance-type" in words)


def test_several_files_a_folder_and_standard_input(folder: Path) -> None:
    (folder / "more").mkdir()
    (folder / "more" / "web.yaml").write_text(deployment("{}", name="in-folder"), encoding="utf-8")
    found = Result("-f", "pods.yaml", "-f", "more", "-f", "-", *NODE, "--json", stdin=deployment("{}")).json
    assert [each["pod"] for each in found["pods"]][-2:] == ["in-folder", "web"]
    assert len(found["pods"]) == 6


def test_people_get_tables_bars_reasons_and_warnings() -> None:
    result = Result("-f", "pods.yaml", *NODE)
    assert "Kubernetes 1.29, MemoryQoS on, memoryThrottlingFactor 0.9" in result.out
    line = next(line for line in result.out.splitlines() if line.startswith("default/no-limit"))
    assert line.split()[2:6] == ["Burstable", "100Mi", "-", "6.31Gi"]
    assert line.rstrip().endswith("~>")
    assert "/sys/fs/cgroup/kubepods.slice/kubepods-burstable.slice" in result.out
    assert "default/burstable app: memory.min = request 100Mi (104857600)" in result.out
    assert "warning: default/best-effort app: not throttled" in result.err


def test_settings_from_a_build_record(folder: Path) -> None:
    time = datetime(2026, 1, 1, tzinfo=UTC)
    record = BuildRecord(
        id="a",
        created=time,
        updated=time,
        spec=BuildSpec(variant="aws-k8s-1.36", arch=Architecture.X86_64),
        variant="aws-k8s-1.36-memoryqos",
        delivery=Delivery.DROP_IN,
        upstream=UpstreamRecord(repository="r", ref="v1.60.0", commit="c" * 40, release="1.60.0"),
        overlay_commit="d" * 40,
        work_tree="/somewhere",
        files=(),
        kubelet_configuration={
            "featureGates": {"MemoryQoS": True},
            "memoryThrottlingFactor": 0.8,
            "memoryReservationPolicy": "TieredReservation",
        },
    )
    file = folder / "build.json"
    file.write_text(record.model_dump_json(), encoding="utf-8")
    found = Result("-f", "pods.yaml", "--record", "build.json", "--allocatable", "7Gi", "--json").json
    assert (found["kubernetes"], found["factor"], found["policy"]) == ("1.36", 0.8, "TieredReservation")
    assert found["settings"] == "the build a"
    found = Result("-f", "pods.yaml", "--record", "build.json", *NODE, "--json").json
    assert (found["kubernetes"], found["factor"], found["policy"]) == ("1.29", 0.8, None)


def test_settings_from_a_saved_configz(folder: Path) -> None:
    content = {
        "kubeletconfig": {"featureGates": {"MemoryQoS": True}, "memoryThrottlingFactor": 0.5, "cgroupRoot": "/x"}
    }
    (folder / "configz.json").write_text(json.dumps(content), encoding="utf-8")
    found = Result("-f", "pods.yaml", "--configz", "configz.json", *NODE, "--json").json
    assert found["factor"] == 0.5
    assert found["qos"]["kubepods"]["cgroup"] == "/sys/fs/cgroup/x.slice/x-kubepods.slice"


def test_comparing_the_gate_and_versions() -> None:
    found = Result("-f", "pods.yaml", *NODE, "--compare", "gate", "--json").json
    assert [each["label"] for each in found["compare"]] == ["gate off", "gate on"]
    assert found["changes"][1]["gained"] == ["memory.min 100Mi", "throttling at memory.high 190Mi"]
    result = Result("-f", "pods.yaml", *NODE, "--compare", "1.35,1.36,1.37")
    assert "memory.min 200Mi" in result.out
    assert "LOSES" in result.out
    result = Result("-f", "pods.yaml", *NODE, "--compare", "1.28,1.29")
    assert "Nothing changes for any of these containers." in result.out


def test_a_page_is_written(folder: Path) -> None:
    result = Result("-f", "pods.yaml", *NODE, "--html", "out/page.html", "--json")
    assert result.json["kubernetes"] == "1.29"
    assert (folder / "out" / "page.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    Result("-f", "pods.yaml", *NODE, "--compare", "gate", "--html", "out/page.html")
    assert "<h2>gate off</h2>" in (folder / "out" / "page.html").read_text(encoding="utf-8")
    Result("-f", "pods.yaml", *NODE, "--html", "pods.yaml", code=3)
    assert (folder / "pods.yaml").read_text(encoding="utf-8") == FOUR_PODS


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (NODE, 2, "either from manifests or from the cluster"),
        (("-f", "pods.yaml", "--live", *NODE), 2, "either from manifests or from the cluster"),
        (("-f", "pods.yaml", "--kubernetes", "1.29"), 2, "exactly one way"),
        (("-f", "pods.yaml", *NODE, "--instance-type", "m5.large"), 2, "exactly one way"),
        (
            ("-f", "pods.yaml", *NODE, "--eviction-hard", "100Mi"),
            2,
            "--eviction-hard says nothing",
        ),
        (("-f", "pods.yaml", *NODE, "--max-pods", "20"), 2, "--max-pods says nothing"),
        (("-f", "pods.yaml", *NODE, "--kube-reserved", "1Gi"), 2, "--kube-reserved says nothing"),
        (("-f", "pods.yaml", *NODE, "--all-namespaces"), 2, "--live only"),
        (("-f", "pods.yaml", *NODE, "--gate", "yes"), 2, "--gate takes on or off"),
        (("-f", "pods.yaml", *NODE, "--compare", "1.29"), 2, "--compare does not take"),
        (("-f", "pods.yaml", *NODE, "--configz", "x", "--record", "y"), 2, "both tell"),
        (("-f", "pods.yaml", "--allocatable", "7Gi"), 3, "version is not known"),
        (("-f", "pods.yaml", "--allocatable", "7Gi", "--kubernetes", "new"), 3, "not a Kubernetes version"),
        (("-f", "pods.yaml", "--allocatable", "7Gi", "--kubernetes", "1.21"), 3, "has no MemoryQoS"),
        (("-f", "pods.yaml", "--allocatable", "7GB", "--kubernetes", "1.29"), 3, "--allocatable: “7GB”"),
        (("-f", "pods.yaml", *NODE, "--factor", "0"), 3, "not in the range"),
        (("-f", "pods.yaml", *NODE, "--factor", "nan"), 3, "not in the range"),
        (("-f", "pods.yaml", *NODE, "--policy", "TieredReservation"), 3, "knows no memoryReservationPolicy"),
        (("-f", "pods.yaml", *NODE, "--policy", "tiered"), 3, "not a memoryReservationPolicy"),
        (("-f", "no.yaml", *NODE), 3, "there is no file no.yaml"),
        (("-f", "pods.yaml", "--kubernetes", "1.29", "--instance-type", "m5.huge"), 3, "m5.huge"),
        (("-f", "pods.yaml", *NODE, "--configz", "no.json"), 3, "cannot be read"),
        (("-f", "pods.yaml", *NODE, "--record", "no.json"), 3, "there is no build record"),
    ],
)
def test_wrong_words_get_one_message(words: tuple[str, ...], code: int, message: str) -> None:
    assert message in Result(*words, code=code).err


def test_a_bad_amount_is_refused_with_file_line_path_and_text(folder: Path) -> None:
    (folder / "web.yaml").write_text("# web\n" + deployment("{limits: {memory: 1Gb}}"), encoding="utf-8")
    found = Result("-f", "web.yaml", *NODE, "--json", code=3).err
    assert "web.yaml line 11: “1Gb” is not an amount in Kubernetes' notation" in found
    assert "spec.template.spec.containers[0].resources.limits.memory of Deployment web" in found


def test_standard_input_that_is_no_text_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe")))
    result = CliRunner().invoke(app, ["-f", "-", *NODE], input=b"\xff\xfe")
    assert result.exit_code == 3
    assert "not text in UTF-8" in result.stderr


@pytest.fixture
def cluster(folder: Path, tool: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCluster]:
    """A cluster with one node and its four pods, two of them in the context's own namespace."""
    tool("kubectl")
    one = FakeCluster()
    one.add(FakeNode(kernel=Kernel(allocatable=7 * 2**30)))
    with serving(one, folder) as file:
        monkeypatch.setenv("KUBECONFIG", str(file))
        for number, name in enumerate(("guaranteed", "burstable", "no-limit", "ended")):
            namespace = "team" if number < 2 else "other"
            resources = {"requests": {"memory": "100Mi"}, "limits": {"memory": "200Mi"}} if number else {}
            one.pods[namespace, name] = {
                "metadata": {"name": name, "namespace": namespace, "uid": f"u-{number}"},
                "spec": {"nodeName": "node-1", "containers": [{"name": "app", "resources": resources}]},
                "status": {"phase": "Succeeded" if name == "ended" else "Running"},
            }
        yield one


@pytest.mark.processes
@pytest.mark.loopback
def test_a_living_node_gives_version_settings_memory_and_pods(cluster: FakeCluster) -> None:
    found = Result("--live", "--node", "node-1", "--json").json
    assert (found["kubernetes"], found["factor"], found["gate"]) == ("1.29", 0.9, "on")
    assert found["allocatable_bytes"] == 7 * 2**30
    assert [each["pod"] for each in found["pods"]] == ["guaranteed", "burstable", "no-limit"]
    assert found["pods"][1]["cgroup"].endswith("/kubepods-burstable-podu_1.slice")
    assert found["settings"] == "the configz of node node-1"


@pytest.mark.processes
@pytest.mark.loopback
def test_living_pods_by_namespace(cluster: FakeCluster) -> None:
    def pods(*words: str) -> list[str]:
        return [each["pod"] for each in Result("--live", *words, *NODE, "--json").json["pods"]]

    assert pods() == ["guaranteed", "burstable"]
    assert pods("-n", "other") == ["no-limit"]
    assert pods("-A") == ["guaranteed", "burstable", "no-limit"]
    assert "no pods that run" in Result("--live", "-n", "empty", *NODE, code=3).err


@pytest.mark.processes
@pytest.mark.loopback
def test_manifests_on_a_living_node(cluster: FakeCluster) -> None:
    assert high(Result("-f", "pods.yaml", "--node", "node-1", "--json")) == ["max", 199229440, 6775058432, "max"]
    found = Result("-f", "pods.yaml", "--node", "node-1", "--kubernetes", "1.36", "--json").json
    assert found["kubernetes"] == "1.36"


@pytest.mark.processes
@pytest.mark.loopback
def test_a_cluster_that_does_not_answer_is_exit_9(cluster: FakeCluster) -> None:
    cluster.faults.append(forbidden("/proxy/configz"))
    Result("-f", "pods.yaml", "--node", "node-1", code=9)
    Result("-f", "pods.yaml", "--node", "nobody", code=9)
