"""Registering and writing the nodegroup from a record alone, as a later CI job does: through the command line."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from brqos.architecture import Architecture
from brqos.aws.ec2 import Ec2
from brqos.cli.main import app
from brqos.config.ami import AmiSpec
from brqos.config.model import BuildSpec, Delivery
from brqos.image.hashing import hash_image
from brqos.image.model import BuildResult, ImageRole
from brqos.monitor import Silent
from brqos.record import BuildRecord, StoredBuild, UpstreamRecord, load
from brqos.rehearsal.emulator import Emulator, Fault

pytestmark = pytest.mark.loopback
NAME = "bottlerocket-aws-k8s-1.29-memoryqos-x86_64-1.50.0-0123456789ab"


@pytest.fixture
def stored(tmp_path: Path) -> StoredBuild:
    """A real build's record with two small images."""
    folder = tmp_path / "carried"
    (folder / "images").mkdir(parents=True)
    images = []
    for role, suffix in ((ImageRole.OS, ""), (ImageRole.DATA, "-data")):
        file = folder / "images" / f"{NAME}{suffix}.img"
        file.write_bytes(role.value.encode() * 500_000)
        images.append(hash_image(role, file, Silent()).model_copy(update={"file": file.relative_to(folder)}))
    time = datetime(2026, 1, 1, tzinfo=UTC)
    record = BuildRecord(
        id="aws-k8s-1.29-memoryqos-x86_64-1.50.0-abcdef01",
        created=time,
        updated=time,
        spec=BuildSpec(variant="aws-k8s-1.29", arch=Architecture.X86_64, ami=AmiSpec(tags={"team": "platform"})),
        variant="aws-k8s-1.29-memoryqos",
        delivery=Delivery.DROP_IN,
        upstream=UpstreamRecord(repository="r", ref="v1.50.0", commit="c" * 40, release="1.50.0"),
        overlay_commit="d" * 40,
        work_tree="/gone",
        files=(),
        kubelet_configuration={},
        result=BuildResult(image_version="1.50.0-0123456789ab", images=tuple(images), secure_boot=False),
    )
    build = StoredBuild(folder, record)
    build.save()
    return build


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch):
    with Emulator(any_key=True, delay=0.05) as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.endpoint)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE000000000")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
        yield running


def run(*words: object, code: int = 0):
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == code, f"exit {result.exit_code}\n{result.stdout}\n{result.stderr}"
    return result


def test_a_carried_record_becomes_an_ami_and_a_nodegroup(stored: StoredBuild, emulator: Emulator) -> None:
    made = json.loads(run("register", "--record", stored.file, "--region", "eu-central-1", "--json").stdout)
    ami = made["amis"]["eu-central-1"]
    assert ami["created"] is True
    assert made["rehearsal"] is False
    assert load(stored.file).record.amis["eu-central-1"].id == ami["id"]
    made_by_eksctl = {"alpha.eksctl.io/cluster-name": "prod"}
    emulator.add_cluster("eu-central-1", "prod", {"version": "1.30", "tags": made_by_eksctl})
    written = run("nodegroup", "--record", stored.file, "--cluster", "prod")
    assert f"ami: {ami['id']}" in written.stdout
    assert "REHEARSAL" not in written.stdout
    assert f"AWS says: {ami['id']} is available and x86_64, Bottlerocket v1.50.0" in written.stderr


def test_nothing_is_registered_twice(stored: StoredBuild, emulator: Emulator) -> None:
    run("register", "--record", stored.file, "--region", "eu-central-1")
    calls = emulator.calls["RegisterImage"]
    again = run("register", "--record", stored.file, "--region", "eu-central-1")
    assert "registered already" in again.stderr
    assert emulator.calls["RegisterImage"] == calls == 1


def test_one_regions_failure_does_not_hide_the_others_success(stored: StoredBuild, emulator: Emulator) -> None:
    emulator.faults.inject("RegisterImage", Fault(status=403, code="UnauthorizedOperation"), times=1)
    words = ["register", "--record", stored.file, "--region", "eu-central-1", "--region", "us-east-1", "--json"]
    failed = run(*words, code=7)
    result = json.loads(failed.stdout)
    assert set(result["amis"]) == {"us-east-1"}
    assert set(result["failures"]) == {"eu-central-1"}
    assert set(load(stored.file).record.amis) == {"us-east-1"}
    assert set(json.loads(run(*words).stdout)["amis"]) == {"eu-central-1", "us-east-1"}


