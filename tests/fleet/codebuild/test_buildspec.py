"""What batches do: goldens to be read, and what a shell makes of words that are no friends."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from brqos.architecture import Architecture
from brqos.config.model import BuildSection
from brqos.fleet.codebuild.buildspec import buildspec, common_of, listed_of
from brqos.rehearsal.emulator.codebuild.buildspec import read_batch, read_build
from fleet import builds
from fleet.codebuild.parts import members, way

GOLDENS = Path(__file__).with_name("goldens")
SIGNED = builds.spec("aws-k8s-1.34-nvidia", Architecture.AARCH64, build=BuildSection(sbkeys_profile=Path("/keys/a b")))
REPACKED = builds.spec("aws-k8s-1.33", **builds.repacked(release="1.50.0"))
PROGRAM = ("/usr/bin/python3", "-P", "-m", "brqos")
CASES: dict[str, tuple[Any, Any]] = {
    "source": (members(), way()),
    "signed": (members(builds.spec(), SIGNED, sbkeys="s3://secrets/profile.tar.gz"), way(sbkeys="s3://secrets/profile.tar.gz")),
    "repack": (members(REPACKED), way(hashed=False, image_only=True)),
    "container": (members(), way(program=("brqos",), images=True)),
    "rehearsal": (members(), way(program=PROGRAM, rehearsal=True)),
}  # fmt: skip


def text_of(case: str) -> str:
    of_case, how = CASES[case]
    return buildspec(common_of(how), [(listed_of(member, how), 1) for member in of_case])


@pytest.mark.parametrize("case", CASES)
def test_it_is_the_golden(case: str) -> None:
    assert text_of(case) == (GOLDENS / f"{case}.yml").read_text()


def test_every_golden_is_a_case() -> None:
    assert {file.stem for file in GOLDENS.glob("*.yml")} == set(CASES)


@pytest.mark.parametrize("case", ["source", "signed", "repack", "container", "rehearsal"])
def test_codebuild_can_read_it(case: str) -> None:
    plan = read_batch(text_of(case))
    assert not plan.fast_fail
    assert [task.identifier for task in plan.tasks] == [member.identifier for member in CASES[case][0]]
    assert read_build(text_of(case)).shell == "bash"


def test_a_secret_is_fetched_by_codebuild_and_is_in_no_variable() -> None:
    arn = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:brqos-keys-AbCdEf"
    how = way(sbkeys=arn)
    text = buildspec(common_of(how), [(listed_of(member, how), 1) for member in members(SIGNED, sbkeys=arn)])
    environment = YAML(typ="safe").load(text)["env"]
    assert environment["secrets-manager"] == {"BRQOS_SBKEYS": arn}
    assert "BRQOS_SBKEYS" not in environment["variables"]


@pytest.mark.parametrize("case", CASES)
def test_all_texts_stay_texts_for_yaml_1_1(case: str) -> None:
    """CodeBuild does not say which YAML it reads; yes, no and 1_0 are other things in the older one."""
    yaml = YAML(typ="safe", pure=True)
    yaml.version = (1, 1)
    old, new = yaml.load(text_of(case)), YAML(typ="safe", pure=True).load(text_of(case))
    assert old == new


@pytest.mark.processes
def test_a_shell_takes_no_word_for_a_command(tmp_path: Path) -> None:
    (tmp_path / "brqos").write_text('#!/bin/sh\nfor word in "$@"; do printf "<%s>\\n" "$word"; done\n')
    (tmp_path / "brqos").chmod(0o755)
    how = way(program=PROGRAM, rehearsal=True)
    (command,) = common_of(how)["phases"]["build"]["commands"]
    nasty = "$(touch owned); `touch owned` ' \" \\ x"
    variables = {
        "BRQOS_PROGRAM": "./brqos", "BRQOS_CONFIG": nasty, "BRQOS_VARIANT": "v", "BRQOS_ARCH": "a",
        "BRQOS_EXPECT": nasty, "BRQOS_KEYS": "/keys/a b", "BRQOS_RESULTS": "s3://b/r",
        "BRQOS_ENTRY": "e", "BRQOS_ATTEMPT": "2",
    }  # fmt: skip
    done = subprocess.run(
        ["bash", "-eu", "-c", command], cwd=tmp_path, env=variables, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [
        "<build>", "<--config>", f"<{nasty}>", "<--variant>", "<v>", "<--arch>", "<a>", "<--expect>", f"<{nasty}>",
        "<--sbkeys-profile>", "</keys/a b>", "<--rehearse>", "<--json>", "<--results>", "<s3://b/r/e/2>",
    ]  # fmt: skip
    assert not (tmp_path / "owned").exists()
    del variables["BRQOS_EXPECT"], variables["BRQOS_KEYS"]
    done = subprocess.run(
        ["bash", "-eu", "-c", command], cwd=tmp_path, env=variables, capture_output=True, text=True, check=True
    )
    assert "<--expect>" not in done.stdout


@pytest.mark.processes
@pytest.mark.parametrize("case", CASES)
def test_every_command_is_a_shells(case: str) -> None:
    for phase in common_of(CASES[case][1])["phases"].values():
        for command in phase["commands"]:
            subprocess.run(["bash", "-n", "-c", command], check=True)


@pytest.mark.processes
@pytest.mark.parametrize("place", ["s3://secrets/profile.tar.gz", "s3://secrets/profile.tar"])
def test_keys_that_cannot_be_fetched_end_the_build(place: str, tmp_path: Path) -> None:
    """The shell of a real build may know nothing of `set -e` in an earlier command."""
    (tmp_path / "aws").write_text("#!/bin/sh\necho denied >&2\nexit 1\n")
    (tmp_path / "aws").chmod(0o755)
    fetch, *_ = common_of(way(sbkeys=place))["phases"]["pre_build"]["commands"]
    environment = {
        "PATH": f"{tmp_path}:/usr/bin:/bin",
        "BRQOS_SBKEYS": place,
        "BRQOS_KEYS": str(tmp_path / "keys"),
    }
    done = subprocess.run(["bash", "-c", fetch], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    del environment["BRQOS_KEYS"]
    assert subprocess.run(["bash", "-c", fetch], env=environment, check=False).returncode == 0, "not all are signed"


def test_what_builds_has_no_secret_in_its_environment() -> None:
    (command,) = common_of(way(sbkeys="s3://secrets/profile.tar.gz"))["phases"]["build"]["commands"]
    assert command.index("unset BRQOS_SBKEYS") < command.index("$BRQOS_PROGRAM")
