"""Upstream's CHANGELOG.md between two releases: its headings, and the lines about security."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from brqos.upstream.releases import Version

# `# v1.50.0 (2025-11-05)`; one of the old ones is `# v 1.0.5`.
_RELEASE = re.compile(r"# v ?(\d+)\.(\d+)\.(\d+)(?:\s+\(([\d-]+)\))?\s*")
_HEADING = re.compile(r"#{2,} (.+?)\s*#*")
_ENTRY = re.compile(r"\s*[*+-] (.+)")
# Without a number behind them: upstream's dashes there are not always ASCII's.
_SECURITY = re.compile(
    r"\b(CVEs?|GHSA|BRSA)\b|\bsecurity (fix|advisor|patch|update|vulnerabilit|issue|bulletin)", re.IGNORECASE
)
_SECURITY_HEADING = re.compile(r"security\b", re.IGNORECASE)
# `[text](url)` is its text; `([#4661], [core-kit#646])` at the end of a line only says where it was done.
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_REFERENCES = re.compile(r"\s*\((?:\s*\[[^\]]*\],?)+\s*\)")


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading below a release, with the number of its entries (those in lists below others too)."""

    title: str
    entries: int


@dataclass(slots=True)
class ReleaseNotes:
    """What the changelog says about one release; `day` is as written there, `security` its lines about security."""

    version: Version
    day: str | None
    headings: list[Heading] = field(default_factory=list)
    security: list[str] = field(default_factory=list)


def notes_between(changelog: str, after: Version, upto: Version) -> tuple[ReleaseNotes, ...]:
    """The sections of the releases after one and up to another, newest first; text that is no such list is left out."""
    found = [notes for notes in _sections(changelog) if after < notes.version <= upto]
    return tuple(sorted(found, key=lambda notes: notes.version, reverse=True))


def _sections(changelog: str) -> Iterator[ReleaseNotes]:
    current: ReleaseNotes | None = None
    title = ""
    for line in changelog.splitlines():
        if begin := _RELEASE.fullmatch(line):
            if current:
                yield current
            current, title = ReleaseNotes((int(begin[1]), int(begin[2]), int(begin[3])), begin[4]), ""
        elif current and (heading := _HEADING.fullmatch(line)):
            title = heading[1]
            current.headings.append(Heading(title, 0))
        elif current and (entry := _ENTRY.fullmatch(line)):
            if current.headings:
                current.headings[-1] = Heading(title, current.headings[-1].entries + 1)
            if _SECURITY_HEADING.match(title) or _SECURITY.search(entry[1]):
                current.security.append(_plain(entry[1]))
    if current:
        yield current


def _plain(text: str) -> str:
    """The line without the machinery of its links."""
    return _REFERENCES.sub("", _LINK.sub(r"\1", text)).replace("`", "").strip()
