"""`brqos matrix` through the command line: the shapes that it prints, and what it leaves out."""

import json
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from brqos.config.resolve import resolve
from brqos.monitor import Silent
from brqos.pipeline.foresee import Foreseen, foresee
from brqos.record import StoredBuild
from brqos.rehearsal.emulator import Emulator, Fault
from brqos.rehearsal.miniature import Layout
from fleet import builds

pytestmark = pytest.mark.processes
REGIONS = ["eu-west-1", "us-east-1"]


@pytest.fixture
def write(miniature: Callable[[Layout], Any], tmp_path: Path) -> Callable[..., Path]:
    """A configuration file whose upstream is the miniature."""
    trees = miniature(Layout.DROP_IN)

    def file(*lines: str, name: str = "brqos.toml", head: str = "", regions: bool = True) -> Path:
        path = tmp_path / name
        upstream = f'[upstream]\nrepository = "{trees.bottlerocket}"\nref = "v1.50.0"\n'
        published = f"[ami]\nregions = {json.dumps(REGIONS)}\n" if regions else ""
        path.write_text("\n".join([head, upstream, published, *lines]), encoding="utf-8")
        return path

    return file


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    with Emulator(any_key=True, delay=0.05) as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.endpoint)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE000000000")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
        yield running


TWO = ("[matrix]", 'variants = ["aws-k8s-1.29"]', 'archs = ["x86_64", "arm64"]')


def made(file: Path, folder: Path) -> StoredBuild:
    """The record of the file's build for x86_64, made from what it will really be called."""
    spec = resolve({"variant": "aws-k8s-1.29", "arch": "x86_64"}, file).spec
    (future,) = foresee([spec], folder, Silent())
    assert isinstance(future, Foreseen)
    return builds.stored(folder, spec, future=future)


def test_the_table_tells_what_is_to_be_built(brqos, write) -> None:
    write(*TWO)
    ran = brqos("matrix", "--no-aws")
    assert ran.out.splitlines() == [
        "VARIANT       ARCH     RELEASE  ENGINE  REGIONS               STATE",
        "aws-k8s-1.29  x86_64   1.50.0   source  eu-west-1, us-east-1  to build",
        "aws-k8s-1.29  aarch64  1.50.0   source  eu-west-1, us-east-1  to build",
    ]
    assert "2 of 2 builds to make." in ran.err
    assert "--no-aws" in ran.err


def test_several_files_are_told_apart(brqos, write) -> None:
    write(*TWO)
    write("[kubelet]\nthrottling-factor = 0.5", name="low.toml", head='variant = "aws-k8s-1.29"\narch = "amd64"')
    ran = brqos("matrix", "brqos.toml", "low.toml", "--arch", "x86_64", "--no-aws")
    assert [line.split()[0] for line in ran.out.splitlines()] == ["FILE", "brqos.toml", "low.toml"]
    found = brqos("matrix", "brqos.toml", "low.toml", "--json", "--no-aws").json["include"]
    assert [one["id"] for one in found] == [
        "aws-k8s-1.29-x86_64", "aws-k8s-1.29-aarch64", "low-aws-k8s-1.29-x86_64",
    ]  # fmt: skip


def test_the_arguments_are_those_of_build(brqos, write) -> None:
    write(*TWO)
    for one in brqos("matrix", "--json", "--no-aws").json["include"]:
        words = shlex.split(one["args"])
        shown = brqos(*words, "--show-config", "--json").json
        values = {row["key"]: row["value"] for row in shown}
        assert (values["variant"], values["arch"]) == (one["variant"], one["arch"])
        assert values["ami.regions"] == one["regions"] == REGIONS


def test_githubs_output_is_one_line(brqos, write) -> None:
    write(*TWO)
    ran = brqos("matrix", "--github", "--no-aws")
    (line,) = ran.out.splitlines()
    assert line.startswith('matrix={"include": [{"id": "aws-k8s-1.29-x86_64", ')
    assert json.loads(line.removeprefix("matrix=")) == brqos("matrix", "--json", "--no-aws").json


