"""Which update repository is asked: Bottlerocket's own, a mirror of it, or one that a team signs itself.

A repository has two places. The *metadata* of a variant and architecture is a folder of its own (`timestamp.json`,
`<version>.snapshot.json`, `<version>.targets.json`, `<version>.root.json`); the *targets*, as `<sha256>.<name>`, are in
one folder for all of them. Source: Bottlerocket 1.50 `sources/shared-defaults/public-tuf.toml` and BUILDING.md; layout
as tough 0.19 writes and reads it (`consistent_snapshot`).
"""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from brqos.architecture import Architecture
from brqos.config.mirrors import MirrorsSpec
from brqos.config.repack import RepackSpec
from brqos.errors import ConfigurationError

OFFICIAL_METADATA = "https://updates.bottlerocket.aws/2020-07-07/{variant}/{arch}/"
OFFICIAL_TARGETS = "https://updates.bottlerocket.aws/targets/"

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_PLACEHOLDERS = {"variant", "arch"}


@dataclass(frozen=True, slots=True)
class Location:
    """A folder on this machine, or an URL that ends in a slash; files are read below it."""

    text: str

    @classmethod
    def parse(cls, text: str) -> "Location":
        """An `https:` URL, a `file:` URL or a path; raises ConfigurationError for anything else.

        `http:` is taken for this machine only: TUF would notice a forged file, but not who reads along.
        """
        if "://" not in text:
            return cls(str(Path(text).expanduser().absolute()))
        parts = urlsplit(text)
        if parts.scheme == "file" and parts.netloc in {"", "localhost"}:
            return cls(parts.path)
        if not is_allowed(text):
            raise ConfigurationError(
                f"“{text}” is no place that an update repository is read from",
                why="https: is needed, except for a server on this machine.",
                todo="Give an https: URL, or the path of a folder.",
            )
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ConfigurationError(
                f"the URL of the update repository on {parts.hostname} has more than a path",
                why="A user name, a password or a query in it would be shown in process lists and in the record.",
                todo="Give a plain URL, or copy the repository into a folder and give its path.",
            )
        return cls(text if text.endswith("/") else f"{text}/")

    @property
    def is_url(self) -> bool:
        """Whether it is asked over the network."""
        return "://" in self.text

    def of(self, name: str) -> str:
        """The address of a file in it; `name` is a plain file name."""
        return f"{self.text}{name}" if self.is_url else str(Path(self.text) / name)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Source:
    """An update repository; in `metadata`, `{variant}` and `{arch}` stand for those wanted, if they are in it."""

    metadata: str = OFFICIAL_METADATA
    targets: str = OFFICIAL_TARGETS

    def __post_init__(self) -> None:
        unknown = set(_PLACEHOLDER.findall(self.metadata)) - _PLACEHOLDERS
        if unknown:
            raise ConfigurationError(
                f"“{self.metadata}” has a placeholder that means nothing here: {', '.join(sorted(unknown))}",
                todo="Use {variant} and {arch} only.",
            )
        Location.parse(self.targets)
        self.metadata_for("variant", Architecture.X86_64)

    @property
    def is_official(self) -> bool:
        """Whether the metadata is Bottlerocket's own, at its own place."""
        return self.metadata == OFFICIAL_METADATA

    def metadata_for(self, variant: str, architecture: Architecture) -> Location:
        """The folder with the metadata of a variant."""
        filled = self.metadata.replace("{variant}", variant).replace("{arch}", architecture.value)
        return Location.parse(filled)

    @property
    def targets_location(self) -> Location:
        """The folder with the targets."""
        return Location.parse(self.targets)


def source_of(repack: RepackSpec, mirrors: MirrorsSpec) -> Source:
    """The repository that is asked: what `[repack]` says, else `[mirrors]`, else Bottlerocket's own place.

    Each of its two places, metadata and targets, counts on its own. Raises ConfigurationError for a place that is none.
    """
    default = Source()
    return Source(
        metadata=repack.metadata_url or mirrors.tuf_metadata or default.metadata,
        targets=repack.targets_url or mirrors.tuf_targets or default.targets,
    )


def is_allowed(url: str) -> bool:
    """Whether an URL may be asked, be it after a redirection: https, or http on this machine."""
    parts = urlsplit(url)
    if not parts.hostname:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def is_loopback(url: str) -> bool:
    """Whether the URL is one of this machine's."""
    return urlsplit(url).hostname in _LOOPBACK
