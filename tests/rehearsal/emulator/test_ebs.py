"""EBS direct: each rule is broken once, by a request made by hand."""

import os
import re

import pytest

from brqos.rehearsal.emulator import Emulator

from .conftest import BLOCK, Clock, RawClient

pytestmark = pytest.mark.loopback

ONE, TWO, ZERO = os.urandom(BLOCK), os.urandom(BLOCK), bytes(BLOCK)


@pytest.fixture
def snapshot(raw: RawClient) -> str:
    return str(raw.start().json["SnapshotId"])


def test_the_whole_way(raw: RawClient, snapshot: str, clock: Clock) -> None:
    assert raw.put(snapshot, 0, ONE).status == 201
    assert raw.put(snapshot, 3, ZERO).status == 201
    assert raw.put(snapshot, 2047, TWO).status == 201
    assert raw.put(snapshot, 0, ONE).status == 201, "a put may be repeated"
    done = raw.complete(snapshot, 3, [ONE, ZERO, TWO])
    assert (done.status, done.json) == (202, {"Status": "pending"})
    assert raw.send("GET", f"/snapshots/{snapshot}/blocks").json["Reason"] == "INVALID_SNAPSHOT_ID"
    clock.now += 5
    listed = raw.send("GET", f"/snapshots/{snapshot}/blocks").json
    assert [block["BlockIndex"] for block in listed["Blocks"]] == [0, 3, 2047]
    token = listed["Blocks"][2]["BlockToken"].replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    block = raw.send("GET", f"/snapshots/{snapshot}/blocks/2047?blockToken={token}")
    assert block.body == TWO
    assert block.headers["x-amz-data-length"] == str(BLOCK)


def test_a_block_that_was_written_over_reads_as_the_last_one(raw: RawClient, snapshot: str, clock: Clock) -> None:
    raw.put(snapshot, 0, ONE)
    raw.put(snapshot, 0, ZERO)
    assert raw.complete(snapshot, 1, [ZERO]).status == 202
    clock.now += 5
    token = raw.send("GET", f"/snapshots/{snapshot}/blocks").json["Blocks"][0]["BlockToken"]
    quoted = token.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    assert raw.send("GET", f"/snapshots/{snapshot}/blocks/0?blockToken={quoted}").body == ZERO


@pytest.mark.parametrize(
    ("data", "headers", "reason"),
    [
        (ONE, {"x_amz_checksum": "AAAA"}, "INVALID_BLOCK"),
        (ONE, {"x_amz_checksum": None}, "INVALID_BLOCK"),
        (ONE, {"x_amz_checksum_algorithm": "MD5"}, "INVALID_PARAMETER_VALUE"),
        (ONE, {"x_amz_checksum_algorithm": None}, "INVALID_PARAMETER_VALUE"),
        (ONE, {"x_amz_data_length": "524287"}, "INVALID_PARAMETER_VALUE"),
        (ONE, {"x_amz_data_length": None}, "INVALID_PARAMETER_VALUE"),
        (ONE, {"x_amz_progress": "101"}, "INVALID_PARAMETER_VALUE"),
        (ONE[:-1], {}, "INVALID_PARAMETER_VALUE"),
        (b"", {}, "INVALID_PARAMETER_VALUE"),
        (ONE + b"x", {}, "INVALID_PARAMETER_VALUE"),
    ],
)
def test_wrong_blocks(raw: RawClient, snapshot: str, data: bytes, headers: dict[str, str | None], reason: str) -> None:
    answer = raw.put(snapshot, 0, data, **headers)
    assert (answer.status, answer.error, answer.json["Reason"]) == (400, "ValidationException", reason)
    assert raw.complete(snapshot, 0).status == 202, "nothing was kept of it"


def test_an_index_behind_the_volume(raw: RawClient, snapshot: str) -> None:
    assert raw.put(snapshot, 2048, ONE).json["Reason"] == "INVALID_BLOCK"


def test_a_snapshot_that_is_not_there(raw: RawClient) -> None:
    answer = raw.put("snap-0123456789abcdef0", 0, ONE)
    assert (answer.status, answer.error) == (404, "ResourceNotFoundException")
    assert answer.json["Reason"] == "SNAPSHOT_NOT_FOUND"


def test_another_region_does_not_know_it(raw: RawClient, snapshot: str) -> None:
    path = f"/snapshots/completion/{snapshot}"
    answer = raw.send("POST", path, region="us-east-1", headers={"x-amz-changedblockscount": "0"})
    assert answer.status == 404


