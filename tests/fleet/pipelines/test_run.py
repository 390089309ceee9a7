"""Pipelines that are run: the steps of a rehearsal for real, and those that call others with stand-ins for them."""

import filecmp
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import missing
from fleet.pipelines.cases import CASES, texts
from fleet.pipelines.scripts import github_steps, load

ROOT = Path(__file__).parents[3]
CONFIG = 'variant = "aws-k8s-1.34"\n[matrix]\narchs = ["x86_64", "aarch64"]\n[ami]\nregions = ["eu-central-1"]\n'

pytestmark = pytest.mark.processes


class Machine:
    """A runner of GitHub's, as far as steps with `run` can tell: each in a shell of its own, in the job's folder."""

    def __init__(self, folder: Path, tools: Path) -> None:
        self.folder = folder
        self.temp = tools
        self.files = {name: tools / name for name in ("GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STEP_SUMMARY")}
        for file in self.files.values():
            file.touch()

    def run(self, script: str, env: dict[str, str], shell: str = "sh -eu") -> subprocess.CompletedProcess[str]:
        paths = [*reversed(self.files["GITHUB_PATH"].read_text().split()), os.environ["PATH"]]
        of_runner = {"RUNNER_TEMP": str(self.temp), "GITHUB_WORKSPACE": str(ROOT), "PATH": ":".join(paths)}
        file = self.temp / "step.sh"
        file.write_text(script)
        whole = {**os.environ, **of_runner, **{name: str(path) for name, path in self.files.items()}, **env}
        words = [*shell.split(), str(file)]
        return subprocess.run(words, cwd=self.folder, env=whole, capture_output=True, text=True, check=False)

    def output(self, key: str) -> str:
        lines = self.files["GITHUB_OUTPUT"].read_text().splitlines()
        return next(line.partition("=")[2] for line in reversed(lines) if line.startswith(f"{key}="))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    for folder in ("work", "tools"):
        (tmp_path / folder).mkdir()
    return Machine(tmp_path / "work", tmp_path / "tools")


@pytest.fixture
def scripts_brqos() -> Path:
    """`scripts/brqos` with its environment set up: setting it up would need the network."""
    installed = ROOT / ".venv" / "installed.lock"
    if not installed.is_file() or not filecmp.cmp(installed, ROOT / "requirements.lock", shallow=False):
        missing("scripts/brqos has not been set up here")
    return ROOT / "scripts" / "brqos"


def of_matrix(env: dict[str, str], entry: dict[str, Any]) -> dict[str, str]:
    """The environment of a job, for one entry of the matrix."""
    return {name: re.sub(r"\$\{\{ matrix\.(\w+) \}\}", lambda key: entry[key[1]], text) for name, text in env.items()}


def ran(machine: Machine, steps: list[dict[str, Any]], env: dict[str, str]) -> Iterator[str]:
    for step in steps:
        if "run" in step:
            done = machine.run(step["run"], env)
            assert done.returncode == 0, f"{step['name']}\n{done.stdout}\n{done.stderr}"
            yield step["name"]


@pytest.mark.slow
def test_the_steps_of_a_rehearsal(machine: Machine, scripts_brqos: Path) -> None:
    (machine.folder / "brqos.toml").write_text(CONFIG)
    written = machine.run(f'"{scripts_brqos}" pipeline github --rehearse --brqos .', {})
    assert written.returncode == 0, written.stderr
    text = (machine.folder / ".github/workflows/brqos.yml").read_text()
    assert list(ran(machine, github_steps(text, "matrix"), {})) == ["Get brqos", "Ask what is there already"]
    entries = json.loads(machine.output("matrix"))["include"]
    assert [entry["arch"] for entry in entries] == ["x86_64", "aarch64"]
    job = load(text)["jobs"]["build"]
    for entry in entries:
        shutil.rmtree(machine.folder / ".brqos", ignore_errors=True)
        names = list(ran(machine, job["steps"], of_matrix(job["env"], entry)))
        assert names == ["Get brqos", "Rehearse the build", "Hold its record against what was asked for"]
        (record,) = machine.folder.glob(".brqos/builds/*/build.json")
        found = json.loads(record.read_text())
        assert found["rehearsal"] is True
        assert found["spec"]["arch"] == entry["arch"]
        assert list(found["amis"]) == ["eu-central-1"]


@pytest.mark.slow
def test_the_scripts_of_a_rehearsal_for_gitlab(machine: Machine, scripts_brqos: Path) -> None:
    (machine.folder / "brqos.toml").write_text(CONFIG)
    tool = machine.temp / "bin"
    tool.mkdir()
    (tool / "brqos").write_text(f'#!/bin/sh\nexec "{scripts_brqos}" "$@"\n')
    (tool / "brqos").chmod(0o755)
    machine.files["GITHUB_PATH"].write_text(f"{tool}\n")
    assert machine.run("brqos pipeline gitlab --rehearse", {}).returncode == 0
    pipeline = load((machine.folder / "brqos.gitlab-ci.yml").read_text())
    job = pipeline["build aws-k8s-1.34-aarch64"]
    for name, env in (("matrix", {}), (".build", job["variables"])):
        done = machine.run("\n".join(pipeline[name]["script"]), env, shell="sh -e")
        assert done.returncode == 0, done.stderr
    assert len(list(machine.folder.glob(".brqos/builds/*/build.json"))) == 1
    other = machine.run("\n".join(pipeline[".build"]["script"]), {**job["variables"], "ID": "another"}, shell="sh -e")
    assert other.stdout == "another is there already.\n"


