"""Snapshots and images as the emulated account keeps them, with states that change as time goes by."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Snapshot:
    """A snapshot; `blocks` holds the SHA-256 of each block that was written.

    `sealed_at` is when CompleteSnapshot was accepted (or the copy begun), `ready_at` when the work behind it is done.
    `kms_key` is the ARN of the key where `encrypted`; `permissions` are the accounts that may use it, or "all".
    """

    id: str
    region: str
    owner: str
    volume_gib: int
    description: str
    tags: dict[str, str]
    timeout_seconds: float
    started_at: float
    written_at: float
    parent: str | None = None
    kms_key: str | None = None
    encrypted: bool = False
    blocks: dict[int, bytes] = field(default_factory=dict)
    sealed_at: float | None = None
    ready_at: float = 0.0
    fails: bool = False
    permissions: set[str] = field(default_factory=set)

    def state(self, now: float) -> str:
        """`pending`, `completed` or `error` (failed, or left alone for longer than its timeout)."""
        if self.sealed_at is None:
            return "error" if now - self.written_at > self.timeout_seconds else "pending"
        if now < self.ready_at:
            return "pending"
        return "error" if self.fails else "completed"

    def visible_to(self, account: str) -> bool:
        """Whether that account may see and copy it."""
        return account == self.owner or account in self.permissions or "all" in self.permissions


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One launch permission: `kind` is UserId, Group, OrganizationArn or OrganizationalUnitArn."""

    kind: str
    value: str


@dataclass(slots=True)
class Image:
    """An AMI: what RegisterImage was given, echoed by DescribeImages.

    `attributes` has the names of DescribeImages' answer. `protection` is what DescribeImages tells of the protection
    against deregistration; `protected_until` is when the cooldown after its removal ends.
    """

    id: str
    region: str
    owner: str
    created_at: float
    ready_at: float
    attributes: dict[str, Any]
    mappings: list[dict[str, Any]]
    tags: dict[str, str]
    fails: bool = False
    reason: str = "The image could not be made"
    permissions: set[Grant] = field(default_factory=set)
    deprecated_at: float | None = None
    protection: str = "disabled"
    protected_until: float = 0.0
    disabled: bool = False
    launched_at: float | None = None

    def state(self, now: float) -> str:
        """`pending`, then `available`, `disabled` or `failed`."""
        if now < self.ready_at:
            return "pending"
        if self.fails:
            return "failed"
        return "disabled" if self.disabled else "available"

    @property
    def public(self) -> bool:
        """Whether everybody may launch it."""
        return Grant("Group", "all") in self.permissions

    def snapshots(self) -> Iterator[str]:
        """The ids of the snapshots that it holds."""
        for mapping in self.mappings:
            if snapshot := mapping.get("ebs", {}).get("snapshotId"):
                yield snapshot

    def visible_to(self, account: str, organizations: frozenset[str] = frozenset()) -> bool:
        """Whether that account, being in these organizations (ARNs of theirs and of their units), may launch it."""
        if account == self.owner or self.public or Grant("UserId", account) in self.permissions:
            return True
        return any(grant.value in organizations for grant in self.permissions)
