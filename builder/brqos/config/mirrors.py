"""The section `[mirrors]`: copies of what a build fetches, for networks that do not reach the originals.

A mirror changes where things come from, never what is built: the record, the names of builds and the commits stay those
of the originals. What twoliter takes is told to it in its own ways: kits and SDK by a file `Twoliter.override`
(twoliter >= 0.4.6, `twoliter/src/project/mod.rs`), the source cache and twoliter's own binary by variables of
Makefile.toml (BUILDSYS_LOOKASIDE_CACHE, TWOLITER_REPO). Crates are cargo's matter (brqos.upstream.cargo_config).
"""

import re
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator, model_validator

from brqos.config.base import Model
from brqos.errors import ConfigurationError

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
# A registry needs a dot, a port or the name localhost, or its first part counts as a folder of Docker Hub's
# (go-containerregistry's pkg/name, which twoliter's krane is made of); folders are as the OCI distribution
# specification 1.1 has them ("Pulling manifests").
_HOST = re.compile(r"(?=[^:]*\.|[^:]*:|localhost$)[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?", re.ASCII)
_FOLDER = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*", re.ASCII)
# twoliter's ValidIdentifier (its project/mod.rs).
_NAME = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
# Those that git itself speaks (gitprotocol, git-clone(1), "Git URLs").
_GIT_SCHEMES = {"https", "http", "ssh", "git+ssh", "ssh+git", "git", "file"}
_REGISTRY_EXAMPLE = "Write it like registry.example.com/bottlerocket."
SPARSE = "sparse+"
_CRATES_EXAMPLE = 'Write it like crates = "sparse+https://crates.example.com/index/".'
# As tough lays out Bottlerocket's repository (brqos.image.official.repository).
_TUF_METADATA = "2020-07-07/{variant}/{arch}"
_TUF_TARGETS = "targets"


