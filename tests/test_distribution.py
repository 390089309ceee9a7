"""The wheel and the sdist, and brqos installed from the wheel, away from the checkout."""

import os
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from brqos import process

pytestmark = pytest.mark.processes
TOP = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (TOP / "pyproject.toml").is_file():
        pytest.skip("no checkout to build from")
    folder = tmp_path_factory.mktemp("dist")
    process.run([sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, TOP])
    return folder


def test_the_wheel_has_the_data_that_commands_read(distributions: Path) -> None:
    names = zipfile.ZipFile(next(distributions.glob("*.whl"))).namelist()
    assert "brqos/variants/aws-k8s-1.29.toml" in names
    assert "brqos/templates/kubelet-memory-qos.spec" in names
    assert "brqos/py.typed" in names
    assert not [name for name in names if name.startswith("tests/")]


def test_the_sdist_can_be_tested_by_others(distributions: Path) -> None:
    with tarfile.open(next(distributions.glob("*.tar.gz"))) as archive:
        names = archive.getnames()
    tails = {name.partition("/")[2] for name in names}
    assert {
        "LICENSE",
        "README.md",
        "requirements.lock",
        "scripts/test",
        "tests/conftest.py",
        "variants/aws-k8s-1.29.toml",
    } <= tails


@pytest.mark.slow
def test_an_installed_wheel_works_away_from_the_checkout(distributions: Path, tmp_path: Path) -> None:
    environment = tmp_path / "venv"
    venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    wheel = next(distributions.glob("*.whl"))
    process.run([python, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", wheel])
    # The dependencies are those of this environment; nothing is fetched.
    site = next((environment / "lib").glob("python*/site-packages"))
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    # A checkout on the path of this environment would hide what the wheel lacks.
    shown = process.run([python, "-c", "import brqos; print(brqos.__file__)"], cwd=tmp_path).text
    assert Path(shown.strip()).is_relative_to(environment)
    brqos = environment / "bin" / "brqos"
    env = {"BRQOS_CACHE_DIR": str(tmp_path / "cache"), "PATH": os.environ["PATH"]}
    assert "aws-k8s-1.29" in process.run([brqos, "variants"], cwd=tmp_path, env=env).text
    process.run([brqos, "init"], cwd=tmp_path, env=env)
    assert (tmp_path / "brqos.toml").is_file()
    ran = process.run([brqos, "build", "--variant", "aws-k8s-1.29", "--rehearse", "--json"], cwd=tmp_path, env=env)
    assert '"rehearsal": true' in ran.text
    process.run([brqos, "pipeline", "container"], cwd=tmp_path, env=env)
    recipe = tmp_path / "brqos-container"
    assert "--hash=sha256:" in (recipe / "requirements.lock").read_text()
    assert "FROM " in (recipe / "Containerfile").read_text()
