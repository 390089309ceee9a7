"""The metadata of a repository, read in the order of the TUF specification (1.0.31, 5.3-5.6), judged by python-tuf.

What was accepted once is kept in a folder: a repository that shows something older later is refused.
"""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tuf.api.exceptions import EqualVersionNumberError, RepositoryError

from brqos.errors import UpstreamError
from brqos.files import write_atomically
from brqos.image.official import failures
from brqos.image.official.as_signed import TargetFile, TrustedMetadata
from brqos.image.official.repository import Location
from brqos.image.official.root_of_trust import ROOT_LIMIT, Root
from brqos.image.official.transport import NotThereError, Patience, TooLongError, TransferError, read, transport_to

# tough 0.19, struct Limits; the last two count only where the metadata above does not tell the length.
_TIMESTAMP_LIMIT = 1 << 20
_SNAPSHOT_LIMIT = 1 << 20
_TARGETS_LIMIT = 10 << 20
_ROOT_UPDATES = 1024


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a repository says, verified; `expires` is when the first of it does."""

    targets: Mapping[str, TargetFile]
    with_hash_in_name: bool
    root_version: int
    timestamp_version: int
    snapshot_version: int
    targets_version: int
    expires: datetime


def verified_metadata(location: Location, root: Root, memory: Path, patience: Patience) -> Metadata:
    """Read and verify all metadata; `memory` is the folder of what was accepted before, locked by the caller.

    Raises UpstreamError.
    """
    return _Reading(location, root, memory, patience).all()


class _Reading:
    def __init__(self, location: Location, root: Root, memory: Path, patience: Patience) -> None:
        self._location = location
        self._transport = transport_to(location, patience)
        self._memory = memory
        self._patience = patience
        with failures.judged("the first root.json", root.origin):
            self._trusted = TrustedMetadata(root.data)

    def all(self) -> Metadata:
        self._roots()
        self._timestamp()
        self._snapshot()
        self._targets()
        trusted = self._trusted
        parts = (trusted.root, trusted.timestamp, trusted.snapshot, trusted.targets)
        return Metadata(
            targets=dict(trusted.targets.targets),
            with_hash_in_name=bool(trusted.root.consistent_snapshot),
            root_version=trusted.root.version,
            timestamp_version=trusted.timestamp.version,
            snapshot_version=trusted.snapshot.version,
            targets_version=trusted.targets.version,
            expires=min(part.expires for part in parts),
        )

    def _roots(self) -> None:
        """5.3: one version after the other, each signed by the keys of the one before and by its own."""
        for _ in range(_ROOT_UPDATES):
            name = f"{self._trusted.root.version + 1}.root.json"
            if (known := self._remembered(name)) is not None:
                with contextlib.suppress(RepositoryError):
                    self._trusted.update_root(known)
                    continue
            try:
                data = self._read(name, ROOT_LIMIT)
            except NotThereError:
                return
            with failures.judged(name, str(self._location)):
                self._trusted.update_root(data)
            self._remember(name, data)
        raise UpstreamError(
            f"the repository has more than {_ROOT_UPDATES} versions of root.json after the one that is trusted",
            why=f"It is at {self._location}; one that never ends would keep brqos busy forever.",
            todo="Give a newer root.json with --tuf-root.",
        )

    def _timestamp(self) -> None:
        """5.4; a timestamp of before is loaded first, even an expired one: nothing older is taken after it."""
        name = "timestamp.json"
        if (known := self._remembered(name)) is not None:
            with contextlib.suppress(RepositoryError):
                self._trusted.update_timestamp(known)
        try:
            data = self._read(name, _TIMESTAMP_LIMIT)
        except NotThereError as error:
            raise failures.no_such_repository(str(self._location), str(error)) from None
        with failures.judged(name, str(self._location)):
            try:
                self._trusted.update_timestamp(data)
            except EqualVersionNumberError:
                return
        self._remember(name, data)

    def _snapshot(self) -> None:
        """5.5; that of before is still good if the timestamp has not moved on."""
        name = "snapshot.json"
        if (known := self._remembered(name)) is not None:
            with contextlib.suppress(RepositoryError):
                self._trusted.update_snapshot(known, trusted=True)
                return
        meta = self._trusted.timestamp.snapshot_meta
        data = self._read_listed(name, meta.version, meta.length or _SNAPSHOT_LIMIT)
        with failures.judged(name, str(self._location)):
            self._trusted.update_snapshot(data)
        self._remember(name, data)

    def _targets(self) -> None:
        """5.6, without delegations: Bottlerocket's repository has none (tough writes an empty list of them)."""
        name = "targets.json"
        if (known := self._remembered(name)) is not None:
            with contextlib.suppress(RepositoryError):
                self._trusted.update_targets(known)
                return
        meta = self._trusted.snapshot.meta.get(name)
        if meta is None:
            raise failures.incomplete(name, str(self._location), "snapshot.json does not list it")
        data = self._read_listed(name, meta.version, meta.length or _TARGETS_LIMIT)
        with failures.judged(name, str(self._location)):
            self._trusted.update_targets(data)
        self._remember(name, data)

    def _read_listed(self, name: str, version: int, limit: int) -> bytes:
        """A file that other metadata lists, so that it has to be there."""
        full = f"{version}.{name}" if self._trusted.root.consistent_snapshot else name
        try:
            return self._read(full, limit)
        except NotThereError as error:
            raise failures.incomplete(full, str(self._location), str(error)) from None

    def _read(self, name: str, limit: int) -> bytes:
        """A file of the repository; raises NotThereError and UpstreamError."""
        try:
            return read(self._transport, self._location.of(name), limit, self._patience)
        except TooLongError as error:
            raise failures.too_long(name, str(self._location), str(error)) from None
        except TransferError as error:
            raise failures.unreachable(name, str(self._location), str(error)) from None

    def _remembered(self, name: str) -> bytes | None:
        try:
            return (self._memory / name).read_bytes()
        except OSError:
            return None

    def _remember(self, name: str, data: bytes) -> None:
        write_atomically(self._memory / name, data.decode())
