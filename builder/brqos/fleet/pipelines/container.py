"""The recipe of a container image with brqos and all that its engines use: the files that `docker build` takes."""

import shlex
from pathlib import Path

from brqos.resources import LOCK_FILE, data_directory, requirements_lock

DEFAULT_FOLDER = Path("brqos-container")
RECIPE, IGNORED = "Containerfile", "Containerfile.dockerignore"


def recipe() -> dict[str, str]:
    """The files by their names: the recipe, what it leaves out of its context, and the locked Python packages.

    Raises FileNotFoundError if the installation is broken.
    """
    folder = data_directory("templates") / "container"
    lock = requirements_lock()
    if lock is None:
        raise FileNotFoundError(f"the installation lacks its file {LOCK_FILE}: reinstall brqos")
    files = {RECIPE: folder / RECIPE, IGNORED: folder / IGNORED, LOCK_FILE: lock}
    return {name: path.read_text(encoding="utf-8") for name, path in files.items()}


def build_command(folder: Path, requirement: str) -> str:
    """The command that makes the image of the files in that folder; `requirement` is where pip gets brqos."""
    words = ["docker", "build", "--file", str(folder / RECIPE), "--build-arg", f"BRQOS={requirement}"]
    return shlex.join([*words, "--tag", "brqos", str(folder)])
