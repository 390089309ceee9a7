"""One pair of release and variant: what is asked of brqos, and what it made of it."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from brqos import process
from brqos.variant import VariantName


class CheckError(Exception):
    """A check found something wrong; the message says what."""


@dataclass(frozen=True, slots=True)
class Source:
    """A commit of a git repository that is only read."""

    repository: Path
    commit: str

    def text(self, path: str) -> str:
        """A file's text. Raises CheckError where there is none."""
        found = _show(self.repository, f"{self.commit}:{path}")
        if found is None:
            raise CheckError(f"{self.repository} has no {path} at {self.commit[:12]}")
        return found

    def has(self, path: str) -> bool:
        """Whether there is such a file."""
        return _show(self.repository, f"{self.commit}:{path}") is not None

    def files(self, folder: str = "") -> dict[str, str]:
        """Each path below the folder with git's mode and blob, separated by a blank."""
        return _files(self.repository, self.commit, folder)


@dataclass(frozen=True, slots=True)
class Pair:
    """A release and one of its variants, and the core kit that belongs to it."""

    release: str
    variant: VariantName
    upstream: Source
    core_kit: Source
    core_kit_version: str
    version_is_stand_in: bool = False
    """Whether the commit is that of another version of the kit, which stands in for one that cannot be had."""

    def __str__(self) -> str:
        return f"v{self.release} {self.variant.base}"

    @property
    def kubelet_package(self) -> str:
        """The folder of the kubelet's package in the core kit."""
        return f"packages/kubernetes-{self.variant.kubernetes}"

    @property
    def template(self) -> str:
        """Upstream's own kubelet-config, with its front matter."""
        return self.core_kit.text(f"{self.kubelet_package}/kubelet-config")

    @property
    def delivery(self) -> str:
        """The delivery that this release needs, read from the core kit alone."""
        if "settings.kubernetes.memory-throttling-factor" in self.template:
            return "native"
        start = self.core_kit.text(f"{self.kubelet_package}/kubelet-exec-start-conf")
        return "drop-in" if "--config-dir=/etc/kubernetes/kubelet/config.d" in start else "template"


@dataclass(frozen=True, slots=True)
class Case:
    """A pair, the JSON object that brqos printed for it, and the work tree that it made."""

    pair: Pair
    surface: dict[str, Any]
    work_tree: Path

    @property
    def new(self) -> str:
        """The name of the new variant."""
        return f"{self.pair.variant.base}-memoryqos"

    @property
    def local_package(self) -> Path:
        """The folder of the one package that the overlay adds, found by what was added to `packages/`."""
        known = {path.split("/")[1] for path in self.pair.upstream.files("packages") if path.count("/") > 1}
        added = {path.name for path in (self.work_tree / "packages").iterdir() if path.is_dir()} - known
        if len(added) != 1:
            raise CheckError(f"not one local package was added but {sorted(added)}")
        return self.work_tree / "packages" / added.pop()

    def git(self, *arguments: str) -> str:
        """What git says in the work tree."""
        return process.run(["git", "-C", str(self.work_tree), *arguments]).text


# Every pair of a release reads the same files of the same commits.
@cache
def _show(repository: Path, name: str) -> str | None:
    done = process.run(["git", "-C", str(repository), "cat-file", "blob", name], check=False)
    return done.stdout.decode() if done.status == 0 else None


@cache
def _files(repository: Path, commit: str, folder: str) -> dict[str, str]:
    arguments = ["ls-tree", "-r", "-z", commit, *([f"{folder}/"] if folder else [])]
    listed = process.run(["git", "-C", str(repository), *arguments]).stdout.decode().split("\0")
    entries = [entry.split("\t", 1) for entry in listed if entry]
    return {path: f"{meta.split()[0]} {meta.split()[2]}" for meta, path in entries}