def test_an_empty_matrix_is_valid(brqos, write) -> None:
    write(*TWO, 'exclude = [{ variant = "aws-k8s-1.29" }]')
    assert brqos("matrix", "--json", "--no-aws").json == {"include": []}
    ran = brqos("matrix", "--github", "--no-aws")
    assert ran.out == 'matrix={"include": []}\n'
    assert "nothing to build" in ran.err
    assert "include[0] != null" in ran.err
    assert brqos("matrix", "--no-aws").out == ""


def test_an_image_that_lies_here_is_left_out(brqos, write, tmp_path: Path) -> None:
    file = write(*TWO, regions=False)
    made(file, tmp_path / "elsewhere" / "one")
    found = brqos("matrix", "--json", "--records", "elsewhere")
    assert [one["arch"] for one in found.json["include"]] == ["aarch64"]
    assert "1 of 2 builds to make; 1 is there already and left out (--all shows them)." in found.err
    states = [one["state"] for one in brqos("matrix", "--all", "--json", "--records", "elsewhere").json["include"]]
    assert states == ["built", "to build"]
    assert len(brqos("matrix", "--json").json["include"]) == 2, "only the records that are named"
    write(*TWO, "[kubelet]", "throttling-factor = 0.5", regions=False)
    assert len(brqos("matrix", "--json", "--records", "elsewhere").json["include"]) == 2, "another build"


@pytest.mark.loopback
def test_what_is_published_is_left_out(brqos, write, tmp_path: Path, emulator: Emulator) -> None:
    file = write(*TWO)
    record = made(file, tmp_path / ".brqos" / "builds" / "one")
    assert [one["state"] for one in brqos("matrix", "--json").json["include"]] == ["built", "to build"]
    brqos("register", "--record", record.file, "--region", "eu-west-1")
    (one, _) = brqos("matrix", "--json").json["include"]
    assert (one["state"], one["missing_regions"]) == ("partly published", ["us-east-1"])
    assert "partly published, not in us-east-1" in brqos("matrix").out
    brqos("register", "--record", record.file, "--region", "eu-west-1", "--region", "us-east-1")
    for words in ([], ["--no-aws"]):
        assert [each["arch"] for each in brqos("matrix", "--json", *words).json["include"]] == ["aarch64"]
    # AWS alone tells it as well: a job that plans has no records.
    record.file.unlink()
    assert [each["arch"] for each in brqos("matrix", "--json").json["include"]] == ["aarch64"]
    assert len(brqos("matrix", "--json", "--no-aws").json["include"]) == 2
    assert brqos("matrix", "--json", "--all").json["include"][0]["state"] == "published"
    # One that is gone is needed again.
    store = emulator.store
    (image,) = [image for image in store.images.values() if image.region == "eu-west-1"]
    del store.images[image.id]
    assert brqos("matrix", "--json").json["include"][0]["missing_regions"] == ["eu-west-1"]


@pytest.mark.loopback
def test_each_region_is_asked_once_however_many_builds_there_are(brqos, write, emulator: Emulator) -> None:
    write("[matrix]", 'variants = ["aws-k8s-1.29", "aws-k8s-1.30", "aws-k8s-1.34"]', 'archs = ["x86_64", "arm64"]')
    assert len(brqos("matrix", "--json").json["include"]) == 6
    assert dict(emulator.calls) == {"DescribeImages": 2}


@pytest.mark.loopback
def test_an_aws_that_refuses_is_an_error_and_not_an_answer(brqos, write, emulator: Emulator) -> None:
    write(*TWO)
    emulator.faults.inject("DescribeImages", Fault(status=403, code="UnauthorizedOperation"))
    failed = brqos("matrix", "--json", code=7)
    assert failed.out == ""
    # Regions are asked at the same time: which one meets the fault is chance.
    assert "cannot be told what is published in " in failed.err
    assert "Unauthorized" in failed.err
    assert "--no-aws" in failed.err
    assert len(brqos("matrix", "--json", "--no-aws").json["include"]) == 2


