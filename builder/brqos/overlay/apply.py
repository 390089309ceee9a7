"""Apply an overlay to a work tree: one commit, the same bytes on any machine."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from brqos.overlay.model import Overlay
from brqos.upstream.git import git, text

_AUTHOR = "brqos <brqos@brqos.invalid>"


def commit_overlay(overlay: Overlay, repository: Path) -> str:
    """Make the overlay's commit in a repository that has the upstream commit; return it. Touches no checked-out file.

    Author, committer and date are fixed (the date is the upstream commit's), so the hash depends on the content alone.
    """
    reference = f"refs/heads/brqos/{overlay.variant.memory_qos}"
    stream = b"".join(_stream(overlay, reference))
    git("fast-import", "--quiet", "--force", "--done", at=repository, stdin=stream)
    return text("rev-parse", "--verify", f"{reference}^{{commit}}", at=repository)


def commit_of(overlay: Overlay, mirror: Path) -> str:
    """The commit that the overlay will be, without writing to the mirror or anywhere that stays."""
    with tempfile.TemporaryDirectory(prefix="brqos-commit-") as folder:
        repository = Path(folder)
        git("init", "--quiet", "--bare", repository)
        objects = mirror / text("rev-parse", "--git-path", "objects", at=mirror)
        (repository / "objects" / "info" / "alternates").write_text(f"{objects.resolve()}\n", encoding="utf-8")
        return commit_overlay(overlay, repository)


def patch(repository: Path, commit: str) -> str:
    """The commit as a patch that `git am` takes; there it gets another committer and so another hash, the same tree."""
    return git(
        "format-patch", "-1", "--stdout", "--no-signature", "--full-index", "--binary", "--no-renames", commit,
        at=repository,
    ).text  # fmt: skip


def _stream(overlay: Overlay, reference: str) -> Iterator[bytes]:
    person = f"{_AUTHOR} {overlay.committed_at}"
    yield f"feature done\ncommit {reference}\nauthor {person}\ncommitter {person}\n".encode()
    yield _data(overlay.message)
    yield f"from {overlay.upstream_commit}\n".encode()
    for file in overlay.files:
        yield f"M {file.mode} inline {file.path}\n".encode()
        yield _data(file.content)
    yield b"done\n"


def _data(content: str) -> bytes:
    encoded = content.encode()
    return b"data %d\n%s\n" % (len(encoded), encoded)
