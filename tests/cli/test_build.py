"""The whole way through the command line, rehearsed: everything but source, build and AWS is real."""

import hashlib
import json
import re
import shutil
from pathlib import Path

import pytest

pytestmark = [pytest.mark.processes, pytest.mark.loopback]
QUICK = ["--make-env", "BRQOS_REHEARSAL_PACE=0"]


def rehearse(brqos, *words: object, code: int = 0):
    return brqos("build", "--variant", "aws-k8s-1.29", "--rehearse", *QUICK, *words, code=code)


def test_the_json_that_scripts_rely_on(brqos, tmp_path: Path) -> None:
    result = rehearse(brqos, "--json", "--arch", "arm64", "--region", "eu-central-1", "--region", "us-east-1").json
    assert set(result) >= {"build", "variant", "images", "amis", "nodegroup", "rehearsal"}
    assert result["variant"] == "aws-k8s-1.29-memoryqos"
    assert result["rehearsal"] is True
    assert [image["role"] for image in result["images"]] == ["os", "data"]
    for image in result["images"]:
        assert Path(image["file"]).is_file()
        assert re.fullmatch(r"[0-9a-f]{64}", image["sha256"])
        assert "aarch64" in image["file"]
    assert set(result["amis"]) == {"eu-central-1", "us-east-1"}
    for ami in result["amis"].values():
        assert ami["id"].startswith("ami-rehearsal")
        assert set(ami["snapshots"]) == {"os", "data"}
    assert result["nodegroup"] is None or Path(result["nodegroup"]).is_file()
    assert result["attestations"]["signed"] is False
    for name in ("sbom", "provenance"):
        document = result["attestations"][name]
        assert hashlib.sha256(Path(document["file"]).read_bytes()).hexdigest() == document["sha256"]


def test_every_line_for_people_says_that_it_is_a_rehearsal(brqos) -> None:
    ran = rehearse(brqos)
    for line in [*ran.out.splitlines(), *ran.err.splitlines()]:
        assert line.startswith("[rehearsal] "), line
    assert "REHEARSAL" in next(Path(".brqos").rglob("*.eksctl.yaml")).read_text()


def test_a_finished_build_is_skipped_and_says_so(brqos) -> None:
    first = rehearse(brqos, "--json")
    again = rehearse(brqos, "--json")
    assert first.json == again.json
    assert "built already" in again.err
    assert "registered already" in again.err
    assert "Building" in rehearse(brqos, "--force").err


def test_an_image_alone_is_rehearsed_without_what_follows(brqos, tmp_path: Path) -> None:
    told = rehearse(brqos, "--image-only", "--json").json
    assert told["amis"] == {}
    assert not list(tmp_path.rglob("*.eksctl.yaml"))


def test_another_wish_is_another_build(brqos) -> None:
    one = rehearse(brqos, "--json").json
    other = rehearse(brqos, "--json", "--factor", "0.5").json
    assert one["build"] != other["build"]
    assert len(brqos("status", "--json").json) == 2


def test_a_new_region_uses_the_image_that_is_there(brqos) -> None:
    rehearse(brqos, "--region", "eu-central-1")
    ran = rehearse(brqos, "--json", "--region", "eu-central-1", "--region", "us-east-1", "--cluster", "c")
    assert "built already" in ran.err
    assert set(ran.json["amis"]) == {"eu-central-1", "us-east-1"}


def test_the_record_tells_all_and_holds_no_secret(brqos) -> None:
    result = rehearse(brqos, "--json", "--make-env", "MY_TOKEN=hunter2").json
    folder = Path(result["record"]).parent
    record = json.loads((folder / "build.json").read_text())
    assert record["rehearsal"] is True
    assert set(record["stages"]) == {"generate", "build", "register", "nodegroup"}
    assert record["kubelet-configuration"]["featureGates"] == {"MemoryQoS": True}
    for image in record["result"]["images"]:
        assert not Path(image["file"]).is_absolute()
    for file in folder.rglob("*"):
        if file.is_file():
            assert b"hunter2" not in file.read_bytes(), file


def test_a_rehearsal_is_never_the_latest_build_and_its_ami_is_refused_elsewhere(brqos) -> None:
    result = rehearse(brqos, "--json").json
    assert "no build" in brqos("nodegroup", "--cluster", "c", code=3).err
    ami = result["amis"]["us-west-2"]["id"]
    words = ["--ami", ami, "--arch", "x86_64", "--variant", "aws-k8s-1.29", "--cluster", "c", "--region", "us-west-2"]
    assert "rehears" in brqos("nodegroup", *words, code=3).err
    named = brqos("nodegroup", "--build", result["build"], "--cluster", "other")
    assert "REHEARSAL" in named.out


