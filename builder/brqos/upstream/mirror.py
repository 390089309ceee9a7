"""A cached bare mirror of a repository, and names of revisions -> commits.

The mirror has upstream's branches and tags. It is made once, and asked again only when a name cannot be answered from
it: a commit and a tag never move, a branch does. Whatever is interrupted lies under another name and is thrown away.

A repository on this machine is its own mirror: it is read where it lies and never written to. Copying it would cost
time, could be stale, and fails where a large file of its history is missing.
"""

import hashlib
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from brqos.errors import UpstreamError
from brqos.locks import locked
from brqos.monitor import Monitor
from brqos.process import ProcessError
from brqos.upstream.git import git, text

_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHORT_COMMIT = re.compile(r"[0-9a-f]{7,40}")
_REFSPECS = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")


class NotMirroredError(UpstreamError):
    """What is asked for is not in the cache, and --offline forbids to fetch it."""


@dataclass(frozen=True, slots=True)
class Mirror:
    """A repository, mirrored at `path`; `fixed` where it is never fetched: offline, or on this machine.

    `place` is where it is fetched from, if that is another ([mirrors] git). Whatever is recorded is the repository.
    """

    repository: str
    path: Path
    fixed: bool
    place: str = ""

    @property
    def origin(self) -> str:
        """Where it is fetched from."""
        return self.place or self.repository

    def resolve(self, ref: str, monitor: Monitor) -> str:
        """The commit (40 hex digits) that a tag, branch or commit names; raises UpstreamError."""
        if ref.startswith("-") or any(character.isspace() for character in ref):
            raise UpstreamError(f"“{ref}” cannot be the name of a tag, branch or commit")
        if found := self._unmoving(ref):
            return found
        if not self.fixed:
            self.fetch(monitor)
            if found := self._unmoving(ref):
                return found
            if _COMMIT.fullmatch(ref) and self._fetch_commit(ref):
                return ref
        for name in (f"refs/heads/{ref}", f"refs/remotes/{ref}", f"refs/remotes/origin/{ref}"):
            if found := self._commit(name):
                return found
        if (_SHORT_COMMIT.fullmatch(ref) or ref == "HEAD") and (found := self._commit(ref)):
            return found
        raise self._unknown(ref)

    def fetch(self, monitor: Monitor) -> None:
        """Bring the branches and tags up to date."""
        with locked(self.path, "updating the mirror", wait=True, monitor=monitor):
            try:
                git("fetch", "--quiet", "--prune", "--force", self.origin, *_REFSPECS, at=self.path, network=True)
            except ProcessError as error:
                raise _unreachable(self, error) from None

    @property
    def label(self) -> str:
        """The place in a sentence, without a user's name and password."""
        original = without_credentials(self.repository)
        return f"{without_credentials(self.place)}, the mirror of {original}," if self.place else original

    def _fetch_commit(self, commit: str) -> bool:
        completed = git("fetch", "--quiet", self.origin, commit, at=self.path, network=True, check=False)
        return completed.status == 0 and self._commit(commit) is not None

    def _unmoving(self, ref: str) -> str | None:
        if _COMMIT.fullmatch(ref):
            return self._commit(ref)
        # People write 1.50.0 where the tag is v1.50.0.
        return self._commit(f"refs/tags/{ref}") or self._commit(f"refs/tags/v{ref}")

    def _commit(self, name: str) -> str | None:
        completed = git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", at=self.path, check=False)
        return completed.text.strip() or None

    def _unknown(self, ref: str) -> UpstreamError:
        tags = text("tag", "--list", "--sort=-version:refname", "v*", at=self.path).split()
        known = f"Its newest tags are {', '.join(tags[:5])}." if tags else "It has no tags; name a branch or a commit."
        offline = self.fixed and not is_local(self.origin)
        if offline:
            known += " Nothing was fetched, because of --offline."
        return (NotMirroredError if offline else UpstreamError)(
            f"{self.label} has no tag, branch or commit “{ref}”",
            why=known,
            todo="Name one that exists with --ref (or --core-kit-ref for the core kit).",
        )


