"""`brqos build --results` and `--expect`: what a build leaves, on an emulated S3."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from brqos.rehearsal.emulator import Emulator

pytestmark = [pytest.mark.processes, pytest.mark.loopback]
REHEARSE = ("build", "--variant", "aws-k8s-1.29", "--rehearse", "--make-env", "BRQOS_REHEARSAL_PACE=0")
TARGET = "s3://results-of-tests/runs/17"


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    from brqos.aws.session import AwsSession

    with Emulator(any_key=True) as running:
        variables = {"AWS_ENDPOINT_URL": running.endpoint, "AWS_ACCESS_KEY_ID": "A" * 20,
                     "AWS_SECRET_ACCESS_KEY": "example", "AWS_REGION": "us-east-1"}  # fmt: skip
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        AwsSession().s3("us-east-1").create_bucket("results-of-tests", {}, 1)
        # A builder's role has this permission and no other one for S3.
        running.deny("s3:[!P]*")
        yield running


def left(emulator: Emulator) -> dict[str, Any]:
    bucket = next(iter(emulator.store.s3.known.values()))
    return {key.removeprefix("runs/17/"): stored.data for key, stored in bucket.objects.items()}


def test_all_that_a_build_leaves_is_there_and_the_record_last(brqos, emulator: Emulator) -> None:
    ran = brqos(*REHEARSE, "--results", TARGET, "--json")
    found = left(emulator)
    assert json.loads(found["build.json"])["id"] == ran.json["build"]
    assert json.loads(found["outcome.json"]) == {
        "state": "built", "exit-code": 0, "native": False, "build": ran.json["build"],
    }  # fmt: skip
    assert b"Running Task" in found["build.log"]
    assert not [name for name in found if name.endswith(".img.lz4")], "an AMI came of them"
    assert list(found)[-1] == "build.json"
    assert [name for name in found if name.endswith(".eksctl.yaml")]


def test_images_are_left_where_they_are_wanted_or_no_ami_came_of_them(brqos, emulator: Emulator) -> None:
    brqos(*REHEARSE, "--results", TARGET, "--images")
    assert len([name for name in left(emulator) if name.endswith(".img.lz4")]) == 2


def test_a_build_that_fails_leaves_its_log_and_its_error(brqos, emulator: Emulator) -> None:
    brqos(*REHEARSE, "--make-env", "BRQOS_REHEARSAL_FAIL=disk-full", "--results", TARGET, code=6)
    found = left(emulator)
    outcome = json.loads(found["outcome.json"])
    assert (outcome["state"], outcome["exit-code"]) == ("failed", 6)
    assert "the disk is full" in outcome["error"]["what"]
    assert b"no space left" in found["build.log"]
    assert "build" not in json.loads(found["build.json"])["stages"]


def test_a_build_that_is_not_the_expected_one_is_not_made(brqos, emulator: Emulator) -> None:
    ran = brqos(*REHEARSE, "--expect", "f" * 40, "--results", TARGET, code=5)
    assert "another build than the expected" in ran.err
    assert set(left(emulator)) == {"outcome.json"}
    assert not list(Path(".brqos/builds").glob("*/build.json"))
    name = brqos(*REHEARSE, "--json").json["build"]
    commit = json.loads(next(Path().glob(f".brqos/builds/{name}/build.json")).read_text())["overlay-commit"]
    for expected in (name, commit):
        brqos(*REHEARSE, "--expect", expected)


def test_nothing_is_built_where_nothing_can_be_left(brqos, emulator: Emulator) -> None:
    ran = brqos(*REHEARSE, "--results", "s3://no-such-bucket/x", code=7)
    assert "NoSuchBucket" in ran.err
    assert "Building" not in ran.err


def test_a_rehearsal_leaves_nothing_in_the_real_s3(brqos, monkeypatch: pytest.MonkeyPatch) -> None:
    for value in ("", "https://s3.example.com"):
        monkeypatch.setenv("AWS_ENDPOINT_URL", value)
        assert "In a rehearsal nothing is real" in brqos(*REHEARSE, "--results", TARGET, code=2).err


@pytest.mark.parametrize(
    "target", ["results-of-tests/x", "s3://UPPER/x", "s3://bucket", "s3://bucket/", "s3://bucket/a/../b"]
)
def test_what_is_no_place_is_refused(brqos, target: str) -> None:
    assert "is no place in S3" in brqos("build", "--variant", "aws-k8s-1.29", "--results", target, code=2).err


@pytest.mark.parametrize(
    "words",
    [("--images",), ("--no-follow",), ("--config", "a.toml", "--config", "b.toml"), ("--results", TARGET, "--dry-run")],
)
def test_what_does_not_go_together(brqos, words: tuple[str, ...]) -> None:
    brqos("build", "--variant", "aws-k8s-1.29", *words, code=2)