def test_without_a_login_records_tell(brqos, write) -> None:
    write(*TWO)
    assert "No AWS login for eu-west-1, us-east-1" in brqos("matrix").err


def test_a_profile_that_is_not_here_is_no_login(brqos, write) -> None:
    write('profile = "images"', *TWO)
    assert "AWS is not asked with the profile images" in brqos("matrix").err


def test_without_a_mirror_it_is_said_what_was_not_compared(brqos, tmp_path: Path) -> None:
    (tmp_path / "brqos.toml").write_text('variant = "aws-k8s-1.29"\narch = "x86_64"\n')
    ran = brqos("matrix", "--offline", "--json")
    assert [one["release"] for one in ran.json["include"]] == ["1.50.0"]
    assert "not mirrored yet" in ran.err
    assert "not whether v1.50.0 is still the same commit" in ran.err


@pytest.mark.parametrize(
    ("text", "said", "todo"),
    [
        (
            'variant = "aws-k8s-1.36"\n[upstream]\nref = "v1.50.0"',
            "brqos.toml: Bottlerocket v1.50.0 has no variant aws-k8s-1.36",
            'exclude = [{ variant = "aws-k8s-1.36"',
        ),
        (
            '[upstream]\nref = "v1.50.0"\n[matrix]\nvariants = ["aws-k8s-1.36", "aws-k8s-1.37", "aws-k8s-1.34"]',
            "2 builds cannot be made",
            "Correct them",
        ),
    ],
)
def test_a_variant_that_the_release_has_not(brqos, tmp_path: Path, text: str, said: str, todo: str) -> None:
    (tmp_path / "brqos.toml").write_text(text)
    failed = brqos("matrix", "--no-aws", code=3)
    assert said in failed.err
    assert todo in failed.err


def test_a_variant_that_the_tree_has_not(brqos, write) -> None:
    write("[matrix]", 'variants = ["aws-k8s-1.29", "aws-k8s-1.50"]')
    failed = brqos("matrix", "--no-aws", code=3)
    assert "brqos.toml: Bottlerocket v1.50.0" in failed.err
    assert "has no variant aws-k8s-1.50" in failed.err
    assert 'exclude = [{ variant = "aws-k8s-1.50"' in failed.err


def test_what_does_not_go_together(brqos, write, tmp_path: Path) -> None:
    assert "there is no configuration file brqos.toml" in brqos("matrix", code=3).err
    write(*TWO)
    assert "both want standard output" in brqos("matrix", "--github", "--json", code=2).err
    assert "there is no folder of records none" in brqos("matrix", "--records", "none", code=3).err
    assert "given twice" in brqos("matrix", "brqos.toml", "./brqos.toml", code=3).err
    assert "no file has a build of aws-k8s-1.31" in brqos("matrix", "--variant", "aws-k8s-1.31", code=3).err
    write(head='variant = "aws-k8s-1.29"\narch = "x86_64"', name="again.toml")
    assert "two builds would register an AMI" in brqos("matrix", "brqos.toml", "again.toml", "--no-aws", code=3).err
    write("public = true", *TWO)
    assert "--confirm-public" in brqos("matrix", "--no-aws", code=2).err
    confirmed = brqos("matrix", "--no-aws", "--confirm-public", "--json").json["include"]
    assert all("--confirm-public" in one["argv"] for one in confirmed)


def test_a_broken_record_is_told_and_counts_for_nothing(brqos, write, tmp_path: Path) -> None:
    write(*TWO)
    broken = tmp_path / ".brqos" / "builds" / "x"
    broken.mkdir(parents=True)
    (broken / "build.json").write_text("{")
    ran = brqos("matrix", "--no-aws", "--json")
    assert "is not a build record" in ran.err
    assert len(ran.json["include"]) == 2
