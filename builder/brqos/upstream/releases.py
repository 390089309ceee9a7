"""The releases of a mirrored repository: its tags `vX.Y.Z`, and which variants each tree has.

Whatever their number, git is called twice: once for the tags, once for all the trees (only the folder `variants` of
each is read, and no file).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from brqos.upstream.git import git

Version = tuple[int, int, int]

_TAG = re.compile(r"v(\d+)\.(\d+)\.(\d+)", re.ASCII)
# Per tag: name, the kinds, ids and dates of the tag itself and (where it is annotated) of the commit behind it.
_FORMAT = "%(refname:strip=2)%09" + "%09".join(
    f"%({peel}{name})" for name in ("objecttype", "objectname", "committerdate:unix") for peel in ("", "*")
)


@dataclass(frozen=True, slots=True)
class Release:
    """A tag `vX.Y.Z`; `variants` are the names of the folders below `variants/` in its tree."""

    version: Version
    commit: str
    committed: datetime
    variants: frozenset[str] = field(repr=False)

    @property
    def name(self) -> str:
        """The tag, `v1.50.0`."""
        return tag_of(self.version)

    @property
    def day(self) -> date:
        """The day of its commit, in UTC."""
        return self.committed.date()


def tag_of(version: Version) -> str:
    """`v1.50.0`."""
    return "v" + ".".join(map(str, version))


def parse_release(text: str) -> Version | None:
    """`v1.50.0` or `1.50.0` as numbers; None for anything else (`v1.50.0-rc1`, `develop`)."""
    match = _TAG.fullmatch(text if text.startswith("v") else f"v{text}")
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def read_releases(mirror: Path) -> tuple[Release, ...]:
    """All releases that the repository at `mirror` has tags of, oldest version first; other tags are left out.

    A tree without `variants/` is a release without variants. Raises ProcessError if git fails.
    """
    tags = sorted(_tags(mirror))
    variants = _variants(mirror, [commit for _, commit, _ in tags])
    return tuple(
        Release(version, commit, committed, names)
        for (version, commit, committed), names in zip(tags, variants, strict=True)
    )


def _tags(mirror: Path) -> Iterator[tuple[Version, str, datetime]]:
    for line in git("for-each-ref", f"--format={_FORMAT}", "refs/tags", at=mirror).text.splitlines():
        name, kind, peeled_kind, commit, peeled, seconds, peeled_seconds = line.split("\t")
        version = _TAG.fullmatch(name)
        if version is None or (peeled_kind or kind) != "commit":
            continue
        committed = datetime.fromtimestamp(int(peeled_seconds or seconds), UTC)
        yield (int(version[1]), int(version[2]), int(version[3])), peeled or commit, committed


def _variants(mirror: Path, commits: Sequence[str]) -> Iterator[frozenset[str]]:
    """The folders below `variants/` of each commit, in the same order."""
    asked = "".join(f"{commit}:variants\n" for commit in commits).encode()
    out = git("cat-file", "--batch", at=mirror, stdin=asked).stdout
    position = 0
    for commit in commits:
        head_end = out.index(b"\n", position)
        # `<id> tree <size>`, or `<what was asked> missing`.
        head = out[position:head_end].split()
        position = head_end + 1
        if head[-1] == b"missing":
            yield frozenset()
            continue
        size = int(head[2])
        yield frozenset(_folders(out[position : position + size], len(commit) // 2) if head[1] == b"tree" else ())
        position += size + 1


def _folders(tree: bytes, hash_length: int) -> Iterator[str]:
    """The names of the folders in a tree object: `<mode> <name>\\0<hash>`, one after the other."""
    position = 0
    while position < len(tree):
        mode_end = tree.index(b" ", position)
        name_end = tree.index(b"\0", mode_end)
        if tree[position:mode_end] == b"40000":
            yield tree[mode_end + 1 : name_end].decode(errors="replace")
        position = name_end + 1 + hash_length
