"""A TUF repository of the tests' own, laid out and written as tough writes Bottlerocket's.

The metadata is signed as plain dictionaries, so that a test can sign anything, wrong things included.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.formats import encode_canonical
from securesystemslib.signer import CryptoSigner

VARIANT = "aws-k8s-1.35"
ARCH = "x86_64"
ROLES = ("root", "timestamp", "snapshot", "targets")


@cache
def key(number: int) -> CryptoSigner:
    """An ed25519 key, always the same for the same number."""
    return CryptoSigner(Ed25519PrivateKey.from_private_bytes(number.to_bytes(32, "big")))


def signed(document: dict[str, Any], signers: Sequence[Any]) -> bytes:
    """The document with signatures over its canonical form."""
    canonical = encode_canonical(document)
    assert canonical is not None
    signatures = [signer.sign(canonical.encode()) for signer in signers]
    return json.dumps(
        {"signed": document, "signatures": [{"keyid": one.keyid, "sig": one.signature} for one in signatures]}
    ).encode()


def in_days(days: float, fraction: str = ".123456789") -> str:
    """As chrono writes it: with nanoseconds, which the specification does not allow."""
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S") + f"{fraction}Z"


@dataclass
class Made:
    """A repository in a folder; `publish` writes its metadata anew with the next version."""

    folder: Path
    keys: dict[str, list[Any]] = field(
        default_factory=lambda: {"root": [key(1), key(2)], **{role: [key(3)] for role in ROLES[1:]}}
    )
    threshold: dict[str, int] = field(default_factory=lambda: {"root": 2})
    fraction: str = ".123456789"
    consistent: bool = True
    root_version: int = 0
    version: int = 0
    days: float = 7
    targets: dict[str, dict[str, Any]] = field(default_factory=dict)
    updates: list[dict[str, Any]] = field(default_factory=list)

    @property
    def metadata(self) -> Path:
        return self.folder / "metadata" / VARIANT / ARCH

    @property
    def files(self) -> Path:
        return self.folder / "targets"

    def add(self, name: str, data: bytes) -> None:
        """A target: its file, and what targets.json tells of it."""
        digest = hashlib.sha256(data).hexdigest()
        self.files.mkdir(parents=True, exist_ok=True)
        (self.files / (f"{digest}.{name}" if self.consistent else name)).write_bytes(data)
        self.targets[name] = {"length": len(data), "hashes": {"sha256": digest}}

    def file_of(self, name: str) -> Path:
        digest = self.targets[name]["hashes"]["sha256"]
        return self.files / (f"{digest}.{name}" if self.consistent else name)

    def add_release(
        self, version: str, build: str = "abc12345", *, images: bool = True, data: bytes | None = None, **changes: Any
    ) -> None:
        """A release as pubsys adds it."""
        stem = f"bottlerocket-{VARIANT}-{ARCH}-{version}-{build}"
        if images:
            content = data if data is not None else f"the OS image of {version} ".encode() * 50
            for name in (stem, f"bottlerocket-{VARIANT}-{ARCH}-v{version}"):
                self.add(f"{name}.img.lz4", content)
                self.add(f"{name}-data.img.lz4", f"the data image of {version}".encode())
        self.updates.append(
            {
                "variant": VARIANT,
                "arch": ARCH,
                "version": version,
                "max_version": version,
                "waves": {"0": "2026-01-01T00:00:00.5Z", "20": "2026-01-02T00:00:00Z"},
                "images": {
                    "boot": f"{stem}-boot.ext4.lz4",
                    "root": f"{stem}-root.ext4.lz4",
                    "hash": f"{stem}-root.verity.lz4",
                },
            }
            | changes
        )
        for update in self.updates:
            update["max_version"] = changes.get("max_version", version)

    def root(self, *, signers: Sequence[Any] | None = None, **changes: Any) -> bytes:
        """Write the next root.json; by default it is signed by its own keys."""
        self.root_version += 1
        keys = {one.public_key.keyid: one.public_key.to_dict() for role in ROLES for one in self.keys[role]}
        document = {
            "_type": "root",
            "spec_version": "1.0.0",
            "consistent_snapshot": self.consistent,
            "version": self.root_version,
            "expires": in_days(365, ""),
            "keys": keys,
            "roles": {
                role: {
                    "keyids": [one.public_key.keyid for one in self.keys[role]],
                    "threshold": self.threshold.get(role, 1),
                }
                for role in ROLES
            },
        } | changes
        data = signed(document, signers if signers is not None else self.keys["root"])
        self._write(f"{self.root_version}.root.json", data)
        return data

    def publish(self, **changes: dict[str, Any]) -> None:
        """Write targets.json, snapshot.json and timestamp.json of the next version."""
        if not self.root_version:
            self.root()
        self.version += 1
        if self.updates:
            self.add("manifest.json", json.dumps({"updates": self.updates, "migrations": {}}).encode())
        targets = self.document("targets", {"targets": self.targets, "delegations": {"keys": {}, "roles": []}}, changes)
        snapshot = self.document("snapshot", {"meta": {"targets.json": _meta(targets, self.version)}}, changes)
        timestamp = self.document("timestamp", {"meta": {"snapshot.json": _meta(snapshot, self.version)}}, changes)
        before = f"{self.version}." if self.consistent else ""
        self._write(f"{before}targets.json", targets)
        self._write(f"{before}snapshot.json", snapshot)
        self._write("timestamp.json", timestamp)

    def document(self, role: str, content: dict[str, Any], changes: dict[str, dict[str, Any]]) -> bytes:
        """The metadata of a role, signed by the role's keys."""
        common = {
            "_type": role,
            "spec_version": "1.0.0",
            "version": self.version,
            "expires": in_days(self.days, self.fraction),
        }
        return signed(common | content | changes.get(role, {}), self.keys[role])

    def _write(self, name: str, data: bytes) -> None:
        self.metadata.mkdir(parents=True, exist_ok=True)
        (self.metadata / name).write_bytes(data)


def made(folder: Path, **options: Any) -> Made:
    """A repository with two releases, published once."""
    repository = Made(folder, **options)
    repository.add_release("1.60.0", "0123abcd")
    repository.add_release("1.61.2", "deadbeef")
    repository.publish()
    return repository


def _meta(data: bytes, version: int) -> dict[str, Any]:
    return {"length": len(data), "hashes": {"sha256": hashlib.sha256(data).hexdigest()}, "version": version}


def flip(path: Path, at: int = 0) -> None:
    """Change one bit of a file."""
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def left_over(folder: Path) -> list[str]:
    """All files below a folder but locks and metadata, for those who say that nothing half-made stays."""
    found = [Path(base) / name for base, _, names in os.walk(folder) for name in names]
    return sorted(path.name for path in found if path.suffix not in {".lock", ".holder", ".json"})
