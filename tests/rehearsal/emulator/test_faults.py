"""Faults on demand, by chance and by rate, as a client of the services sees them."""

import http.client
import socket
import time
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError, HTTPClientError

from brqos.rehearsal.emulator import Emulator, Fault, Rate
from brqos.rehearsal.emulator.faults import Faults
from brqos.rehearsal.emulator.throttle import Throttle

from .conftest import BLOCK, REGION, Aws, Clock, RawClient, refused

pytestmark = pytest.mark.loopback

DATA = b"\7" * BLOCK


@pytest.fixture
def snapshot(raw: RawClient) -> str:
    return str(raw.start().json["SnapshotId"])


def blocks(emulator: Emulator, snapshot: str) -> int:
    return len(emulator.store.snapshots[snapshot].blocks)


@pytest.mark.parametrize(("after", "kept"), [(False, 0), (True, 1)])
@pytest.mark.parametrize("fault", [{"kind": "throttled"}, {"code": "Odd", "status": 418}])
def test_errors_before_and_after_the_effect(
    raw: RawClient, emulator: Emulator, snapshot: str, fault: dict[str, Any], after: bool, kept: int
) -> None:
    emulator.faults.inject("PutSnapshotBlock", Fault(after_effect=after, **fault))
    assert raw.put(snapshot, 0, DATA).status >= 400
    assert blocks(emulator, snapshot) == kept
    assert raw.put(snapshot, 0, DATA).status == 201


@pytest.mark.parametrize(
    ("kind", "ebs", "ec2", "ssm", "sts"),
    [
        ("throttled", "RequestThrottledException", "RequestLimitExceeded", "ThrottlingException", "Throttling"),
        ("expired", "ExpiredTokenException", "RequestExpired", "ExpiredTokenException", "ExpiredToken"),
        ("denied", "AccessDeniedException", "UnauthorizedOperation", "AccessDeniedException", "AccessDenied"),
        ("internal", "InternalServerException", "InternalError", "InternalServerError", "InternalFailure"),
        ("unavailable", "ServiceUnavailableException", "Unavailable", "ServiceUnavailable", "ServiceUnavailable"),
    ],
)
def test_each_service_has_its_own_words(
    aws: Aws, emulator: Emulator, kind: str, ebs: str, ec2: str, ssm: str, sts: str
) -> None:
    for operation in ("StartSnapshot", "DescribeImages", "DescribeParameters", "GetCallerIdentity"):
        emulator.faults.inject(operation, Fault(kind=kind))
    with refused(ebs):
        aws.ebs.start_snapshot(VolumeSize=1)
    with refused(ec2):
        aws.ec2.describe_images()
    with refused(ssm):
        aws.ssm.describe_parameters()
    with refused(sts):
        aws.sts.get_caller_identity()


@pytest.mark.parametrize(
    ("reset", "after", "kept"), [("body", False, 0), ("now", False, 0), ("now", True, 1), ("answer", False, 1)]
)
def test_resets(raw: RawClient, emulator: Emulator, snapshot: str, reset: str, after: bool, kept: int) -> None:
    emulator.faults.inject("PutSnapshotBlock", Fault(reset=reset, after_effect=after))
    # Which of them it is depends on how much the client had sent or read by then.
    with pytest.raises((ConnectionError, http.client.IncompleteRead)):
        raw.put(snapshot, 0, DATA)
    assert blocks(emulator, snapshot) == kept


def test_a_reset_in_the_answer_comes_after_half_of_it(aws: Aws, emulator: Emulator) -> None:
    emulator.faults.inject("DescribeRegions", Fault(reset="answer"))
    with pytest.raises((ConnectionClosedError, HTTPClientError)):
        aws.ec2.describe_regions()
    assert aws.ec2.describe_regions()["Regions"]


def test_redirects(raw: RawClient, emulator: Emulator, snapshot: str) -> None:
    there = "https://ebs.us-west-2.amazonaws.com/"
    for status in (301, 307):
        emulator.faults.inject("PutSnapshotBlock", Fault(location=there, status=status))
        answer = raw.put(snapshot, 0, DATA)
        assert (answer.status, answer.headers["location"]) == (status, there)
    emulator.faults.inject("StartSnapshot", Fault(location=there))
    assert raw.start().status == 307


def test_slow_answers_and_hangs(raw: RawClient, emulator: Emulator) -> None:
    emulator.faults.inject("StartSnapshot", Fault(slow=0.2))
    emulator.faults.inject("StartSnapshot", Fault(hang=0.2))
    for _ in range(2):
        began = time.monotonic()
        assert raw.start().status == 201
        assert time.monotonic() - began >= 0.2


def test_a_hang_does_not_outlive_the_emulator() -> None:
    with Emulator() as emulator:
        emulator.faults.inject("StartSnapshot", Fault(hang=600))
        connection = socket.create_connection(("127.0.0.1", int(emulator.endpoint.rsplit(":", 1)[1])))
        connection.sendall(b"GET /snapshots HTTP/1.1\r\nHost: x\r\n\r\n")
        began = time.monotonic()
    assert time.monotonic() - began < 5
    connection.close()


