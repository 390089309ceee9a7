"""The first root.json: everything else is trusted because of it, so it is taken only if its SHA-512 is known.

Upstream changes its keys once a year and publishes the SHA-512 of the new root.json in BUILDING.md. The repository
keeps all of them as `<version>.root.json`, each signed by the keys of the one before it, so that an older one leads to
the newest (TUF specification, 5.3): a brqos of last year still works, as it looks for the version that it knows.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from brqos.errors import ConfigurationError, UpstreamError
from brqos.image.official import failures
from brqos.image.official.repository import Location
from brqos.image.official.transport import NotThereError, Patience, TooLongError, TransferError, read, transport_to
from brqos.monitor import Monitor

OFFICIAL_ROOT = "https://cache.bottlerocket.aws/root.json"
ROOT_LIMIT = 1 << 20  # tough 0.19, Limits::max_root_size; the official ones have 13,632 bytes

_SHA512 = re.compile(r"[0-9a-f]{128}")


@dataclass(frozen=True, slots=True)
class KnownRoot:
    """A root.json of Bottlerocket's, by its SHA-512 as published. `version` is only where it is looked for."""

    version: int
    sha512: str


# The newest first; older ones than these are not taken: their keys are older, too.
KNOWN_ROOTS = (
    # aws/eks-anywhere-build-tooling, projects/kubernetes-sigs/image-builder/bottlerocket-root-json-checksum, commit
    # a4dfa1314 of 2026-08-04 (pull request 5617). In that file all earlier values are those of upstream's BUILDING.md.
    KnownRoot(
        8,
        "33eb2f01738391907a9380f74b6b2a84fada845b0474d3a30c5756f49067690e"
        "520c1d7a531a3e9d1877d3a2f05ec21d9093a8f7307e3fe5b61aa4584472dc9a",
    ),
    # Bottlerocket's BUILDING.md, commit c76f191b of 2025-08-20.
    KnownRoot(
        7,
        "4fcb272345fd6adb94d4c04834400548178fecb57407ca79bc2c3d20e0428fc9"
        "ed3a82cea268d7f9c667b5803524a4f465acd701a86953d5d732bf6ecb064888",
    ),
    # Bottlerocket's BUILDING.md, commit d6f6ac84 of 2024-08-27.
    KnownRoot(
        6,
        "2ff1fbf99b20dd7ff5d2c84243a8e3b51701183b1f524b7d470a6b7a9b0172fb"
        "b36a0949b7e586ab7ccb6e348eb77125d6ed9fd1a638f4381e4f3f084ff38596",
    ),
)


@dataclass(frozen=True, slots=True)
class Trust:
    """What the user says about the first root.json: a file, the SHA-512 that it has to have, both or nothing.

    `known` are the roots that are taken without being named.
    """

    file: Path | None = None
    sha512: str | None = None
    known: tuple[KnownRoot, ...] = KNOWN_ROOTS

    def __post_init__(self) -> None:
        if self.sha512 is not None and not _SHA512.fullmatch(self.sha512.lower()):
            raise ConfigurationError(
                f"“{self.sha512}” is not a SHA-512",
                todo="Give 128 hexadecimal digits, as `sha512sum root.json` prints them.",
            )

    @property
    def accepted(self) -> tuple[str, ...]:
        """The SHA-512 of each root.json that is taken."""
        return (self.sha512.lower(),) if self.sha512 else tuple(root.sha512 for root in self.known)


@dataclass(frozen=True, slots=True)
class Root:
    """A root.json that is trusted, with its SHA-512 and where it came from."""

    data: bytes
    sha512: str
    origin: str


def trusted_root(trust: Trust, metadata: Location, *, ask_official: bool, patience: Patience, monitor: Monitor) -> Root:
    """The first root.json: the user's file, else from the repository, else from Bottlerocket's own place for it.

    Raises ConfigurationError for a file that is not the one meant, UpstreamError where none is found.
    """
    if trust.file is not None:
        return _from_file(trust, trust.file)
    seen: list[str] = []
    for address, location in _places(trust, metadata, ask_official=ask_official):
        data = _tried(address, location, patience, seen)
        if data is None:
            continue
        digest = _digest(data)
        if digest in trust.accepted:
            return Root(data, digest, address)
        seen.append(f"{address}: its SHA-512 is {digest}, which is not known")
        monitor.warn(f"{address} is not a root.json that is trusted; looking elsewhere.")
    raise _none_found(metadata, seen)


def _places(trust: Trust, metadata: Location, *, ask_official: bool) -> list[tuple[str, Location]]:
    versions = (1,) if trust.sha512 else tuple(root.version for root in trust.known)
    places = [(metadata.of(f"{version}.root.json"), metadata) for version in versions]
    if not ask_official:
        return places
    official = (OFFICIAL_ROOT, Location(OFFICIAL_ROOT))
    # A hash of the user's own is that of the newest, which is what lies there.
    return [official, *places] if trust.sha512 else [*places, official]


def _tried(address: str, location: Location, patience: Patience, seen: list[str]) -> bytes | None:
    try:
        return read(transport_to(location, patience), address, ROOT_LIMIT, patience)
    except TransferError as error:
        if address != OFFICIAL_ROOT:
            # All else is there, too: there is nothing to go on with, and no more waiting to be done.
            raise failures.unreachable(address.rpartition("/")[2], str(location), str(error)) from None
        seen.append(f"{address}: {error}")
    except (NotThereError, TooLongError) as error:
        seen.append(f"{address}: {error}")
    return None


def _from_file(trust: Trust, file: Path) -> Root:
    try:
        with file.open("rb") as stream:
            data = stream.read(ROOT_LIMIT + 1)
    except OSError as error:
        raise ConfigurationError(
            f"the root of trust {file} cannot be read", why=error.strerror or str(error), todo="Check --tuf-root."
        ) from None
    digest = _digest(data)
    if digest in trust.accepted:
        return Root(data, digest, str(file))
    if trust.sha512:
        raise ConfigurationError(
            f"{file} is not the root.json that was meant",
            why=f"Its SHA-512 is {digest}, not {trust.sha512.lower()}.",
            todo="Fetch it again, and compare --tuf-root-sha512 with what its owner published.",
        )
    raise ConfigurationError(
        f"{file} is not one of Bottlerocket's root.json that brqos knows",
        why=f"Its SHA-512 is {digest}.",
        todo="If it is your own, or newer than this brqos: compare that with what its owner published "
        "(Bottlerocket: in BUILDING.md), then give it with --tuf-root-sha512.",
    )


def _none_found(metadata: Location, seen: list[str]) -> UpstreamError:
    return UpstreamError(
        f"no root.json that is trusted was found for {metadata}",
        why="\n".join(seen),
        todo="Nothing else of that repository is read. If this brqos is older than Bottlerocket's newest keys: update "
        "it, or compare the SHA-512 with the one in Bottlerocket's BUILDING.md and give it with --tuf-root-sha512. A "
        "repository of your own needs --tuf-root with its root.json.",
    )


def _digest(data: bytes) -> str:
    return hashlib.sha512(data).hexdigest()
