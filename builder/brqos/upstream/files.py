"""The files of one commit, read from the mirror without a work tree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from brqos.errors import UpstreamError
from brqos.upstream.git import git

REGULAR = "100644"
EXECUTABLE = "100755"
SYMLINK = "120000"


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the tree: git's mode, and its bytes (for a symlink, where it points)."""

    mode: str
    data: bytes


@dataclass(frozen=True, slots=True)
class TreeFiles:
    """Path -> entry, for the parts of a tree that were read; `label` names the tree in errors."""

    label: str
    entries: Mapping[str, Entry] = field(repr=False)

    def __contains__(self, path: str) -> bool:
        return path in self.entries

    def text(self, path: str) -> str:
        """The file's text; raises UpstreamError where it is missing, no plain file, or not UTF-8."""
        entry = self.entries.get(path)
        if entry is None or entry.mode == SYMLINK:
            raise changed(self.label, path, "there is no such file")
        try:
            return entry.data.decode()
        except UnicodeDecodeError:
            raise changed(self.label, path, "it is not UTF-8 text") from None

    def below(self, directory: str) -> list[str]:
        """The paths below a directory, sorted."""
        return sorted(path for path in self.entries if path.startswith(directory.rstrip("/") + "/"))

    def resolved(self, path: str) -> str | None:
        """The text of a file, through symlinks that stay in the tree; None where it cannot be read so."""
        for _ in range(8):
            entry = self.entries.get(path)
            if entry is None:
                return None
            if entry.mode != SYMLINK:
                return entry.data.decode(errors="replace")
            path = _joined(path, entry.data.decode(errors="replace"))
        return None


def read_files(repository: Path, commit: str, prefixes: Sequence[str], label: str) -> TreeFiles:
    """Read all files below `prefixes` (files or directories) of a commit, with two calls of git."""
    listing = git("ls-tree", "-r", "-z", commit, "--", *prefixes, at=repository).stdout
    found = [record.split(b"\t", 1) for record in listing.split(b"\0") if record]
    facts = [(head.split(), path.decode(errors="surrogateescape")) for head, path in found]
    blobs = [(mode.decode(), sha, path) for (mode, kind, sha), path in facts if kind == b"blob"]
    contents = _blobs(repository, [sha for _, sha, _ in blobs])
    return TreeFiles(label, {path: Entry(mode, contents[sha]) for mode, sha, path in blobs})


def changed(label: str, path: str, how: str) -> UpstreamError:
    """The error for a tree that is not as every release that we know."""
    return UpstreamError(
        f"{label} is not as expected: {path}",
        why=f"{how[0].upper()}{how[1:]}. Upstream changed, or this is not an unmodified Bottlerocket tree.",
        todo="Use a release that `brqos variants` marks as tried, or report the release to brqos.",
    )


def _blobs(repository: Path, hashes: Sequence[bytes]) -> dict[bytes, bytes]:
    wanted = sorted(set(hashes))
    out = git("cat-file", "--batch", at=repository, stdin=b"".join(sha + b"\n" for sha in wanted)).stdout
    contents: dict[bytes, bytes] = {}
    position = 0
    for sha in wanted:
        head_end = out.index(b"\n", position)
        size = int(out[position:head_end].split()[2])
        contents[sha] = out[head_end + 1 : head_end + 1 + size]
        position = head_end + size + 2
    return contents


def _joined(link: str, target: str) -> str:
    parts = link.split("/")[:-1]
    for part in target.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(parts)