@pytest.mark.parametrize(
    ("count", "blocks", "headers"),
    [
        (1, [ONE, TWO], {}),
        (3, [ONE, TWO], {}),
        (2, [TWO, ONE], {}),
        (2, [ONE], {}),
        (2, [ONE, TWO], {"x_amz_checksum_aggregation_method": "TREE"}),
        (2, [ONE, TWO], {"x_amz_checksum_algorithm": "SHA1"}),
    ],
)
def test_wrong_completions(
    raw: RawClient, snapshot: str, count: int, blocks: list[bytes], headers: dict[str, str]
) -> None:
    raw.put(snapshot, 0, ONE)
    raw.put(snapshot, 1, TWO)
    answer = raw.complete(snapshot, count, blocks, **headers)
    assert (answer.status, answer.error) == (400, "ValidationException")
    assert raw.complete(snapshot, 2, [ONE, TWO]).status == 202, "it can still be completed"


def test_nothing_is_taken_after_completion(raw: RawClient, snapshot: str, clock: Clock) -> None:
    raw.put(snapshot, 0, ONE)
    raw.complete(snapshot, 1, [ONE])
    for _ in range(2):
        assert raw.put(snapshot, 1, TWO).error == "ValidationException"
        assert raw.complete(snapshot, 1, [ONE]).error == "ValidationException"
        clock.now += 5


def test_a_snapshot_left_alone_fails(raw: RawClient, clock: Clock) -> None:
    snapshot = raw.start(Timeout=10).json["SnapshotId"]
    clock.now += 599
    assert raw.put(snapshot, 0, ONE).status == 201
    clock.now += 601
    assert "error" in raw.put(snapshot, 1, ONE).json["Message"]


def test_client_tokens(raw: RawClient) -> None:
    first = raw.start(ClientToken="token", Tags=[{"Key": "a", "Value": "b"}])
    again = raw.start(ClientToken="token", Tags=[{"Key": "a", "Value": "b"}])
    assert again.json == first.json
    other = raw.start(ClientToken="token", Tags=[{"Key": "a", "Value": "c"}])
    assert (other.status, other.error) == (409, "ConflictException")
    assert raw.start(ClientToken="other").json["SnapshotId"] != first.json["SnapshotId"]


@pytest.mark.parametrize(
    "members",
    [
        {"VolumeSize": 0},
        {"VolumeSize": 65537},
        {"VolumeSize": "1"},
        {"Timeout": 9},
        {"ClientToken": "x" * 65},
        {"ClientToken": "a b"},
        {"Tags": [{"Key": "aws:x", "Value": ""}]},
        {"Tags": [{"Key": "x", "Value": "1"}, {"Key": "x", "Value": "2"}]},
        {"Tags": [{"Key": f"x{number}", "Value": ""} for number in range(51)]},
        {"KmsKeyArn": "arn:aws:kms:eu-west-1:000000000000:key/x"},
        {"Description": "x" * 256},
        {"Unknown": 1},
    ],
)
def test_wrong_starts(raw: RawClient, members: dict[str, object], emulator: Emulator) -> None:
    answer = raw.start(**members)
    assert (answer.status, answer.error) == (400, "ValidationException")
    assert emulator.store.snapshots == {}


def test_a_parent_and_encryption_exclude_each_other(raw: RawClient, snapshot: str) -> None:
    assert raw.start(ParentSnapshotId=snapshot).status == 201
    assert raw.start(ParentSnapshotId=snapshot, Encrypted=False).error == "ValidationException"


def test_operations_that_do_not_exist(raw: RawClient) -> None:
    assert raw.send("DELETE", "/snapshots/snap-1").error == "UnknownOperationException"
    assert raw.send("POST", "/snapshots", body=b"{").error == "SerializationException"


def test_ids_of_a_rehearsal_cannot_be_mistaken() -> None:
    real, rehearsal = [], []
    for kind, ids in ((False, real), (True, rehearsal)):
        with Emulator(rehearsal=kind) as emulator:
            ids.append(str(RawClient(emulator).start().json["SnapshotId"]))
    assert re.fullmatch(r"snap-[0-9a-f]{17}", real[0])
    assert re.fullmatch(r"snap-rehearsal[0-9a-f]{8}", rehearsal[0])
