"""Reading logs: pages, tokens and refusals."""

from typing import Any

import pytest

from brqos.rehearsal.emulator.store import ACCOUNT

from .conftest import REGION, Aws, refused

pytestmark = pytest.mark.loopback

GROUP = "/aws/codebuild/x"


def say(aws: Aws, *messages: str, stream: str = "one") -> None:
    for message in messages:
        aws.emulator.store.logs.say(ACCOUNT, REGION, GROUP, stream, aws.clock.now, message)


@pytest.mark.parametrize(("count", "limit", "scanned"), [(0, 1, 1), (5, 2, 9), (5, 9, 2), (5, 3, 3), (11, 4, 4)])
def test_pages_hold_everything_once(aws: Aws, count: int, limit: int, scanned: int) -> None:
    aws.emulator.store.logs.scanned = scanned
    wanted = [str(number) for number in range(count)]
    say(aws, *wanted, "last")
    found: list[str] = []
    asked: dict[str, Any] = {"logGroupName": GROUP, "limit": limit}
    while True:
        answer = aws.logs.filter_log_events(**asked)
        assert len(answer["events"]) <= limit
        found += [event["message"] for event in answer["events"]]
        if "nextToken" not in answer:
            break
        asked["nextToken"] = answer["nextToken"]
    assert found == [*wanted, "last"]


@pytest.mark.parametrize("from_head", [True, False])
@pytest.mark.parametrize(("count", "limit"), [(0, 1), (5, 2), (5, 9), (5, 3)])
def test_a_stream_can_be_read_from_either_end(aws: Aws, count: int, limit: int, from_head: bool) -> None:
    wanted = [str(number) for number in range(count)]
    say(aws, *wanted, "last")
    found: list[str] = []
    asked: dict[str, Any] = {"logGroupName": GROUP, "logStreamName": "one", "limit": limit, "startFromHead": from_head}
    way = "nextForwardToken" if from_head else "nextBackwardToken"
    while True:
        answer = aws.logs.get_log_events(**asked)
        page = [event["message"] for event in answer["events"]]
        found = [*found, *page] if from_head else [*page, *found]
        if answer[way] == asked.get("nextToken"):
            break
        asked["nextToken"] = answer[way]
    assert found == [*wanted, "last"] and page == []


def test_an_end_is_left_out_by_one_and_not_by_the_other(aws: Aws) -> None:
    say(aws, "x")
    now = int(aws.clock.now * 1000)
    assert len(aws.logs.filter_log_events(logGroupName=GROUP, startTime=now, endTime=now)["events"]) == 1
    assert aws.logs.get_log_events(logGroupName=GROUP, logStreamName="one", endTime=now)["events"] == []


def test_refusals(aws: Aws) -> None:
    with refused("ResourceNotFoundException", match="log group does not exist"):
        aws.logs.filter_log_events(logGroupName=GROUP)
    say(aws, "x")
    with refused("ResourceNotFoundException", match="log stream does not exist"):
        aws.logs.get_log_events(logGroupName=GROUP, logStreamName="two")
    with refused("ResourceNotFoundException"):
        aws.logs.filter_log_events(logGroupName=GROUP, logStreamNames=["one", "two"])
    with refused("InvalidParameterException", match="nextToken"):
        aws.logs.filter_log_events(logGroupName=GROUP, nextToken="x")
    with refused("InvalidParameterException", match="not emulated"):
        aws.logs.filter_log_events(logGroupName=GROUP, filterPattern="{ $.x = 1 }")
    with refused("InvalidParameterException", match="logStreamNamePrefix is not emulated"):
        aws.logs.filter_log_events(logGroupName=GROUP, logStreamNamePrefix="o")
    with refused("UnknownOperationException"):
        aws.logs.describe_log_groups()
    with refused("ResourceNotFoundException"):
        aws.client("logs", "eu-central-1").filter_log_events(logGroupName=GROUP)
