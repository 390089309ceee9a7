import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from brqos.cli.verify import verify
from brqos.errors import ConfigurationError
from brqos.verify.offline import allocatable_of, read_pods
from brqos.verify.tree import read_tree
from kube.kernel import Kernel
from verify.trees import EVENTS, folders, pod_object, sample_pods, write_cgroup, write_node

app = typer.Typer()
app.command()(verify)
app.callback()(lambda: None)

Run = Callable[..., Any]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "cgroup"


@pytest.fixture
def run(root: Path) -> Run:
    def call(file: Path, *words: str, code: int = 0) -> Any:
        given = ["verify", "--cgroup-root", str(root), "--pods", str(file), "--kubernetes", "1.29", "--json", *words]
        result = CliRunner().invoke(app, given)
        assert result.exit_code == code, f"exit {result.exit_code}\n{result.stdout}\n{result.stderr}"
        return json.loads(result.stdout) if result.stdout else result.stderr

    return call


def entries(report: Any) -> dict[str, Any]:
    found = report["nodes"][0]["checks"][0]["compared"]
    return {"/".join(filter(None, (entry["pod"], entry["container"]))): entry for entry in found}


@pytest.mark.parametrize("driver", ["systemd", "cgroupfs"])
def test_the_worked_table_of_1_29(root: Path, run: Run, driver: str) -> None:
    report = run(write_node(root, sample_pods(), Kernel(allocatable=7516192768), driver))
    assert report["status"] == "passed"
    found = entries(report)
    assert found["limited/app"]["observed"]["memory_high"] == 199229440
    assert found["unlimited/app"]["observed"]["memory_high"] == 6775058432
    assert found["free/app"]["observed"]["memory_high"] == "max"
    assert found["kubepods"]["observed"]["memory_min"] == 419430400
    assert found["burstable"]["observed"]["memory_min"] == 209715200
    assert len(found) == 4 * 2 + 3


def test_a_wrong_value_anywhere_is_found(root: Path, run: Run) -> None:
    pods = sample_pods()
    file = write_node(root, pods, Kernel())
    folder, container = folders(root, pods[1])
    (container / "memory.high").write_text("199229441\n")
    report = run(file, code=8)
    assert [name for name, entry in entries(report).items() if entry["status"] == "failed"] == ["limited/app"]
    (container / "memory.high").write_text("199229440\n")
    (folder / "memory.min").write_text("4096\n")
    assert [n for n, entry in entries(run(file, code=8)).items() if entry["status"] == "failed"] == ["limited"]


def test_a_pod_from_before_is_named_and_a_node_without_any_fails(root: Path, run: Run) -> None:
    pods = sample_pods()
    file = write_node(root, pods, Kernel())
    for folder in folders(root, pods[1]):
        write_cgroup(folder, {"memory.min": "0", "memory.low": "0", "memory.high": "max", "memory.max": "209715200"})
    report = run(file)
    assert report["status"] == "warning"
    assert "created before the gate was on" in entries(report)["limited/app"]["remark"]
    write_node(root, pods, Kernel(gate=False))
    report = run(file, code=8)
    assert report["nodes"][0]["checks"][0]["findings"][1]["observed"] == "none of them has any"


def test_a_throttled_leak_is_flagged_by_one_look(root: Path, run: Run) -> None:
    pods = sample_pods()
    file = write_node(root, pods, Kernel())
    values = {"memory.min": "104857600", "memory.low": "0", "memory.high": "199229440", "memory.max": "209715200"}
    leaking = {"memory_current": "199229440", "memory_events": EVENTS.replace("high 0", "high 9000")}
    write_cgroup(folders(root, pods[1])[1], values, **leaking, memory_stat="anon 198000000\nfile 4096\n")
    report = run(file)
    pressure = report["nodes"][0]["checks"][1]["findings"]
    assert [finding["what"] for finding in pressure] == ["team/limited/app"]
    assert "leak" in pressure[0]["why"]


def test_pods_of_other_nodes_and_pods_that_the_file_lacks(root: Path, run: Run) -> None:
    pods = sample_pods()
    file = write_node(root, pods, Kernel())
    other = pod_object(9, "other", {}, node="node-2")
    file.write_text(json.dumps({"items": [*pods[:3], other]}))
    report = run(file, "--node", "node-1")
    finding = report["nodes"][0]["checks"][0]["findings"][0]
    assert (finding["status"], finding["observed"]) == ("warning", "3 of 3 are in the tree")
    assert "kubepods" not in entries(report)
    file.write_text(json.dumps({"items": [other]}))
    assert "same node" in run(file, code=8)["nodes"][0]["checks"][0]["findings"][0]["why"]


def test_a_static_pod_is_found_by_the_hash_of_its_file(root: Path, run: Run) -> None:
    pods = sample_pods()
    file = write_node(root, pods, Kernel())
    pods[0]["metadata"]["annotations"] = {"kubernetes.io/config.hash": pods[0]["metadata"]["uid"].replace("-", "")}
    pods[0]["metadata"]["uid"] = "99999999-1111-2222-3333-444444444444"
    file.write_text(json.dumps({"items": pods}))
    assert "kubepods" in entries(run(file))


def test_a_copy_that_lacks_files_is_not_answered(root: Path, run: Run) -> None:
    pods = sample_pods()
    file = write_node(root, pods, Kernel())
    (folders(root, pods[2])[1] / "memory.low").unlink()
    report = run(file, code=9)
    assert entries(report)["unlimited/app"]["status"] == "unanswered"


def test_allocatable_is_read_from_the_tree_or_given(root: Path, run: Run) -> None:
    file = write_node(root, sample_pods(), Kernel(allocatable=7 * 2**30))
    assert allocatable_of(root) == 7 * 2**30
    run(file, "--allocatable", "7Gi")
    report = run(file, "--allocatable", "8Gi", code=8)
    assert {name for name, entry in entries(report).items() if entry["status"] == "failed"} == {
        "unlimited/app",
        "kubepods",
    }
    assert "is not an amount" in run(file, "--allocatable", "7 GB", code=3)
    (root / "kubepods.slice" / "memory.max").write_text("max\n")
    assert allocatable_of(root) is None
    assert "needs --allocatable" in run(file, code=2)


def test_settings_that_no_kubelet_takes(root: Path, run: Run) -> None:
    file = write_node(root, sample_pods(), Kernel())
    assert "not in the range" in run(file, "--factor", "1.5", code=3)
    assert "knows no memoryReservationPolicy" in run(file, "--policy", "TieredReservation", code=3)
    assert "is not a memoryReservationPolicy" in run(file, "--policy", "All", code=3)


def test_bad_input_is_told(tmp_path: Path, root: Path, run: Run) -> None:
    file = write_node(root, sample_pods(), Kernel())
    for text, words in (("{", "cannot be read as JSON"), ("[]", "holds no pods"), ('{"items": [1]}', "holds no pods")):
        bad = tmp_path / "bad.json"
        bad.write_text(text)
        with pytest.raises(ConfigurationError, match=words):
            read_pods(bad)
    pods = sample_pods()
    pods[0]["spec"]["containers"][0]["resources"] = {"requests": {"memory": "lots"}}
    file.write_text(json.dumps({"items": pods}))
    assert "spec.containers[0].resources.requests.memory" in run(file, code=3)
    with pytest.raises(ConfigurationError, match="holds no cgroups of pods"):
        read_tree(folders(root, pods[1])[1])
    with pytest.raises(ConfigurationError, match="not a folder"):
        read_tree(tmp_path / "absent")