class MirrorsSpec(Model):
    """Where copies are; what is not given comes from where upstream has it."""

    git: dict[str, str] = Field(default_factory=dict)
    """Beginnings of repositories' URLs and what takes their place, as git's insteadOf: the longest that fits counts."""
    kits: str | None = None
    """Registry with copies of the kits, as host/folder."""
    sdk: str | None = None
    """Registry with a copy of the SDK; that of the kits where it is not given."""
    images: dict[str, str] = Field(default_factory=dict)
    """Single kits, or the SDK, whose copy has another name: the name upstream, and the copy as host/folder/name."""
    sources: str | None = None
    """URL of a copy of upstream's source cache, https://cache.bottlerocket.aws."""
    twoliter: str | None = None
    """URL below which twoliter is: releases/download/<version>/twoliter-<machine>-unknown-linux-musl.tar.xz."""
    crates: str | None = None
    """A copy of crates.io that speaks cargo's sparse protocol, as sparse+https://host/path/."""
    tuf: str | None = None
    """URL or path of a copy of the update repository https://updates.bottlerocket.aws, for the repack engine."""

    @field_validator("git")
    @classmethod
    def _git(cls, table: dict[str, str]) -> dict[str, str]:
        for original, place in table.items():
            _check_git(original, place)
        return table

    @field_validator("kits", "sdk")
    @classmethod
    def _registry(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None:
            _check_reference(f"mirrors.{info.field_name}", value, "a registry", 0, _REGISTRY_EXAMPLE)
        return value

    @field_validator("images")
    @classmethod
    def _images(cls, table: dict[str, str]) -> dict[str, str]:
        for name, place in table.items():
            example = f'Write it like {name} = "registry.example.com/kits/{name}".'
            if not _NAME.fullmatch(name):
                raise ConfigurationError(
                    f"mirrors.images: “{name}” is no name of a kit or an SDK",
                    why="A name has letters, digits, dashes and underscores, as Twoliter.lock has it.",
                    todo='Write it like bottlerocket-core-kit = "registry.example.com/kits/core-kit".',
                )
            _check_reference(f"mirrors.images.{name}", place, "an image's place in a registry", 1, example)
        return table

    @field_validator("sources", "twoliter", "tuf")
    @classmethod
    def _without_slash(cls, value: str | None) -> str | None:
        return value.rstrip("/") if value is not None else None

    @field_validator("crates")
    @classmethod
    def _crates(cls, value: str | None) -> str | None:
        return _checked_crates(value) if value is not None else None

    @model_validator(mode="after")
    def _urls(self) -> Self:
        # Every source file has its SHA-512 in the tree, so plain http can do no harm there; and buildsys (0.5.0, its
        # Cargo.toml: reqwest with rustls-tls) trusts the public certificate authorities only, none of a company's own.
        _check_url("sources", self.sources, schemes={"https", "http"})
        _check_url("twoliter", self.twoliter, schemes={"https", "file"})
        if self.tuf is not None and not self.tuf.startswith("/"):
            _check_url("tuf", self.tuf, schemes={"https", "file"})
        return self

    @property
    def has_images(self) -> bool:
        """Whether any kit, or the SDK, comes from another registry."""
        return bool(self.kits or self.sdk or self.images)

    def place_of(self, repository: str) -> str:
        """Where a git repository is fetched from: its own place, or what the longest fitting beginning names."""
        fitting = [original for original in self.git if repository.startswith(original)]
        if not fitting:
            return repository
        longest = max(fitting, key=len)
        return self.git[longest] + repository[len(longest) :]

    def image_of(self, name: str, *, sdk: bool) -> tuple[str, str | None] | None:
        """Registry and (where it is another) name of an image's copy; None where it comes from upstream's registry."""
        if name in self.images:
            registry, _, other = self.images[name].rpartition("/")
            return registry, None if other == name else other
        registry_of = (self.sdk or self.kits) if sdk else self.kits
        return (registry_of, None) if registry_of else None

    @property
    def make_settings(self) -> dict[str, str]:
        """What upstream's Makefile.toml is told with `cargo make -e`."""
        settings = {"TWOLITER_REPO": self.twoliter, "BUILDSYS_LOOKASIDE_CACHE": self.sources}
        return {key: value for key, value in settings.items() if value is not None}

    @property
    def tuf_metadata(self) -> str | None:
        """The metadata of the copy of the update repository, with {variant} and {arch} in it."""
        return f"{self.tuf}/{_TUF_METADATA}" if self.tuf is not None else None

    @property
    def tuf_targets(self) -> str | None:
        """Its targets."""
        return f"{self.tuf}/{_TUF_TARGETS}" if self.tuf is not None else None


def _check_git(original: str, place: str) -> None:
    key = f"mirrors.git: “{_shown(original)}” = “{_shown(place)}”"
    example = 'Write it like "https://github.com/bottlerocket-os/" = "https://git.example.com/mirrors/".'
    for text in (original, place):
        if not text or text.startswith("-") or any(c.isspace() or not c.isprintable() for c in text):
            raise ConfigurationError(f"{key} is not the beginning of a repository's URL", todo=example)
        if _has_login(text):
            raise ConfigurationError(
                f"{key} has a user name or password in it",
                why="It would be shown in process lists, and other places.",
                todo="Leave it out, and give it to git: a credential helper (gitcredentials), ~/.netrc, or an SSH key.",
            )
    scheme = place.partition("://")[0].lower() if "://" in place else ""
    if scheme and scheme not in _GIT_SCHEMES:
        raise ConfigurationError(
            f"{key} is of a kind that brqos does not take",
            why=f"Git has helpers for {scheme}: that run whatever they are told to.",
            todo="Use https: or ssh:, or copy the repositories into a folder and give its path.",
        )
    if not (scheme or place.startswith("/") or re.match(r"[\w.-]+@[\w.-]+:", place)):
        raise ConfigurationError(
            f"{key} is neither a URL nor an absolute path",
            why="Git would look below whatever folder it is in.",
            todo=example,
        )
    if scheme in {"http", "git"} and urlsplit(place).hostname not in _LOOPBACK:
        raise ConfigurationError(
            f"{key} is asked over {scheme}:",
            why="Anybody on the way could say which commit a tag is.",
            todo="Use https: or ssh:, or copy the repositories into a folder and give its path.",
        )
    if original.endswith("/") != place.endswith("/"):
        raise ConfigurationError(
            f"{key}: one of them ends with a slash, and the other does not",
            why="What follows is put behind it as it is, so that names would run together.",
            todo="End both with a slash, or neither.",
        )


def _has_login(url: str) -> bool:
    if "://" not in url:
        return False
    login = urlsplit(url).netloc.rpartition("@")[0]
    # SSH has a user's name, and no secret, in its URLs.
    return bool(login) and (":" in login or not url.startswith(("ssh://", "git+ssh://")))


def _shown(url: str) -> str:
    return re.sub(r"(?<=://)[^/@]*@", "***@", url)


def _check_reference(key: str, value: str, what: str, least: int, example: str) -> None:
    """Raise ConfigurationError unless it is a registry's host with at least so many folders behind it."""
    if "://" in value:
        raise ConfigurationError(
            f"{key} = “{_shown(value)}” is not {what}: it has a scheme",
            why="Registries are named without one: https is tried first, and http for private addresses only.",
            todo=example,
        )
    host, *folders = value.split("/")
    if "@" in value or (folders and ":" in folders[-1]):
        raise ConfigurationError(
            f"{key} = “{value.rpartition('@')[2]}” is not {what}: it has more than a host and folders",
            why="The tag follows from the release; a login is `docker login`'s matter.",
            todo=example,
        )
    if not _HOST.fullmatch(host) or not all(map(_FOLDER.fullmatch, folders)) or len(folders) < least:
        why = "A host has a dot or a port, or is localhost; folders have small letters, digits and . _ - between them."
        raise ConfigurationError(f"{key} = “{value}” is not {what}", why=why, todo=example)


def _checked_crates(value: str) -> str:
    """The index with the one slash at its end that cargo wants (cargo's registry/http_remote.rs)."""
    if not value.startswith(SPARSE):
        raise ConfigurationError(
            f"mirrors.crates = “{_shown(value)}” does not begin with {SPARSE}",
            why="A registry has to speak cargo's sparse protocol: a folder of this machine is not there in the "
            "containers that build, and an index in git cannot be asked beforehand.",
            todo=_CRATES_EXAMPLE,
        )
    _check_url("crates", value.removeprefix(SPARSE), schemes={"https"}, example=_CRATES_EXAMPLE)
    if '"' in value or "\\" in value:
        raise ConfigurationError(f"mirrors.crates = “{value}” is not a URL", todo=_CRATES_EXAMPLE)
    return value.rstrip("/") + "/"


def _check_url(key: str, value: str | None, *, schemes: set[str], example: str = "") -> None:
    if value is None:
        return
    example = example or f'Write it like {key} = "https://mirror.example.com/{key}".'
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ConfigurationError(f"mirrors.{key} = “{_shown(value)}” is not a URL", todo=example) from None
    if parts.username or parts.password:
        raise ConfigurationError(
            f"mirrors.{key} = “{_shown(value)}” has a user name or password in it",
            why="It would be shown in process lists and in the build's log.",
            todo="Serve the copy without a login to the machines that build, or use a proxy that logs in.",
        )
    whole = bool(host) if parts.scheme != "file" else host in {None, "localhost"} and parts.path.startswith("/")
    allowed = parts.scheme in schemes or (parts.scheme == "http" and host in _LOOPBACK)
    if not (whole and allowed) or any(c.isspace() or not c.isprintable() for c in value):
        kinds = " or ".join(f"{scheme}:" for scheme in sorted(schemes, reverse=key != "tuf"))
        raise ConfigurationError(
            f"mirrors.{key} = “{_shown(value)}” cannot be fetched from",
            why=f"It has to be an URL of {kinds}" + (", or a path." if key == "tuf" else "."),
            todo=example,
        )
    if parts.query or parts.fragment:
        raise ConfigurationError(
            f"mirrors.{key} = “{value}” has more than a path", why="Names of files are put behind it.", todo=example
        )
