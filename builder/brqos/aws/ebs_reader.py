"""EBS direct: the two calls that read a snapshot."""

import base64
import hashlib
from typing import TYPE_CHECKING, Any

from brqos.aws.ebs import BLOCK
from brqos.aws.errors import AwsCallError, ErrorKind, translated

if TYPE_CHECKING:
    from mypy_boto3_ebs import EBSClient

_MOST_BLOCKS = 10000


class EbsReader:
    """Reads completed snapshots in one region; safe to use from any thread. All methods raise AwsCallError."""

    def __init__(self, client: "EBSClient", region: str, profile: str | None) -> None:
        self._client = client
        self._profile = profile
        self.region = region

    def list_blocks(self, snapshot_id: str) -> dict[int, str]:
        """The blocks that were written, by index, each with the token by which it can be read for some days."""
        blocks: dict[int, str] = {}
        page: dict[str, Any] = {}
        while True:
            with translated("ListSnapshotBlocks", self.region, self._profile):
                answer = self._client.list_snapshot_blocks(SnapshotId=snapshot_id, MaxResults=_MOST_BLOCKS, **page)
            # A page may be empty and still not be the last one.
            blocks |= {item.get("BlockIndex", 0): item.get("BlockToken", "") for item in answer.get("Blocks", [])}
            token = answer.get("NextToken")
            if not token:
                return blocks
            page = {"NextToken": token}

    def get_block(self, snapshot_id: str, index: int, token: str) -> bytes:
        """The bytes of a block, held against their length and the checksum that comes with them.

        Raises AwsCallError of kind CONNECTION where they were cut or damaged on the way: reading again may help.
        """
        with translated("GetSnapshotBlock", self.region, self._profile):
            answer = self._client.get_snapshot_block(SnapshotId=snapshot_id, BlockIndex=index, BlockToken=token)
            data = _read(answer["BlockData"], self.region)
        digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
        if len(data) != BLOCK or answer.get("Checksum") != digest:
            raise AwsCallError(
                f"block {index} of {snapshot_id} in {self.region} came damaged",
                kind=ErrorKind.CONNECTION,
                why=f"It has {len(data)} bytes and the SHA-256 {digest}; told was {answer.get('Checksum') or 'none'}.",
                todo="Run the same command again.",
            )
        return data


def _read(body: Any, region: str) -> bytes:  # noqa: ANN401 - botocore's stream has no type of its own in the stubs
    from botocore.exceptions import IncompleteReadError

    try:
        data: bytes = body.read()
    except IncompleteReadError as error:
        raise AwsCallError(
            f"the answer to GetSnapshotBlock in {region} was cut off",
            kind=ErrorKind.CONNECTION,
            why=str(error),
            todo="Check the network, and run the same command again.",
        ) from error
    return data
