"""`brqos keys new`: what it makes and what it tells about it."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from brqos.cli.keys import keys
from brqos.errors import ConfigurationError, ExitCode
from brqos.image.repack.signing import keys as making
from brqos.image.repack.signing.keys import FILES

Run = Callable[..., Any]


@pytest.fixture
def new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command; the keys' own making, which takes programs and a second, is tested elsewhere."""
    monkeypatch.chdir(tmp_path)

    def make(folder: Path, *, name: str, days: int) -> Any:
        if folder.exists():
            raise ConfigurationError("it is there already")
        folder.mkdir(parents=True)
        (folder / "made").write_text(f"{name} {days}")
        return FILES

    monkeypatch.setattr(making, "new_profile", make)

    def run(*words: object, code: int = 0) -> Any:
        result = CliRunner().invoke(keys, ["new", *map(str, words)], env={"COLUMNS": "200"})
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output
        return result

    return run


def test_what_each_file_is_for(new: Run, tmp_path: Path) -> None:
    said = new("--output", "keys").stdout
    assert (tmp_path / "keys" / "made").read_text() == "brqos 3650"
    for file in FILES:
        line = next(line for line in said.splitlines() if line.startswith(file.name + " "))
        assert file.purpose in line
        assert ("secret" in line) == file.secret


def test_how_to_keep_them(new: Run) -> None:
    said = " ".join(new("-o", "keys").stdout.split())
    for words in ("can sign", "loses them", "go on booting", "outside every work tree", "back it up", "no passphrase"):
        assert words in said
    assert "Building needs no PK.key, KEK.key, db.key, vendor.key" in said


def test_as_json(new: Run, tmp_path: Path) -> None:
    said = json.loads(new("-o", "keys", "--json").stdout)
    assert said["folder"] == str(tmp_path / "keys")
    assert {file["name"] for file in said["files"] if file["secret"]} >= {"config-sign.key", "PK.key"}
    assert all(file.keys() == {"name", "purpose", "secret", "needed"} for file in said["files"])


def test_options_are_handed_on(new: Run, tmp_path: Path) -> None:
    new("-o", "keys", "--name", "Example", "--days", "30")
    assert (tmp_path / "keys" / "made").read_text() == "Example 30"


def test_a_work_tree_is_warned_of(new: Run, tmp_path: Path) -> None:
    assert "warning" not in new("-o", "outside").stderr
    (tmp_path / "tree" / ".git").mkdir(parents=True)
    said = " ".join(new("-o", "tree/deep/keys").stderr.split())
    assert "inside the git work tree" in said


def test_an_error_is_told(new: Run, tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    assert "error: it is there already" in new("-o", "keys", code=ExitCode.CONFIGURATION).stderr
    new(code=ExitCode.USAGE)


def test_help() -> None:
    found = get_command(keys).commands["new"]  # type: ignore[attr-defined]
    assert re.match(r"[A-Z].*\.$", found.help.splitlines()[0])
    printed = CliRunner().invoke(keys, ["new", "--help"], env={"COLUMNS": "500"}).stdout
    texts = [found.help, *(option.help for option in found.params)]
    assert {word for text in texts for word in text.split()} <= set(printed.split())
    assert all(option.help.endswith(".") for option in found.params)
    assert "Secure Boot keys" in CliRunner().invoke(keys, ["--help"]).stdout