def test_a_record_can_be_carried_elsewhere(brqos, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = rehearse(brqos, "--json").json
    elsewhere = tmp_path / "elsewhere"
    shutil.move(Path(result["record"]).parent, elsewhere)
    shutil.rmtree(tmp_path / ".brqos")
    ran = brqos("nodegroup", "--record", elsewhere / "build.json", "--cluster", "other", "--json")
    assert ran.json["nodegroups"][0]["ami"] == result["amis"]["us-west-2"]["id"]
    assert "done" in brqos("status", "--record", elsewhere).out


@pytest.mark.parametrize(
    ("variant", "delivery"), [("aws-k8s-1.34-nvidia", "drop-in"), ("aws-k8s-1.30-fips", "drop-in")]
)
def test_flavors_go_the_same_way(brqos, variant: str, delivery: str) -> None:
    result = brqos("build", "--variant", variant, "--rehearse", *QUICK, "--json").json
    assert result["variant"] == f"{variant}-memoryqos"
    assert json.loads(Path(result["record"]).read_text())["delivery"] == delivery


def test_an_old_release_goes_by_the_template(brqos) -> None:
    result = rehearse(brqos, "--ref", "v1.26.0", "--json").json
    record = json.loads(Path(result["record"]).read_text())
    assert (record["delivery"], record["upstream"]["release"]) == ("template", "1.26.0")


def test_a_native_release_builds_nothing_unless_asked(brqos) -> None:
    native = brqos("build", "--variant", "aws-k8s-1.37", "--rehearse", *QUICK, "--json").json
    assert (native["build"], native["images"]) == (None, [])
    assert native["settings"]["memory-reservation-policy"] == "TieredReservation"
    baked = brqos("build", "--variant", "aws-k8s-1.37", "--rehearse", "--bake", *QUICK, "--json").json
    assert baked["amis"]


def test_a_failed_build_says_why_and_where_the_log_is(brqos) -> None:
    ran = rehearse(brqos, "--make-env", "BRQOS_REHEARSAL_FAIL=disk-full", code=6)
    assert ran.out == ""
    assert "build.log" in ran.err
    assert brqos("status", "--json").json[0]["stages"].keys() == {"generate"}


def test_a_dry_run_does_nothing(brqos, tmp_path: Path) -> None:
    ran = rehearse(brqos, "--dry-run")
    assert "BUILDSYS_VARIANT=aws-k8s-1.29-memoryqos" in ran.out
    assert list(tmp_path.iterdir()) == []


def test_show_config_tells_values_and_origins_and_no_secret(brqos, tmp_path: Path) -> None:
    (tmp_path / "brqos.toml").write_text('variant = "aws-k8s-1.31"\n[build]\njobs = 4\n')
    ran = brqos("build", "--show-config", "--factor", "0.7", "--make-env", "TOKEN=hunter2")
    assert re.search(r"kubelet\.throttling-factor +0\.7 +flag --factor", ran.out)
    assert re.search(r"build\.jobs +4 +brqos\.toml", ran.out)
    assert re.search(r"upstream\.ref +v1\.50\.0 +variants/aws-k8s-1\.31\.toml", ran.out)
    assert "hunter2" not in ran.out
    assert "hunter2" not in brqos("build", "--show-config", "--json", "--make-env", "TOKEN=hunter2").out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--sbkeys-profile", "/nowhere"], 3, "no signing profile at /nowhere"),
        (["--region", "Frankfurt"], 3, "ami.regions"),
        (["--make-env", "BUILDSYS_VARIANT=x"], 3, "--variant"),
        (["--make-env", "NOTHING"], 2, "KEY=VALUE"),
        (["--instance-type", "m6g.large"], 3, "m6g.large"),
        (["--ref", "v1.19.0"], 3, "v1.19.0"),
        (["--jobs", "0"], 3, "jobs"),
        (["--ref", "v1.58.0"], 3, "The last release with aws-k8s-1.29 is v1.57.0"),
    ],
)
def test_bad_input_is_refused_before_anything_is_built(brqos, words: list[str], code: int, said: str) -> None:
    ran = rehearse(brqos, "--arch", "x86_64", *words, code=code)
    assert said in ran.err
    assert ran.err.count("error:") == 1
    assert not list(Path(".brqos").rglob("*.img*"))


def test_another_image_is_never_paired_with_the_ami_of_the_one_before(brqos) -> None:
    result = rehearse(brqos, "--json").json
    folder = Path(result["record"]).parent
    record = json.loads((folder / "build.json").read_text())
    # As if the image had been built from other things outside of what brqos knows.
    record["result"]["images"][0]["sha256"] = "0" * 64
    (folder / "build.json").write_text(json.dumps(record))
    again = rehearse(brqos, "--force", "--json")
    assert "was made from the image before" in again.err
    assert again.json["amis"]["us-west-2"]["id"] != result["amis"]["us-west-2"]["id"]


def test_a_signing_profile_counts_by_its_keys_and_not_by_its_place(brqos, tmp_path: Path) -> None:
    from brqos.rehearsal.make import efi_vars

    def profile(name: str, key: str) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        for file in ("PK.crt", "KEK.crt", "db.crt", "vendor.crt", "config-sign.key", "efi-vars.json", "shim-sign.key"):
            (folder / file).write_text(key)
        for file in ("shim-sign.crt", "code-sign.key", "code-sign.crt"):
            (folder / file).write_text(key)
        (folder / "efi-vars.aws").write_bytes(efi_vars())
        return folder

    one = rehearse(brqos, "--json", "--sbkeys-profile", profile("one", "a")).json
    same = rehearse(brqos, "--json", "--sbkeys-profile", profile("same", "a")).json
    other = rehearse(brqos, "--json", "--sbkeys-profile", profile("other", "b")).json
    assert one["build"] == same["build"] != other["build"]


def test_show_config_hides_logins(brqos) -> None:
    ran = brqos(
        "build", "--show-config", "--variant", "aws-k8s-1.29", "--upstream", "https://me:s3cret@git.example/b.git"
    )
    assert "git.example/b.git" in ran.out
    assert "s3cret" not in ran.out


def test_a_cache_whose_path_upstream_cannot_take_is_refused_at_once(brqos, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BRQOS_CACHE_DIR", str(tmp_path / "a b"))
    ran = rehearse(brqos, code=3)
    assert "a b" in ran.err
    assert not list((tmp_path / "a b").rglob("trees"))
