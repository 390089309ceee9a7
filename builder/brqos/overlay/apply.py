"""Apply an overlay to a work tree: one commit, the same bytes on any machine."""

import contextlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from brqos.overlay.model import Overlay
from brqos.upstream.git import git, text

_AUTHOR = "brqos <brqos@brqos.invalid>"


def commit_overlay(overlay: Overlay, repository: Path) -> str:
    """Make the overlay's commit in a repository that has the upstream commit; return it. Touches no checked-out file.

    Author, committer and date are fixed (the date is the upstream commit's), so the hash depends on the content alone.
    """
    reference = f"refs/heads/brqos/{overlay.variant.memory_qos}"
    _import({reference: overlay}, repository)
    return text("rev-parse", "--verify", f"{reference}^{{commit}}", at=repository)


def commit_of(overlay: Overlay, mirror: Path) -> str:
    """The commit that the overlay will be, without writing to the mirror or anywhere that stays."""
    return commits_of([overlay], mirror)[0]


def commits_of(overlays: Sequence[Overlay], mirror: Path) -> list[str]:
    """The commits that overlays of one mirror will be, in their order, by one call of git for all of them."""
    with _beside(mirror) as repository:
        return _committed(overlays, repository)


def patches_of(overlays: Sequence[Overlay], mirror: Path) -> list[tuple[str, str]]:
    """The commits that overlays of one mirror will be, and each as a patch; nothing is written to the mirror."""
    with _beside(mirror) as repository:
        return [(commit, patch(repository, commit)) for commit in _committed(overlays, repository)]


@contextlib.contextmanager
def _beside(mirror: Path) -> Iterator[Path]:
    """A repository that has all that the mirror has, for as long as it is used."""
    with tempfile.TemporaryDirectory(prefix="brqos-commit-") as folder:
        repository = Path(folder)
        git("init", "--quiet", "--bare", repository)
        objects = mirror / text("rev-parse", "--git-path", "objects", at=mirror)
        (repository / "objects" / "info" / "alternates").write_text(f"{objects.resolve()}\n", encoding="utf-8")
        yield repository


def _committed(overlays: Sequence[Overlay], repository: Path) -> list[str]:
    # What a commit is called by does not become part of it.
    _import({f"refs/heads/{number}": overlay for number, overlay in enumerate(overlays)}, repository)
    listed = text("for-each-ref", "--format=%(refname:lstrip=2) %(objectname)", at=repository)
    found = dict(line.split() for line in listed.splitlines())
    return [found[str(number)] for number in range(len(overlays))]


def _import(overlays: Mapping[str, Overlay], repository: Path) -> None:
    """Make the commit of each overlay, under its reference."""
    commits = (piece for reference, overlay in overlays.items() for piece in _commit(overlay, reference))
    stream = b"".join([b"feature done\n", *commits, b"done\n"])
    git("fast-import", "--quiet", "--force", "--done", at=repository, stdin=stream)


def patch(repository: Path, commit: str) -> str:
    """The commit as a patch that `git am` takes; there it gets another committer and so another hash, the same tree."""
    return git(
        "format-patch", "-1", "--stdout", "--no-signature", "--full-index", "--binary", "--no-renames", commit,
        at=repository,
    ).text  # fmt: skip


def _commit(overlay: Overlay, reference: str) -> Iterator[bytes]:
    person = f"{_AUTHOR} {overlay.committed_at}"
    yield f"commit {reference}\nauthor {person}\ncommitter {person}\n".encode()
    yield _data(overlay.message)
    yield f"from {overlay.upstream_commit}\n".encode()
    for file in overlay.files:
        yield f"M {file.mode} inline {file.path}\n".encode()
        yield _data(file.content)


def _data(content: str) -> bytes:
    encoded = content.encode()
    return b"data %d\n%s\n" % (len(encoded), encoded)
