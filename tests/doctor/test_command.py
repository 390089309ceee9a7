"""`brqos doctor` on a terminal and for scripts."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from brqos.cli.doctor import EngineName, doctor
from brqos.config.model import Engine
from brqos.doctor import attest as signing
from brqos.doctor import examine as module
from brqos.doctor.model import Report
from brqos.errors import ExitCode
from brqos.stages import Stage
from doctor.machine import Machine

app = typer.Typer()
app.command()(doctor)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    monkeypatch.chdir(tmp_path)
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
    assert (told["engine"], told["ok"], told["stages"]) == ("source", False, ["generate"])
    assert told["checks"][0]["status"] == "missing"


def test_what_signs_is_looked_at(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing, "ThisMachine", lambda: machine)
    machine.missing = frozenset(["cosign"])
    assert CliRunner().invoke(app, ["--for", "build"]).exit_code == ExitCode.DONE
    Path("brqos.toml").write_text("[attest]\nsign = 'cosign'\n")
    result = CliRunner().invoke(app, ["--for", "build"])
    assert result.exit_code == ExitCode.TOOL
    assert "Missing or too old: cosign." in result.stdout
    assert CliRunner().invoke(app, ["--for", "generate"]).exit_code == ExitCode.DONE


@pytest.fixture
def examined(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """What the command asks for."""
    asked: dict[str, object] = {}

    def examine(stages: list[Stage], **wish: object) -> Report:
        asked.update(wish, stages=stages)
        return Report((), ())

    monkeypatch.setattr(module, "examine", examine)
    return asked


def test_all_stages_by_default(examined: dict[str, object]) -> None:
    assert CliRunner().invoke(app, []).exit_code == ExitCode.DONE
    assert (examined["stages"], examined["engine"]) == (list(Stage), Engine.SOURCE)


def test_a_repacked_image_needs_no_source(examined: dict[str, object]) -> None:
    assert CliRunner().invoke(app, ["--engine", "repack"]).exit_code == ExitCode.DONE
    assert examined["stages"] == [Stage.BUILD, Stage.REGISTER, Stage.NODEGROUP]
    # No keys are named, and no image of one's own.
    assert (examined["engine"], examined["signed"], examined["official"]) == (Engine.REPACK, False, True)


@pytest.mark.parametrize(
    ("written", "flags", "signed", "official"),
    [
        ("", [], False, True),
        ("[build]\nsbkeys-profile = 'keys'", [], True, True),
        ("[build]\nsbkeys-profile = 'keys'", ["--unsigned"], False, True),
        ("[build]\nsbkeys-profile = 'keys'\n[repack]\nunsigned = true", [], False, True),
        ("[repack]\nunsigned = true", ["--signed"], True, True),
        ("[repack]\nimage = 'os.img.lz4'", [], False, False),
        ("[repack]\nimage = 'os.img.lz4'", ["--from-release"], False, True),
        ("", ["--own-image"], False, False),
    ],
)
def test_what_the_configuration_says_counts(
    examined: dict[str, object], written: str, flags: list[str], signed: bool, official: bool
) -> None:
    Path("brqos.toml").write_text(written)
    result = CliRunner().invoke(app, ["--engine", "repack", *flags])
    assert result.exit_code == ExitCode.DONE, result.output
    assert (examined["signed"], examined["official"]) == (signed, official)


def test_engine_profile_and_regions_of_the_configuration(examined: dict[str, object]) -> None:
    Path("my.toml").write_text(
        "variant = 'aws-k8s-1.29'\nbuild.engine = 'repack'\nami.profile = 'work'\nami.regions = ['eu-central-1']"
    )
    CliRunner().invoke(app, ["--config", "my.toml"])
    assert (examined["engine"], examined["profile"], examined["regions"]) == (Engine.REPACK, "work", ("eu-central-1",))
    CliRunner().invoke(app, ["--config", "my.toml", "--engine", "source", "--profile", "mine", "--region", "us-east-1"])
    assert (examined["engine"], examined["profile"], examined["regions"]) == (Engine.SOURCE, "mine", ("us-east-1",))


def test_a_broken_configuration_is_told(machine: Machine) -> None:
    Path("brqos.toml").write_text("[build]\nengine = 'spaceship'")
    result = CliRunner().invoke(app, [])
    assert result.exit_code == ExitCode.CONFIGURATION
    assert "spaceship" in result.stderr


def test_repacking_all_there(machine: Machine) -> None:
    result = CliRunner().invoke(app, ["--engine", "repack", "--for", "build"])
    assert result.exit_code == ExitCode.DONE
    assert "veritysetup" in result.stdout
    assert "docker" not in result.stdout
    assert "All is there for build." in result.stdout


def test_repacking_with_much_missing(machine: Machine) -> None:
    machine.missing = frozenset(["sgdisk", "debugfs", "sbsign"])
    words = ["--engine", "repack", "--for", "build", "--own-image"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == ExitCode.TOOL
    assert "Missing or too old: sgdisk, debugfs." in result.stdout
    assert "At once: sudo apt-get install gdisk e2fsprogs\n" in result.stdout
    assert "sudo apt-get install sbsigntool   (only to sign with your keys)" in result.stdout
    told = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert (told["engine"], told["ok"]) == ("repack", False)
    statuses = {check["name"]: check["status"] for check in told["checks"]}
    assert (statuses["sgdisk"], statuses["sbsign"], statuses["sbverify"]) == ("missing", "warning", "found")


def test_unsigned_needs_no_keys(machine: Machine) -> None:
    machine.missing = frozenset(["sbsign", "sbverify", "gpg", "gpgconf", "virt-firmware", "virt-fw-vars"])
    words = ["--engine", "repack", "--for", "build"]
    assert CliRunner().invoke(app, [*words, "--unsigned"]).exit_code == ExitCode.DONE
    result = CliRunner().invoke(app, [*words, "--signed"])
    assert result.exit_code == ExitCode.TOOL
    assert "Missing or too old: sbsign, sbverify, gpg, gpgconf, virt-firmware." in result.stdout


@pytest.mark.parametrize("flag", ["--signed", "--unsigned", "--from-release", "--own-image"])
def test_flags_of_the_other_engine(machine: Machine, flag: str) -> None:
    result = CliRunner().invoke(app, [flag])
    assert result.exit_code == ExitCode.USAGE
    assert "--engine repack" in result.stderr


def test_the_engines_are_those_of_the_configuration() -> None:
    assert [engine.value for engine in EngineName] == [engine.value for engine in Engine]


def test_wrong_engine(machine: Machine) -> None:
    assert CliRunner().invoke(app, ["--engine", "spaceship"]).exit_code == ExitCode.USAGE
