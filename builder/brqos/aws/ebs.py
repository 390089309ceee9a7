"""EBS direct: the three calls that write a snapshot. Each is made once; `brqos.aws.retry` says what may be repeated."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, cast

from brqos.aws.errors import translated

if TYPE_CHECKING:
    from mypy_boto3_ebs import EBSClient

    from brqos.aws.block_puts import BlockPuts

BLOCK = 524288
"""Bytes of a block; the API takes no other length."""


@dataclass(frozen=True, slots=True)
class StartedSnapshot:
    """What StartSnapshot answered; `age` is the seconds since it was first started, by the service's own clock."""

    id: str
    status: str
    age: float


class Ebs:
    """EBS direct in one region; safe to use from any thread. All methods raise AwsCallError."""

    def __init__(self, client: "EBSClient", puts: "BlockPuts", region: str, profile: str | None) -> None:
        self._client = client
        self._puts = puts
        self._profile = profile
        self.region = region

    def start(
        self,
        *,
        volume_gib: int,
        description: str,
        tags: Mapping[str, str],
        token: str,
        timeout_minutes: int,
        kms_key: str | None = None,
    ) -> StartedSnapshot:
        """Begin a snapshot; with the token of an earlier call the answer to that one comes back.

        With `kms_key` (a key's ARN) it is encrypted, without one it is as the account's default says.
        """
        encryption = {"Encrypted": True, "KmsKeyArn": kms_key} if kms_key else {}
        with translated("StartSnapshot", self.region, self._profile):
            answer = self._client.start_snapshot(
                VolumeSize=volume_gib,
                Description=description,
                Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
                ClientToken=token,
                Timeout=timeout_minutes,
                **cast("Any", encryption),
            )
        now = _date(answer["ResponseMetadata"]["HTTPHeaders"].get("date"))
        age = (now - answer["StartTime"]).total_seconds() if now else 0.0
        return StartedSnapshot(answer["SnapshotId"], answer["Status"], age)

    def put(self, snapshot: str, index: int, data: bytes, digest: bytes) -> None:
        """Write one block of exactly BLOCK bytes; `digest` is its raw SHA-256, which the service checks."""
        self._puts.put(snapshot, index, data, digest)

    def complete(self, snapshot: str, *, blocks: int, digest: bytes) -> None:
        """Declare the snapshot complete; `digest` is the SHA-256 over all blocks' digests, in the order of indexes."""
        with translated("CompleteSnapshot", self.region, self._profile):
            self._client.complete_snapshot(
                SnapshotId=snapshot,
                ChangedBlocksCount=blocks,
                Checksum=base64.b64encode(digest).decode(),
                ChecksumAlgorithm="SHA256",
                ChecksumAggregationMethod="LINEAR",
            )


def _date(header: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(header) if header else None
    except ValueError:
        return None