def open_mirror(repository: str, cache: Path, *, offline: bool, monitor: Monitor, place: str | None = None) -> Mirror:
    """The mirror of a repository (URL or path), made if it is not there; raises UpstreamError.

    `place` is where it is fetched from, if it is another than the repository itself. It is kept under the repository's
    name all the same: what was fetched is the same, wherever it came from.
    """
    other = place if place not in {None, repository} else None
    if is_local(other or repository):
        return _on_this_machine(Path(other or repository).expanduser().absolute(), repository if other else None)
    mirror = Mirror(repository, cache / "mirrors" / _directory_name(repository), fixed=offline, place=other or "")
    if not _is_sound(mirror.path):
        with locked(mirror.path, "making the mirror", wait=True, monitor=monitor):
            if not _is_sound(mirror.path):
                _make(mirror, monitor)
    return mirror


def is_local(repository: str) -> bool:
    """Whether the repository is a path and no URL (nor git's user@host:path)."""
    return "://" not in repository and not re.match(r"[\w.-]+@[\w.-]+:", repository)


def without_credentials(repository: str) -> str:
    """The URL without a user's name and password, for records and messages."""
    return re.sub(r"(?<=://)[^/@]+@", "", repository)


def _on_this_machine(path: Path, original: str | None) -> Mirror:
    if original is not None and not path.exists():
        # A server takes a repository's name with and without that ending.
        path = path.with_suffix("") if path.suffix == ".git" else path
    completed = git("rev-parse", "--git-dir", at=path, check=False) if path.is_dir() else None
    if completed is None or completed.status != 0:
        raise UpstreamError(
            f"{path} is not a git repository that can be read" if completed else f"there is no folder {path}",
            why=ProcessError(completed).reason if completed else "",
            todo="Correct mirrors.git in brqos.toml."
            if original
            else "Give --upstream or --core-kit the URL or the path of a git repository.",
        )
    return Mirror(original or str(path), path, fixed=True, place=str(path) if original else "")


def _make(mirror: Mirror, monitor: Monitor) -> None:
    if mirror.fixed:
        raise NotMirroredError(
            f"{without_credentials(mirror.repository)} is not mirrored yet, and --offline forbids to fetch it",
            todo="Run once without --offline, or name a local copy with --upstream PATH.",
        )
    shutil.rmtree(mirror.path, ignore_errors=True)
    partial = mirror.path.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    with monitor.task(f"Mirroring {without_credentials(mirror.origin)}"):
        try:
            git("init", "--quiet", "--bare", partial)
            git("fetch", "--quiet", mirror.origin, *_REFSPECS, at=partial, network=True)
        except ProcessError as error:
            shutil.rmtree(partial, ignore_errors=True)
            raise _unreachable(mirror, error) from None
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        # Work trees fetch single commits from the mirror.
        git("config", "uploadpack.allowAnySHA1InWant", "true", at=partial)
        git("config", "--add", "remote.origin.url", without_credentials(mirror.repository), at=partial)
        for refspec in _REFSPECS:
            git("config", "--add", "remote.origin.fetch", refspec, at=partial)
        partial.rename(mirror.path)


def _is_sound(path: Path) -> bool:
    return path.is_dir() and git("rev-parse", "--is-bare-repository", at=path, check=False).text.strip() == "true"


def _directory_name(repository: str) -> str:
    name = re.sub(r"[^\w.-]+", "-", repository.rstrip("/").rsplit("/", 1)[-1].removesuffix(".git")) or "repository"
    return f"{name}-{hashlib.sha256(repository.encode()).hexdigest()[:10]}.git"


def _unreachable(mirror: Mirror, error: ProcessError) -> UpstreamError:
    todo = (
        "Check the network, the proxy and the URL; --upstream and --core-kit take a local copy or another mirror, "
        "--offline uses what was fetched before."
    )
    if mirror.place:
        todo = f"Correct mirrors.git in brqos.toml if it is another place (`brqos doctor` asks it). {todo}"
    return UpstreamError(f"{mirror.label} cannot be fetched", why=without_credentials(error.reason), todo=todo)