def test_404_after_start(raw: RawClient, emulator: Emulator, clock: Clock) -> None:
    emulator.faults.unknown_after_start = 10
    snapshot = str(raw.start().json["SnapshotId"])
    answer = raw.put(snapshot, 0, DATA)
    assert (answer.status, answer.error) == (404, "ResourceNotFoundException")
    assert raw.complete(snapshot, 0).status == 404
    clock.now += 10
    assert raw.put(snapshot, 0, DATA).status == 201


def test_one_region_only(aws: Aws, emulator: Emulator) -> None:
    emulator.faults.inject("StartSnapshot", Fault(kind="internal"), region="us-east-1", skip=1)
    emulator.faults.inject("DescribeImages", Fault(kind="internal"), region="us-east-1")
    there = aws.client("ebs", "us-east-1")
    there.start_snapshot(VolumeSize=1)
    for _ in range(3):
        aws.ebs.start_snapshot(VolumeSize=1)
    aws.ec2.describe_images()
    with refused("InternalServerException"):
        there.start_snapshot(VolumeSize=1)
    with refused("InternalError"):
        aws.client("ec2", "us-east-1").describe_images()


def test_chance_repeats_itself() -> None:
    def thrown(seed: int) -> list[str]:
        faults = Faults()
        faults.mix(
            {Fault(kind="throttled"): 3, Fault(reset="body"): 1}, 0.2, {"PutSnapshotBlock"}, seed=seed, limit=150
        )
        met = [faults.next_for("PutSnapshotBlock") for _ in range(1000)]
        assert faults.next_for("StartSnapshot") is None
        return ["" if fault is None else fault.kind or fault.reset for fault in met]

    first = thrown(1)
    assert first == thrown(1) != thrown(2)
    assert first.count("throttled") + first.count("body") == 150
    assert 90 < first.count("throttled") < 135


def test_a_storm_is_weathered(raw: RawClient, emulator: Emulator, snapshot: str) -> None:
    storm = {Fault(kind="throttled"): 1.0, Fault(drop=True, after_effect=True): 1.0, Fault(reset="body"): 1.0}
    emulator.faults.mix(storm, 0.5, {"PutSnapshotBlock"}, seed=7)
    for index in range(10):
        for _ in range(30):
            try:
                if raw.put(snapshot, index, DATA).status == 201:
                    break
            except (ConnectionError, http.client.HTTPException):
                continue
    assert blocks(emulator, snapshot) == 10
    assert emulator.faults.met["PutSnapshotBlock"] > 2
    emulator.faults.clear()
    assert raw.complete(snapshot, 10, [DATA] * 10).status == 202


def test_rates(aws: Aws, emulator: Emulator, clock: Clock) -> None:
    emulator.throttle = Throttle(clock)
    emulator.throttle.limit("StartSnapshot", Rate(5))
    emulator.throttle.limit("*", Rate(0.01, burst=2))
    for _ in range(5):
        aws.ebs.start_snapshot(VolumeSize=1)
    with refused("RequestThrottledException", status=400):
        aws.ebs.start_snapshot(VolumeSize=1)
    aws.client("ebs", "us-east-1").start_snapshot(VolumeSize=1)
    for operation in (aws.ec2.describe_images, aws.ec2.describe_snapshots):
        operation()
        operation()
        with refused("RequestLimitExceeded", status=503):
            operation()
    clock.now += 0.2
    aws.ebs.start_snapshot(VolumeSize=1)
    with refused("RequestThrottledException"):
        aws.ebs.start_snapshot(VolumeSize=1)
    assert emulator.throttle.refused == 4
    emulator.throttle.limit("*", None)
    aws.ec2.describe_images()


def test_block_puts_have_a_rate() -> None:
    with Emulator(puts_per_second=1) as emulator:
        raw = RawClient(emulator)
        snapshot = str(raw.start().json["SnapshotId"])
        answers = [raw.put(snapshot, index, DATA) for index in range(6)]
        throttled = [answer for answer in answers if answer.status == 400]
        assert throttled
        assert {answer.error for answer in throttled} == {"RequestThrottledException"}
        assert throttled[0].json["Reason"] == "ACCOUNT_THROTTLED"
        assert blocks(emulator, snapshot) == 6 - len(throttled) >= 1


def test_what_is_denied(aws: Aws, emulator: Emulator) -> None:
    emulator.deny("ec2:Describe*")
    emulator.deny("ebs:StartSnapshot", region="us-east-1")
    emulator.deny("ssm:PutParameter", account="1" * 12)
    with refused("UnauthorizedOperation", status=403):
        aws.ec2.describe_images(DryRun=True)
    with refused("DryRunOperation", status=412):
        aws.ec2.copy_image(Name="name", SourceImageId="ami-0", SourceRegion=REGION, DryRun=True)
    aws.ebs.start_snapshot(VolumeSize=1)
    with refused("AccessDeniedException", status=403):
        aws.client("ebs", "us-east-1").start_snapshot(VolumeSize=1)
    aws.ssm.put_parameter(Name="/p", Value="x", Type="String")
    with refused("AccessDeniedException", status=400):
        aws.client("ssm", REGION, aws.account("1" * 12)).put_parameter(Name="/p", Value="x", Type="String")
    emulator.allow("ec2:Describe*")
    aws.ec2.describe_images()
    emulator.deny("sts:*")
    with refused("AccessDenied", status=403):
        aws.sts.get_caller_identity()
    emulator.allow()
    aws.sts.get_caller_identity()
