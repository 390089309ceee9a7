import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from brqos.cli.main import app
from fleet.history import History, write_history


@dataclass(frozen=True)
class Ran:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def brqos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """Run a command as the console script does, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*words: object, code: int = 0) -> Ran:
        result = CliRunner().invoke(app, [str(word) for word in words])
        assert result.exit_code == code, f"exit {result.exit_code}\n{result.stdout}\n{result.stderr}"
        assert "Traceback" not in result.output
        return Ran(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture(scope="session")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    """Upstream with several tagged releases; not to be written to."""
    return write_history(tmp_path_factory.mktemp("history"))


@pytest.fixture
def configured(brqos, history: History, tmp_path: Path) -> Callable[..., Path]:
    """Write a brqos.toml that pins a release of `history`, in the folder that commands run in."""

    def write(variant: str = "aws-k8s-1.34", ref: str | None = "v1.50.0", more: str = "") -> Path:
        path = tmp_path / "brqos.toml"
        pin = f'ref = "{ref}"  # looked at by Ann\n' if ref else ""
        path.write_text(
            f'# ours\nvariant = "{variant}"\n\n[upstream]\nrepository = "{history.bottlerocket}"\n'
            f'core-kit = "{history.core_kit}"\n{pin}\n{more}'
        )
        return path

    return write