@pytest.fixture
def repack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.chdir(tmp_path)
    return texts(CASES["repack"], tmp_path)


def test_a_variant_that_needs_no_image_is_no_failure(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    steps = github_steps(texts(CASES["rehearsal"], tmp_path)["github.yml"], "build")
    script = next(step["run"] for step in steps if step.get("name", "").startswith("Hold its record"))
    done = machine.run(script, {"VARIANT": "aws-k8s-1.37"})
    assert done.returncode == 0
    assert "aws-k8s-1.37 needs no image" in done.stdout
    record = machine.folder / ".brqos/builds/one/build.json"
    record.parent.mkdir(parents=True)
    record.write_text('{"rehearsal": true, "variant": "aws-k8s-1.33-memoryqos"}')
    assert machine.run(script, {"VARIANT": "aws-k8s-1.33"}).returncode == 0
    assert machine.run(script, {"VARIANT": "aws-k8s-1.34"}).returncode != 0


def stand_in(machine: Machine, name: str, script: str) -> None:
    """A program that writes down how it was called, and does what the script says."""
    tool = machine.temp / name
    tool.write_text(f'#!/bin/sh\nprintf "%s\\n" "{name} $*" >>"{machine.temp}/calls"\n{script}\n')
    tool.chmod(0o755)
    machine.files["GITHUB_PATH"].write_text(f"{machine.temp}\n")


def calls(machine: Machine) -> list[str]:
    return (machine.temp / "calls").read_text().splitlines()


def watch(text: str, name: str) -> str:
    return next(step["run"] for step in github_steps(text, "watch") if step.get("name") == name)


@pytest.mark.parametrize(("code", "ends", "behind"), [(0, 0, "no"), (11, 0, "yes"), (5, 5, None)])
def test_watch_tells_what_is_behind_from_what_failed(
    machine: Machine, repack: dict[str, str], code: int, ends: int, behind: str | None
) -> None:
    stand_in(machine, "brqos", f"echo report; exit {code}")
    assert machine.run(watch(repack["github.yml"], "Look"), {}).returncode == ends
    assert calls(machine) == ["brqos watch --config brqos.toml --exit-code"]
    if behind:
        assert machine.output("behind") == behind
        assert machine.files["GITHUB_STEP_SUMMARY"].read_text() == "```\nreport\n```\n"
    gitlab = "\n".join(load(repack["gitlab.yml"])["watch"]["script"])
    assert machine.run(gitlab, {}, shell="sh -e").returncode == code


@pytest.mark.parametrize(("known", "verb"), [("", "create"), ("17", "edit")])
def test_one_issue_is_opened_and_then_kept_up_to_date(
    machine: Machine, repack: dict[str, str], known: str, verb: str
) -> None:
    stand_in(machine, "gh", f'test "$2" != list || echo "{known}"')
    done = machine.run(watch(repack["github.yml"], "Tell people"), {"TITLE": "Newer"})
    assert done.returncode == 0, done.stderr
    assert [call.split()[2] for call in calls(machine)] == ["list", verb]
    assert not known or calls(machine)[1].split()[3] == known


def test_keys_come_from_a_secret_and_for_the_owner_only(machine: Machine, repack: dict[str, str]) -> None:
    (machine.temp / "keys").mkdir()
    (machine.temp / "keys" / "db.key").write_text("secret")
    packed = machine.run(f'tar -cz -C "{machine.temp}/keys" . | base64 -w0', {}).stdout
    step = next(step for step in github_steps(repack["github.yml"], "build") if "SBKEYS" in step.get("env", {}))
    assert machine.run(step["run"], {"SBKEYS": packed}).returncode == 0
    key = machine.folder / "sbkeys/mine/db.key"
    assert key.read_text() == "secret"
    assert not key.stat().st_mode & 0o077


def test_the_cache_is_named_by_the_kits_digests(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tool: Any
) -> None:
    tool("jq")
    monkeypatch.chdir(tmp_path)
    steps = github_steps(texts(CASES["source"], tmp_path)["github.yml"], "build")
    script = next(step["run"] for step in steps if step.get("id") == "kits")
    tree = machine.temp / "tree"
    tree.mkdir()
    stand_in(machine, "brqos", f"""echo '{{"work_tree": "{tree}"}}'""")
    keys = []
    for lock in ('digest = "a"\nname = "x"\n', 'name = "y"\ndigest = "a"\n', 'digest = "b"\n'):
        (tree / "Twoliter.lock").write_text(lock)
        assert machine.run(script, {"CONFIG": "brqos.toml", "VARIANT": "aws-k8s-1.34"}).returncode == 0
        keys.append(machine.output("digests"))
    assert keys[0] == keys[1] != keys[2]
    assert machine.output("folder") == f"{tree}/build/external-kits/cache"
