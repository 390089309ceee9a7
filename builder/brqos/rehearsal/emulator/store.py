"""What the emulated accounts hold, per region, and the clock by which it changes."""

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from brqos.rehearsal.emulator import kms
from brqos.rehearsal.emulator.block_files import BLOCK, GIB, BlockFiles
from brqos.rehearsal.emulator.clusters import Cluster
from brqos.rehearsal.emulator.codebuild.state import Builds
from brqos.rehearsal.emulator.compute import Compute
from brqos.rehearsal.emulator.logs.state import LogGroups
from brqos.rehearsal.emulator.paging import Pager
from brqos.rehearsal.emulator.parameters import Parameters
from brqos.rehearsal.emulator.partitions import OPT_IN
from brqos.rehearsal.emulator.records import Grant, Image, Snapshot
from brqos.rehearsal.emulator.regions import RegionSettings
from brqos.rehearsal.emulator.roles import Roles
from brqos.rehearsal.emulator.s3.state import Buckets

__all__ = ["ACCOUNT", "BLOCK", "GIB", "Grant", "Image", "Role", "Snapshot", "Store", "TokenUse"]

ACCOUNT = "000000000000"
"""The account of the emulator's own access key."""


@dataclass(frozen=True, slots=True)
class TokenUse:
    """What a ClientToken was first used for, and the answer."""

    parameters: str
    answer: dict[str, object]


@dataclass(frozen=True, slots=True)
class Role:
    """A role that may be assumed; with an `external_id` only by those who say it."""

    external_id: str | None = None
    longest_seconds: int = 43200


class Store:
    """Everything that the emulator remembers; hold `lock` while reading or changing it.

    For tests: `settings(region)` has what the account has set there; `kms_keys` are the ARNs of the keys that exist
    (empty: every well-formed one does), `kms_aliases` their `alias/...` names and `key_specs` what they are of; `roles`
    are those that may be assumed, by ARN (empty: every one); `organizations` are per account the ARNs of the
    organization and units that it is in; `largest_page` cuts the answers into pages that small, asked for or not;
    `forward` are seconds that the clock is set forward by. `clusters` are per account and region those of EKS; `seeds`
    puts them there. `s3`, `logs`, `roles_of_iam` and `codebuild` are described where they are.
    """

    def __init__(
        self,
        *,
        rehearsal: bool,
        delay: float,
        clock: Callable[[], float] = time.time,
        folder: Path | None = None,
        discard: bool = False,
    ) -> None:
        self.lock = threading.RLock()
        self.delay = delay
        self.forward = 0.0
        self._clock = clock
        self.snapshots: dict[str, Snapshot] = {}
        self.images: dict[str, Image] = {}
        self.tokens: dict[tuple[str, str, str], TokenUse] = {}
        self.copy_tokens: dict[tuple[str, str, str], TokenUse] = {}
        self.template_tokens: dict[tuple[str, str, str], TokenUse] = {}
        self.compute = Compute()
        self.parameters = Parameters()
        self.clusters: dict[tuple[str, str], dict[str, Cluster]] = {}
        self.s3 = Buckets()
        self.logs = LogGroups()
        self.roles_of_iam = Roles()
        self.codebuild = Builds()
        self.kms_keys: set[str] = set()
        self.kms_aliases: dict[str, str] = {}
        self.key_specs: dict[str, str] = {}
        self.roles: dict[str, Role] = {}
        self.organizations: dict[str, frozenset[str]] = {}
        self.pager = Pager()
        self._rehearsal = rehearsal
        self._settings: dict[tuple[str, str], RegionSettings] = {}
        self.files = BlockFiles(folder, discard=discard)

    def clock(self) -> float:
        """The time in seconds that everything here goes by."""
        return self._clock() + self.forward

    @property
    def largest_page(self) -> int | None:
        """The largest page of EC2's answers, if they are to be cut."""
        return self.pager.largest

    @largest_page.setter
    def largest_page(self, size: int | None) -> None:
        self.pager.largest = size

    def new_id(self, prefix: str) -> str:
        """`ami-…` or `snap-…`: 17 hexadecimal digits as EC2 gives them, or a form that no real id has."""
        if self._rehearsal:
            return f"{prefix}-rehearsal{secrets.token_hex(4)}"
        return f"{prefix}-0{secrets.token_hex(8)}"

    def settings(self, region: str, account: str = ACCOUNT) -> RegionSettings:
        """What that account has set in that region, to be read and to be changed."""
        with self.lock:
            status = "not-opted-in" if region in OPT_IN else "opt-in-not-required"
            return self._settings.setdefault((account, region), RegionSettings(opt_in_status=status))

    def default_key(self, region: str, account: str) -> str:
        """The ARN of the key that encrypts where none is named."""
        return self.settings(region, account).default_kms_key or kms.managed_key(account, region)

    def has_key(self, arn: str) -> bool:
        """Whether the key exists, as far as the tests say which do."""
        return not self.kms_keys or arn in self.kms_keys or kms.is_managed(arn)

    def visible(self, image: Image, account: str) -> bool:
        """Whether that account may see the image."""
        return image.visible_to(account, self.organizations.get(account, frozenset()))

    def add(self, snapshot: Snapshot) -> None:
        """Take a snapshot in; nothing is written in it yet."""
        self.files.create(snapshot.id)
        self.snapshots[snapshot.id] = snapshot

    def add_copy(self, snapshot: Snapshot, source: Snapshot) -> None:
        """Take a snapshot in that holds the blocks of another one."""
        self.files.share(source.id, snapshot.id)
        snapshot.blocks = dict(source.blocks)
        self.snapshots[snapshot.id] = snapshot

    def read(self, snapshot: Snapshot, index: int) -> bytes:
        """A block's bytes."""
        return self.files.read(snapshot.id, index)

    def forget(self, snapshot: Snapshot) -> None:
        """Remove a snapshot and its bytes."""
        self.snapshots.pop(snapshot.id, None)
        self.files.remove(snapshot.id)

    def close(self) -> None:
        """Remove all that lies on the disk."""
        self.files.close()

    def holders(self, snapshot_id: str) -> list[Image]:
        """The images that hold a snapshot."""
        return [image for image in self.images.values() if snapshot_id in image.snapshots()]