def test_an_image_that_changed_on_the_way_is_refused(stored: StoredBuild, emulator: Emulator) -> None:
    next((stored.folder / "images").glob("*-data.img")).write_bytes(b"other" * 400_000)
    failed = run("register", "--record", stored.file, "--region", "eu-central-1", code=3)
    assert "not the one that was built" in failed.stderr
    assert not emulator.calls["StartSnapshot"]


def test_an_image_that_was_left_behind_is_named(stored: StoredBuild) -> None:
    next((stored.folder / "images").glob("*-data.img")).unlink()
    failed = run("register", "--record", stored.file, "--region", "eu-central-1", code=3)
    assert "-data.img" in failed.stderr
    assert "Copy the whole folder" in failed.stderr


def test_a_dry_run_needs_neither_credentials_nor_network(stored: StoredBuild) -> None:
    words = ["register", "--record", stored.file, "--region", "eu-central-1", "--name", "other", "--dry-run", "--json"]
    plan = json.loads(run(*words).stdout)
    assert plan["name"] == "other"
    (registration,) = [call for call in plan["calls"] if call["operation"] == "RegisterImage"]
    tags = registration["parameters"]["TagSpecifications"][0]["Tags"]
    assert {"Key": "team", "Value": "platform"} in tags


def test_a_build_without_an_ami_or_a_region_says_what_to_do(stored: StoredBuild) -> None:
    assert "brqos register" in run("nodegroup", "--record", stored.file, "--cluster", "c", code=3).stderr
    assert "--region" in run("register", "--record", stored.file, code=2).stderr


def test_amis_of_other_regions_stay_known_whatever_they_were_made_from(stored: StoredBuild, emulator: Emulator) -> None:
    run("register", "--record", stored.file, "--region", "eu-west-1")
    run("register", "--record", stored.file, "--region", "us-east-2")
    run("register", "--record", stored.file, "--region", "ap-south-1", "--tag", "team=other")
    amis = load(stored.file).record.amis
    assert set(amis) == {"eu-west-1", "us-east-2", "ap-south-1"}
    assert amis["eu-west-1"].inputs == amis["us-east-2"].inputs != amis["ap-south-1"].inputs


def test_status_tells_of_a_broken_record(stored: StoredBuild, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    broken = tmp_path / ".brqos" / "builds" / "x"
    broken.mkdir(parents=True)
    (broken / "build.json").write_text("{")
    assert "is not a build record" in run("status").stderr


def test_an_ami_that_is_not_what_was_asked_for_is_refused(
    stored: StoredBuild, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    register_image = Ec2.register_image

    def otherwise(self: Ec2, parameters: Mapping[str, object]) -> str:
        return register_image(self, {**parameters, "BootMode": "legacy-bios"})

    monkeypatch.setattr(Ec2, "register_image", otherwise)
    failed = run("register", "--record", stored.file, "--region", "eu-central-1", code=7)
    assert "BootMode is legacy-bios, not unset" in failed.stderr
    assert "deregister-image" in failed.stderr
    assert load(stored.file).record.amis == {}


def test_a_promotion_is_made_again_each_time_it_is_asked_for(stored: StoredBuild, emulator: Emulator) -> None:
    words = ("register", "--record", stored.file, "--region", "eu-west-1", "--ssm-prefix", "/images", "--promote")
    run(*words)
    latest = "/images/aws-k8s-1.29-memoryqos/x86_64/latest/image_id"
    found = emulator.store.parameters.at("000000000000", "eu-west-1", emulator.store)
    assert latest in found
    del found[latest]
    run(*words)
    assert latest in emulator.store.parameters.at("000000000000", "eu-west-1", emulator.store)


def test_amis_json_lies_beside_the_record(stored: StoredBuild, emulator: Emulator) -> None:
    emulator.faults.inject("CopyImage", Fault(status=403, code="UnauthorizedOperation"))
    run("register", "--record", stored.file, "--region", "eu-west-1", "--region", "us-east-2", code=7)
    amis = json.loads((stored.folder / "amis.json").read_text())
    assert set(amis) == {"eu-west-1"}, "it is written after a partial failure too"
    run("register", "--record", stored.file, "--region", "eu-west-1", "--region", "us-east-2")
    amis = json.loads((stored.folder / "amis.json").read_text())
    assert amis["us-east-2"] == {
        "id": load(stored.file).record.amis["us-east-2"].id,
        "name": f"{NAME}".replace("x86_64-", "x86_64-v"),
        "public": False,
        "launch_permissions": [],
    }
