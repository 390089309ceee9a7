"""A git repository made of a tree, the same on any machine."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from brqos import process
from brqos.rehearsal.miniature.entry import Entry

_BRANCH = "develop"
_WHO = "Miniature <miniature@brqos.invalid> 1735689600 +0000"
# Nothing of the user's own configuration may change what is written.
_ENVIRONMENT = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}


def write_repository(entries: Mapping[str, Entry], path: Path, *, tag: str | None = None) -> str:
    """Make a bare repository at `path` with one commit of these entries on the branch `develop`; return the commit.

    Author and date are fixed, so the same entries give the same commit anywhere. The tag is annotated, as upstream's
    are: it has an object of its own, and only `<tag>^{commit}` is the commit. A repository that is there already is
    replaced, and one that was interrupted is never found at `path`.
    """
    fresh = path.with_name(f".{path.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.parent.mkdir(parents=True, exist_ok=True)
    _git("init", "--quiet", "--bare", "--template=", f"--initial-branch={_BRANCH}", str(fresh))
    _git("-C", str(fresh), "fast-import", "--quiet", stdin=_stream(entries, tag))
    commit = _git("-C", str(fresh), "rev-parse", f"{_BRANCH}^{{commit}}")
    if path.exists():
        shutil.rmtree(path)
    fresh.rename(path)
    return commit


def _git(*arguments: str, stdin: bytes | None = None) -> str:
    return process.run(["git", *arguments], env=_ENVIRONMENT, stdin=stdin).text.strip()


def _stream(entries: Mapping[str, Entry], tag: str | None) -> bytes:
    """The tree in the language of `git fast-import`."""
    parts = [b"commit refs/heads/%s\nmark :1\n" % _BRANCH.encode(), _people("author", "committer")]
    parts.append(_data("A miniature of Bottlerocket's source\n"))
    for path, entry in sorted(entries.items()):
        parts.append(f"M {entry.mode} inline {path}\n".encode())
        parts.append(_data(entry.text))
    if tag is not None:
        parts.append(f"tag {tag}\nfrom :1\n".encode())
        parts.append(_people("tagger"))
        parts.append(_data(f"Miniature {tag}\n"))
    return b"".join(parts)


def _people(*roles: str) -> bytes:
    return "".join(f"{role} {_WHO}\n" for role in roles).encode()


def _data(text: str) -> bytes:
    raw = text.encode()
    return b"data %d\n%s\n" % (len(raw), raw)
