"""Reading snapshots: pages, and blocks that come damaged."""

import base64
import hashlib
import io
from typing import Any

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from brqos.aws.ebs_reader import EbsReader
from brqos.aws.errors import AwsCallError, ErrorKind

REGION = "eu-west-1"
BLOCK = 524288
SNAPSHOT = "snap-0123456789abcdef0"


def client() -> Any:
    return boto3.client("ebs", REGION, aws_access_key_id="testing", aws_secret_access_key="testing")


def page(indexes: list[int], token: str | None = None) -> dict[str, Any]:
    blocks = [{"BlockIndex": index, "BlockToken": f"t{index}"} for index in indexes]
    return {"Blocks": blocks, "BlockSize": BLOCK} | ({"NextToken": token} if token else {})


def block(data: bytes, told: bytes | None = None, length: int | None = None) -> dict[str, Any]:
    digest = base64.b64encode(hashlib.sha256(told if told is not None else data).digest()).decode()
    return {
        "DataLength": len(data),
        "BlockData": StreamingBody(io.BytesIO(data), len(data) if length is None else length),
        "Checksum": digest,
        "ChecksumAlgorithm": "SHA256",
    }


def test_all_pages_are_read_empty_ones_too() -> None:
    with Stubber(stubbed := client()) as stub:
        stub.add_response("list_snapshot_blocks", page([0, 1], "a"), {"SnapshotId": SNAPSHOT, "MaxResults": 10000})
        for token, following, indexes in (("a", "b", []), ("b", None, [7])):
            stub.add_response(
                "list_snapshot_blocks",
                page(indexes, following),
                {"SnapshotId": SNAPSHOT, "MaxResults": 10000, "NextToken": token},
            )
        assert EbsReader(stubbed, REGION, None).list_blocks(SNAPSHOT) == {0: "t0", 1: "t1", 7: "t7"}


def test_a_block_is_read() -> None:
    data = b"x" * BLOCK
    with Stubber(stubbed := client()) as stub:
        stub.add_response(
            "get_snapshot_block", block(data), {"SnapshotId": SNAPSHOT, "BlockIndex": 7, "BlockToken": "t7"}
        )
        assert EbsReader(stubbed, REGION, None).get_block(SNAPSHOT, 7, "t7") == data


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(block(b"x" * BLOCK, told=b"y" * BLOCK), id="another checksum"),
        pytest.param(block(b"x" * 100), id="short"),
        pytest.param(block(b"x" * 100, length=BLOCK), id="cut off"),
        pytest.param(block(b"x" * BLOCK) | {"Checksum": ""}, id="no checksum"),
    ],
)
def test_a_damaged_block_can_be_read_again(answer: dict[str, Any]) -> None:
    with Stubber(stubbed := client()) as stub:
        stub.add_response("get_snapshot_block", answer)
        with pytest.raises(AwsCallError) as raised:
            EbsReader(stubbed, REGION, None).get_block(SNAPSHOT, 7, "t7")
    assert raised.value.kind is ErrorKind.CONNECTION
    assert raised.value.todo


def test_what_aws_refuses_keeps_its_kind() -> None:
    with Stubber(stubbed := client()) as stub:
        stub.add_client_error("list_snapshot_blocks", "AccessDeniedException", "no", 403)
        with pytest.raises(AwsCallError) as raised:
            EbsReader(stubbed, REGION, None).list_blocks(SNAPSHOT)
    assert raised.value.kind is ErrorKind.ACCESS_DENIED
