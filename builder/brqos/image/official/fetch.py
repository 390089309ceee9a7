"""The official images of a variant: which release, from where, verified how."""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import AwareDatetime, Field

from brqos.architecture import Architecture
from brqos.config.base import Model
from brqos.errors import ToolError
from brqos.image.official import failures, manifest
from brqos.image.official.repository import Location, Source
from brqos.image.official.root_of_trust import Root, Trust, trusted_root
from brqos.image.official.transport import NotThereError, Patience, TooLongError, TransferError, read, transport_to
from brqos.locks import locked
from brqos.monitor import Monitor

if TYPE_CHECKING:
    from brqos.image.official.download import Target
    from brqos.image.official.metadata import Metadata


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted: upstream's own variant (`aws-k8s-1.29`), and a release (`1.26.1`) or None for the newest."""

    variant: str
    architecture: Architecture
    release: str | None = None
    source: Source = field(default_factory=Source)
    trust: Trust = field(default_factory=Trust)
    patience: Patience = field(default_factory=Patience)


class OfficialImage(Model):
    """One image as it lies in the cache, `.img.lz4`; the hash and size are those of the compressed file."""

    file: Path
    target: str
    address: str
    file_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    file_bytes: int = Field(ge=1)
    from_cache: bool


class Repository(Model):
    """What was asked, and the versions of its metadata by which the images were verified."""

    metadata: str
    targets: str
    root_sha512: str = Field(pattern=r"^[0-9a-f]{128}$")
    root_origin: str
    root_version: int
    timestamp_version: int
    snapshot_version: int
    targets_version: int
    expires: AwareDatetime


class OfficialImages(Model):
    """The images of a release; `build` is upstream's short commit, None where the names do not tell it."""

    variant: str
    architecture: Architecture
    version: str
    build: str | None
    os: OfficialImage
    data: OfficialImage
    repository: Repository


def fetch_official(wish: Wish, cache: Path, monitor: Monitor) -> OfficialImages:
    """Fetch and verify the official images of a variant into `cache` (`resources.cache_directory()`).

    Raises ToolError without python-tuf, ConfigurationError for a wrong wish or root of trust, UpstreamError if the
    repository cannot be reached or is not to be trusted. What broke off is gone on with the next time.
    """
    _make_sure_of_tuf()
    from brqos.image.official import download

    place = wish.source.metadata_for(wish.variant, wish.architecture)
    root = trusted_root(
        wish.trust, place, ask_official=wish.source.is_official, patience=wish.patience, monitor=monitor
    )
    metadata = _metadata(place, root, cache, wish.patience, monitor)
    monitor.note(f"The metadata of {place} is verified (root {metadata.root_version}, until {metadata.expires:%F}).")
    release, names = _chosen(wish, metadata, monitor)
    images = []
    for name in names:
        target = _target(name, metadata, wish.source.targets_location)
        fetched = download.in_cache(target, cache / "official" / "images", wish.patience, monitor)
        images.append(
            OfficialImage(
                file=fetched.path,
                target=name,
                address=target.address,
                file_sha256=target.sha256,
                file_bytes=target.file.length,
                from_cache=fetched.from_cache,
            )
        )
    return OfficialImages(
        variant=wish.variant,
        architecture=wish.architecture,
        version=str(release.version),
        build=release.build,
        os=images[0],
        data=images[1],
        repository=Repository(
            metadata=str(place),
            targets=str(wish.source.targets_location),
            root_sha512=root.sha512,
            root_origin=root.origin,
            root_version=metadata.root_version,
            timestamp_version=metadata.timestamp_version,
            snapshot_version=metadata.snapshot_version,
            targets_version=metadata.targets_version,
            expires=metadata.expires,
        ),
    )


def _metadata(place: Location, root: Root, cache: Path, patience: Patience, monitor: Monitor) -> "Metadata":
    from brqos.image.official.metadata import verified_metadata

    # Another root of trust is another repository: what was accepted by the one says nothing about the other.
    name = hashlib.sha256(f"{place}\n{root.sha512}".encode()).hexdigest()[:16]
    memory = cache / "official" / "metadata" / name
    with locked(memory, f"reading the metadata of {place}", wait=True, monitor=monitor):
        memory.mkdir(parents=True, exist_ok=True)
        return verified_metadata(place, root, memory, patience)


def _chosen(wish: Wish, metadata: "Metadata", monitor: Monitor) -> tuple[manifest.Release, tuple[str, str]]:
    found = manifest.releases(_manifest(wish, metadata), wish.variant, wish.architecture)
    release = manifest.choose(found, wish.release, metadata.targets, datetime.now(UTC))
    names = release.images(metadata.targets)
    if names is None:
        raise manifest.without_images(release, found, metadata.targets)
    if release.version > release.newest_allowed:
        monitor.warn(
            f"Upstream holds release {release.version} back: its updates go no further than {release.newest_allowed}."
        )
    return release, names


def _manifest(wish: Wish, metadata: "Metadata") -> bytes:
    """The verified manifest.json; it is small and changes with each release, so it is not kept."""
    from tuf.api.exceptions import LengthOrHashMismatchError

    target = _target(manifest.MANIFEST, metadata, wish.source.targets_location)
    length = min(target.file.length, manifest.MANIFEST_LIMIT)
    try:
        data = read(transport_to(target.location, wish.patience), target.address, length, wish.patience)
        target.file.verify_length_and_hashes(data)
    except NotThereError as error:
        raise failures.incomplete(target.name, str(target.location), str(error)) from None
    except TooLongError as error:
        raise failures.too_long(target.name, target.address, str(error)) from None
    except TransferError as error:
        raise failures.unreachable(target.name, target.address, str(error)) from None
    except LengthOrHashMismatchError as error:
        raise failures.changed(target.name, target.address, str(error)) from None
    return data


def _target(name: str, metadata: "Metadata", location: Location) -> "Target":
    from brqos.image.official.download import target_of

    if name not in metadata.targets:
        raise failures.incomplete(name, str(location), "targets.json does not list it")
    return target_of(name, metadata.targets[name], location, with_hash_in_name=metadata.with_hash_in_name)


def _make_sure_of_tuf() -> None:
    """Raises ToolError where the optional part is not installed."""
    try:
        import cryptography  # noqa: F401 - without it python-tuf takes every RSA signature for a wrong one
        import tuf.ngclient  # noqa: F401
    except ImportError as error:
        raise ToolError(
            "python-tuf is not installed, so that official images cannot be verified",
            why=f"The module {error.name} is missing.",
            todo="Install it: pip install 'brqos[official]'; or give an image of your own with --image.",
        ) from None
