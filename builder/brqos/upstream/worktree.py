"""Work trees: a clone of the mirror for one upstream commit and variant, kept between builds.

A work tree is a clone of its own (objects are hard links to the mirror's where the file system allows), so it still
works when the mirror or the cache is gone. What upstream's build leaves in it (kits, SDK, cargo's and the build's
output) is ignored by git and stays, which makes the next build of the same tree fast.
"""

import contextlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from brqos.errors import UpstreamError
from brqos.process import ProcessError
from brqos.upstream.git import git
from brqos.upstream.mirror import Mirror, without_credentials

# The image's name has the short commit, and git chooses its length by the size of the clone: fixed, it is everywhere
# the same (12 digits are unique in any repository of this size, so git never lengthens them).
ABBREVIATION = 12
_STATE = "brqos.json"
# Without this a repository hands out the tips of its branches only.
_ANY_COMMIT = "git -c uploadpack.allowAnySHA1InWant=true upload-pack"


@dataclass(frozen=True, slots=True)
class WorkTree:
    """A checked-out tree with our overlay: `commit` is the overlay's, whose parent is `upstream_commit`."""

    path: Path
    commit: str
    upstream_commit: str

    @property
    def short_commit(self) -> str:
        """As `git describe --always` says it, and so as upstream puts it into the image's name."""
        return self.commit[:ABBREVIATION]


def work_tree_path(cache: Path, commit: str, variant: str) -> Path:
    """Where the work tree of an upstream commit and variant is kept."""
    return cache / "trees" / f"{commit[:12]}-{variant}"


def check_out(
    mirror: Mirror, upstream_commit: str, path: Path, variant: str, commit: Callable[[Path], str]
) -> WorkTree:
    """Make `path` a work tree of what `commit(repository)` makes on top of `upstream_commit`.

    A tree of ours is used again (whatever an interrupted run left is repaired first). Raises UpstreamError for a folder
    that is not ours, or that somebody changed by hand.
    """
    if path.exists() and not _is_empty(path):
        return _switch(mirror, upstream_commit, path, variant, commit)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial-{os.getpid()}")
    try:
        # A clone of a path links its objects, and copies them only if it was not told --local.
        git("clone", "--quiet", "--no-checkout", mirror.path, partial)
        git("remote", "set-url", "origin", without_credentials(mirror.repository), at=partial)
        tree = _finish(partial, upstream_commit, variant, commit)
        with contextlib.suppress(OSError):
            path.rmdir()
        partial.rename(path)
    except ProcessError as error:
        raise UpstreamError(
            f"the work tree {path} cannot be made",
            why=error.reason,
            todo="Check that the disk has room and the folder can be written to; --work-tree names another one.",
        ) from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return WorkTree(path, tree, upstream_commit)


def refuse_changed_checkout(repository: str, commit: str) -> None:
    """Raise UpstreamError if `repository` is a checkout of `commit` with changes that would be left out silently."""
    path = Path(repository).expanduser()
    if not (path / ".git").exists() or text_or_nothing("rev-parse", "HEAD", at=path) != commit:
        return
    if changes := _changes(path):
        raise UpstreamError(
            f"{repository} has changes that are not committed",
            why=f"brqos builds commits, so these would be left out without a word: {_few(changes)}",
            todo="Commit them and name that commit with --ref, or stash them.",
        )


def text_or_nothing(*arguments: str, at: Path) -> str:
    """What git prints, or nothing where it fails."""
    return git(*arguments, at=at, check=False).text.strip()


def _switch(mirror: Mirror, upstream_commit: str, path: Path, variant: str, commit: Callable[[Path], str]) -> WorkTree:
    state = _state(path)
    if state is None:
        raise UpstreamError(
            f"{path} is there already, and brqos did not make it",
            why="It would be overwritten." if path.is_dir() else "It is not a folder.",
            todo="Name another folder with --work-tree, or remove this one.",
        )
    head = text_or_nothing("rev-parse", "HEAD", at=path)
    if state.get("ready") and head != state.get("commit"):
        raise UpstreamError(
            f"the work tree {path} has a commit that brqos did not make: {head[:12]}",
            why="It would be left behind without a word.",
            todo="Keep it elsewhere (git format-patch), or remove the folder; brqos makes it anew.",
        )
    if state.get("ready") and (changes := _changes(path)):
        raise UpstreamError(
            f"the work tree {path} was changed by hand",
            why=f"Changed: {_few(changes)}. An image built from it would be called “-dirty”.",
            todo=f"Undo it (git -C {path} checkout --force HEAD), or remove the folder.",
        )
    try:
        _remove_stale_locks(path)
        if not text_or_nothing("rev-parse", "--verify", "--quiet", f"{upstream_commit}^{{commit}}", at=path):
            git("fetch", "--quiet", "--upload-pack", _ANY_COMMIT, mirror.path, upstream_commit, at=path)
        made = _finish(path, upstream_commit, variant, commit)
    except ProcessError as error:
        raise UpstreamError(
            f"the work tree {path} is broken", why=error.reason, todo="Remove that folder; brqos makes it anew."
        ) from None
    return WorkTree(path, made, upstream_commit)


def _finish(repository: Path, upstream_commit: str, variant: str, commit: Callable[[Path], str]) -> str:
    state = {"variant": variant, "upstream": upstream_commit, "ready": False}
    _write_state(repository, state)
    git("config", "core.abbrev", str(ABBREVIATION), at=repository)
    made = commit(repository)
    if text_or_nothing("rev-parse", "HEAD", at=repository) != made or _changes(repository):
        git("checkout", "--quiet", "--force", "--detach", made, at=repository)
    _write_state(repository, {**state, "commit": made, "ready": True})
    return made


def _changes(path: Path) -> list[str]:
    """Tracked files that are not as committed: what `git describe --dirty`, and so upstream's build, looks at."""
    lines = git("status", "--porcelain", "--untracked-files=no", at=path).text.splitlines()
    return [line[3:] for line in lines]


def _few(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _state(path: Path) -> dict[str, object] | None:
    try:
        state = json.loads((path / ".git" / _STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return state if isinstance(state, dict) else None


def _write_state(repository: Path, state: dict[str, object]) -> None:
    target = repository / ".git" / _STATE
    partial = target.with_suffix(".partial")
    partial.write_text(json.dumps(state), encoding="utf-8")
    partial.replace(target)


def _remove_stale_locks(path: Path) -> None:
    # The caller holds our lock on this tree, so a lock file of git's is what a killed git left.
    for name in ("index.lock", "HEAD.lock", "config.lock", "shallow.lock"):
        (path / ".git" / name).unlink(missing_ok=True)


def _is_empty(path: Path) -> bool:
    return path.is_dir() and not any(path.iterdir())
