"""Handlebars, run by Node; the npm package lies in a folder that is not the repository's."""

import hashlib
import json
import os
import re
import shutil
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from brqos import process
from fidelity.case import CheckError

_HERE = Path(__file__).with_name("render")


def modules_folder(cache: Path) -> Path:
    """Where the npm packages of this lock file are kept."""
    lock = (_HERE / "package-lock.json").read_bytes()
    return cache / f"handlebars-{hashlib.sha256(lock).hexdigest()[:12]}"


def install(cache: Path) -> Path:
    """Put the locked npm packages there unless they are; raises brqos.process.ProcessError if npm cannot."""
    folder = modules_folder(cache)
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as partial:
            for name in ("package.json", "package-lock.json"):
                shutil.copy(_HERE / name, partial)
            process.run(
                ["npm", "ci", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund"], cwd=Path(partial)
            )
            fresh = Path(f"{partial}.done")
            shutil.copytree(partial, fresh)
        try:
            fresh.rename(folder)
        except OSError:
            # Another run was faster, and has the same.
            shutil.rmtree(fresh)
    return folder


class Renderer:
    """Renders templates for many settings; a template is rendered once, however often it is asked for."""

    def __init__(self, modules: Path, settings: Sequence[dict[str, Any]]) -> None:
        self._modules = modules
        self.settings = tuple(settings)
        self._done: dict[str, list[str]] = {}
        self._lock = Lock()

    def render(self, template: str) -> list[str]:
        """One text per settings; `template` has no front matter. Raises CheckError if Handlebars refuses it."""
        with self._lock:
            if template not in self._done:
                self._done[template] = self._run(template)
            return self._done[template]

    def _run(self, template: str) -> list[str]:
        done = process.run(
            ["node", _HERE / "render.js", self._modules],
            stdin=json.dumps({"template": template, "settings": self.settings}).encode(),
            check=False,
        )
        if done.status != 0:
            raise CheckError(f"Handlebars refuses the template: {done.stderr.strip()[-600:]}")
        return list(json.loads(done.text))


def parted(template: str) -> tuple[dict[str, Any], str]:
    """The front matter (TOML) and the template itself."""
    front, mark, body = template.partition("\n+++\n")
    if not mark:
        raise CheckError("the template has no front matter")
    return tomllib.loads(front), body


def settings_in(template: str) -> set[str]:
    """Every setting that the template looks at, such as `kubernetes.kube-reserved.cpu`."""
    return set(re.findall(r"settings\.([\w.-]+)", template))


def default_cache() -> Path:
    """Where packages of this kind are kept between runs."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "brqos-fidelity"
