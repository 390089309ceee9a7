"""`brqos doctor` on a terminal and for scripts."""

import json

import pytest
import typer
from typer.testing import CliRunner

from brqos.cli.doctor import doctor
from brqos.doctor import examine as module
from brqos.doctor.model import Report
from brqos.errors import ExitCode
from brqos.stages import Stage
from doctor.machine import Machine

app = typer.Typer()
app.command()(doctor)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    found = Machine()
    monkeypatch.setattr(module, "ThisMachine", lambda: found)
    return found


def test_all_there(machine: Machine) -> None:
    result = CliRunner().invoke(app, ["--for", "generate", "--for", "build"])
    assert result.exit_code == ExitCode.DONE
    assert "cargo-make" in result.stdout
    assert "All is there for generate, build." in result.stdout


def test_missing(machine: Machine) -> None:
    machine.missing = frozenset(["cargo-make"])
    result = CliRunner().invoke(app, ["--for", "build"])
    assert result.exit_code == ExitCode.TOOL
    assert "cargo install --locked cargo-make" in result.stdout
    assert "Missing or too old: cargo-make." in result.stdout
    assert CliRunner().invoke(app, ["--for", "generate"]).exit_code == ExitCode.DONE


def test_json(machine: Machine) -> None:
    machine.missing = frozenset(["git"])
    result = CliRunner().invoke(app, ["--for", "generate", "--json"])
    assert result.exit_code == ExitCode.TOOL
    told = json.loads(result.stdout)
    assert (told["engine"], told["ok"], told["stages"]) == ("twoliter", False, ["generate"])
    assert told["checks"][0]["status"] == "missing"


def test_all_stages_by_default(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Stage] = []

    def examine(stages: list[Stage], **_: object) -> Report:
        asked.extend(stages)
        return Report((), ())

    monkeypatch.setattr(module, "examine", examine)
    assert CliRunner().invoke(app, []).exit_code == ExitCode.DONE
    assert asked == list(Stage)


def test_wrong_engine(machine: Machine) -> None:
    assert CliRunner().invoke(app, ["--engine", "spaceship"]).exit_code == ExitCode.USAGE
