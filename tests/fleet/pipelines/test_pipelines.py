"""The written pipelines: goldens to be read, the published schemas, and scripts that a shell and brqos can read."""

import io
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from typer.main import get_command

from brqos.cli.main import app
from fleet.pipelines.cases import CASES, template, texts
from fleet.pipelines.scripts import brqos_calls, load, scripts

GOLDENS = Path(__file__).with_name("goldens")
PUBLISHED = [f"{case}.{kind}" for case in CASES for kind in ("github.yml", "gitlab.yml")]
NAMES = [*PUBLISHED, *(f"{case}.codebuild.yml" for case in CASES)]


@pytest.fixture
def text(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    case, kind = request.getfixturevalue("name").split(".", 1)
    return template(case, tmp_path) if kind == "codebuild.yml" else texts(CASES[case], tmp_path)[kind]


@pytest.mark.parametrize("name", NAMES)
def test_it_is_the_golden(name: str, text: str) -> None:
    assert text == (GOLDENS / name).read_text(encoding="utf-8")


def test_every_golden_is_a_case() -> None:
    assert {path.name for path in GOLDENS.iterdir()} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_both_versions_of_yaml_read_the_same(name: str, text: str) -> None:
    as_1_1 = load(text)
    if "gitlab" not in name:
        assert YAML(typ="safe").load(io.StringIO(text)) == as_1_1
    if "github" in name:
        assert True not in as_1_1
        assert set(as_1_1["on"]) >= {"push", "schedule", "workflow_dispatch"}
    assert not [line for line in text.splitlines() if line != line.rstrip()]
    assert "\n\n\n" not in text
    assert max(len(line) for line in text.splitlines() if line.lstrip().startswith("#")) <= 122


@pytest.mark.processes
@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_schema_takes_it(name: str, text: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_text(text)
    github = "github" in name
    schemas = ["vendor.github-workflows", "custom.github-workflows-require-timeout"] if github else ["vendor.gitlab-ci"]
    for schema in schemas:
        # GitLab's own tags are resolved before its schema is applied.
        more = [] if github else ["--data-transform", "gitlab-ci"]
        words = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *more, str(file)]
        ran = subprocess.run(words, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.processes
@pytest.mark.parametrize("name", NAMES)
def test_every_script_is_one(name: str, text: str) -> None:
    found = list(scripts(name, text))
    assert found
    for script in found:
        # Nothing that somebody else decides is pasted into a command.
        assert "${{" not in script
        ran = subprocess.run(["sh", "-n"], input=script, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, f"{script}\n{ran.stderr}"


@pytest.mark.parametrize("name", NAMES)
def test_brqos_has_every_option_that_it_is_given(name: str, text: str) -> None:
    calls = [call for script in scripts(name, text) for call in brqos_calls(script)]
    assert {call[0] for call in calls} >= {"matrix", "build"}
    for call in calls:
        words, command = list(call), get_command(app)
        while hasattr(command, "commands"):
            command = command.commands[words.pop(0)]
        # Parses, converts and checks all of it, and calls nothing.
        command.make_context("brqos", words)


def github_workflows(folder: Path) -> dict[str, dict[str, Any]]:
    return {case: load(texts(CASES[case], folder)["github.yml"]) for case in CASES}


@pytest.fixture
def workflows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    monkeypatch.chdir(tmp_path)
    return github_workflows(tmp_path)


def test_actions_are_pinned_and_jobs_have_what_they_need(workflows: dict[str, dict[str, Any]]) -> None:
    for workflow in workflows.values():
        assert workflow["permissions"] == {}
        for name, job in workflow["jobs"].items():
            assert job["timeout-minutes"] <= 360
            logs_in = any("configure-aws-credentials" in step.get("uses", "") for step in job["steps"])
            assert logs_in == (job["permissions"].get("id-token") == "write")
            assert (name == "watch") == ("issues" in job["permissions"])
            assert not logs_in or name != "build"
            for step in job["steps"]:
                assert re.fullmatch(r"[a-z-]+/[a-z-]+@[0-9a-f]{40}", step.get("uses", "a/b@" + "0" * 40))


def test_two_runs_never_publish_the_same_thing(workflows: dict[str, dict[str, Any]]) -> None:
    jobs = workflows["repack"]["jobs"]
    groups = {name: jobs[name]["concurrency"] for name in ("build", "register", "promote")}
    assert groups["register"] == groups["promote"]
    for group in groups.values():
        assert group["cancel-in-progress"] is False
        assert "${{ matrix.id }}" in group["group"]


def test_only_what_is_asked_for_becomes_a_job(workflows: dict[str, dict[str, Any]]) -> None:
    jobs = {case: list(workflow["jobs"]) for case, workflow in workflows.items()}
    assert jobs == {
        "repack": ["matrix", "build", "register", "verify", "promote", "watch"],
        "by-rule": ["matrix", "build", "register", "verify", "promote", "watch"],
        "source": ["matrix", "build", "register", "watch"],
        "both-engines": ["matrix", "build", "register", "watch"],
        "images-only": ["matrix", "build", "watch"],
        "rehearsal": ["matrix", "build"],
    }


def test_by_rule_waits_for_the_proof_and_by_hand_for_a_person(workflows: dict[str, dict[str, Any]]) -> None:
    # Without `if`, a job runs only if all that it needs have succeeded.
    assert "if" not in workflows["by-rule"]["jobs"]["promote"]
    assert "verify" in workflows["by-rule"]["jobs"]["promote"]["needs"]
    assert "'skipped'" in workflows["repack"]["jobs"]["promote"]["if"]


def test_gitlab_images_go_their_own_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pipeline = load(texts(CASES["repack"], tmp_path)["gitlab.yml"])
    one = "aws-k8s-1.33-x86_64"
    assert pipeline[f"register {one}"]["needs"] == [f"build {one}"]
    assert pipeline[f"register {one}"]["resource_group"] == pipeline[f"promote {one}"]["resource_group"]
    assert pipeline[f"promote {one}"]["when"] == pipeline[f"verify {one}"]["when"] == "manual"
    assert "id_tokens" not in pipeline[".build"]
    by_rule = load(texts(CASES["by-rule"], tmp_path)["gitlab.yml"])
    assert f"verify {one}" in by_rule[f"promote {one}"]["needs"]
    assert "when" not in by_rule[f"promote {one}"]
