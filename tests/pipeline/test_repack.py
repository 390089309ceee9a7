"""A repacked image on its way to AMI and nodes, and every later command on its record: against the emulator."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from brqos.cli.main import app
from brqos.record import StoredBuild, load
from brqos.rehearsal.emulator import Emulator
from image.repack.synthetic import SyntheticImage
from pipeline.repack_images import Images, changed_name
from pipeline.repack_images import images as images

pytestmark = [pytest.mark.processes, pytest.mark.loopback]
REGION = "eu-central-1"
MADE_BY_EKSCTL = {"alpha.eksctl.io/cluster-name": "prod"}
POD = {
    "metadata": {"name": "p", "namespace": "d", "uid": "a" * 8},
    "spec": {"containers": [{"name": "c", "resources": {"requests": {"memory": "1Gi"}, "limits": {"memory": "2Gi"}}}]},
}


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    with Emulator(any_key=True, delay=0.05) as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.endpoint)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE000000000")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
        yield running


@pytest.fixture
def image(images: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SyntheticImage:
    monkeypatch.chdir(tmp_path)
    return images.copied(tmp_path / "in")


def run(*words: object, code: int = 0) -> Any:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == code, f"exit {result.exit_code}\n{result.stdout}\n{result.stderr}"
    assert "Traceback" not in result.output
    return result


def repack(image: SyntheticImage, *words: object, code: int = 0) -> Any:
    return run("build", "--engine", "repack", "--image", image.os_image, "--json", *words, code=code)


@pytest.mark.slow
def test_with_own_keys_as_far_as_the_nodes(
    image: SyntheticImage, images: Images, emulator: Emulator, tmp_path: Path
) -> None:
    emulator.add_cluster(REGION, "prod", {"version": "1.30", "tags": MADE_BY_EKSCTL})
    words = ("--sbkeys-profile", images.profile(), "--region", REGION, "--cluster", "prod")
    made = json.loads(repack(image, *words).stdout)
    ami = made["amis"][REGION]["id"]
    registered = emulator.store.images[ami]
    assert registered.attributes["name"] == changed_name(made["build"]).replace("x86_64-", "x86_64-v")
    assert registered.attributes["bootMode"] == "uefi-preferred"
    assert registered.attributes["uefiData"] == (images.profile() / "efi-vars.aws").read_text().strip()
    assert f"ami: {ami}" in Path(made["nodegroup"]).read_text()

    again = repack(image, *words)
    assert json.loads(again.stdout) == made
    assert "repacked already" in again.stderr
    assert "registered already" in again.stderr
    assert emulator.calls["RegisterImage"] == 1

    carried = tmp_path / "carried"
    shutil.move(Path(made["record"]).parent, carried)
    other = json.loads(run("register", "--record", carried, "--region", "us-east-1", "--json").stdout)
    assert emulator.store.images[other["amis"]["us-east-1"]["id"]].attributes["uefiData"]
    written = run("nodegroup", "--record", carried, "--cluster", "prod", "--region", REGION)
    assert f"ami: {ami}" in written.stdout
    assert f"AWS says: {ami} is available and x86_64, Bottlerocket v1.55.0" in written.stderr
    _read_by_every_command(load(carried), tmp_path)


def _read_by_every_command(stored: StoredBuild, tmp_path: Path) -> None:
    told = run("status", "--record", stored.folder).stdout
    lines = {line.split("  ")[0]: line for line in told.splitlines()}
    assert "v1.55.0, 0a1b2c3d" in lines["upstream"]
    assert "repacked" in lines
    assert stored.record.repack is not None
    for source in stored.record.repack.inputs:
        assert source.sha256 in told
    assert "overlay" not in lines
    assert "generate" not in lines
    assert all(line.split()[1:] for line in lines.values())
    assert json.loads(run("status", "--record", stored.folder, "--json").stdout)["engine"] == "repack"

    pods = tmp_path / "pods.json"
    pods.write_text(json.dumps({"apiVersion": "v1", "kind": "Pod", **POD}))
    explained = run("explain", "--record", stored.folder, "-f", pods, "--allocatable", "7Gi", "--json")
    assert stored.record.id in explained.stdout
    # A copy of nothing: the record is read, and no pod is found.
    pods.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": []}))
    (tmp_path / "cgroup" / "kubepods.slice").mkdir(parents=True)
    words = ("--cgroup-root", tmp_path / "cgroup", "--pods", pods, "--allocatable", "7Gi", "--json")
    assert json.loads(run("verify", "--record", stored.folder, *words).stdout)["nodes"]


@pytest.mark.slow
def test_without_signatures_there_is_no_uefi_data(image: SyntheticImage, emulator: Emulator, tmp_path: Path) -> None:
    ran = repack(image, "--unsigned", "--region", REGION)
    made = json.loads(ran.stdout)
    registered = emulator.store.images[made["amis"][REGION]["id"]]
    assert registered.attributes["uefiData"] is None
    assert "Secure Boot switched off" in ran.stderr
    assert made["nodegroup"] is None
    emulator.add_cluster(REGION, "c", {"version": "1.30", "tags": MADE_BY_EKSCTL})
    # Without --build the latest is meant, and this one is none of a rehearsal.
    assert made["amis"][REGION]["id"] in run("nodegroup", "--cluster", "c", "--region", REGION).stdout

    # The same release and commit of upstream's, and other wishes: another image of another name.
    named = json.loads(repack(image, "--unsigned", "--factor", "0.5", "--region", REGION).stdout)
    assert named["amis"][REGION]["id"] != made["amis"][REGION]["id"]


@pytest.mark.slow
def test_an_image_that_is_only_uploaded_leaves_no_file(image: SyntheticImage, emulator: Emulator) -> None:
    words = ("--unsigned", "--stream")
    assert "needs a region" in repack(image, *words, code=3).stderr
    made = json.loads(repack(image, *words, "--region", REGION).stdout)
    assert [Path(item["file"]).exists() for item in made["images"]] == [False, False]
    assert made["images"][0]["file"].endswith(".img")
    again = repack(image, *words, "--region", REGION)
    assert "their image was uploaded as it was made" in again.stderr
    assert json.loads(again.stdout)["amis"] == made["amis"]
    assert emulator.calls["RegisterImage"] == 1
    # Another region needs the image once more.
    both = json.loads(repack(image, *words, "--region", REGION, "--region", "us-east-1").stdout)
    assert both["amis"][REGION]["id"] == made["amis"][REGION]["id"]
    assert set(both["amis"]) == {REGION, "us-east-1"}


def test_a_region_without_permission_is_told_before_anything_is_done(
    image: SyntheticImage, emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator.stop()
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    failed = repack(image, "--unsigned", "--region", REGION, code=4)
    assert "AWS" in failed.stderr
    assert not (tmp_path / ".brqos").exists()


def test_a_nodegroup_that_cannot_be_is_told_before_anything_is_done(image: SyntheticImage, tmp_path: Path) -> None:
    words = ("--unsigned", "--region", REGION, "--cluster", "c", "--instance-type", "m6g.large")
    assert "m6g.large" in repack(image, *words, code=3).stderr
    assert not (tmp_path / ".brqos").exists()
