"""Faults as a script: what it may say, and how wrong ones are refused."""

from pathlib import Path

import pytest

from brqos.rehearsal.emulator import Fault, Faults, fault_script
from brqos.rehearsal.emulator.access import Access
from brqos.rehearsal.emulator.fault_script import FaultScriptError, Targets, apply, checked_kill
from brqos.rehearsal.emulator.throttle import Throttle
from brqos.rehearsal.emulator.wire import Caller

CALLER = Caller("0" * 12, "AKIA", "eu-west-1", "ec2")


@pytest.fixture
def targets() -> Targets:
    return Targets(Faults(), Access(), Throttle())


def test_all_that_it_may_say(targets: Targets) -> None:
    script: dict[str, object] = {
        "faults": [
            {
                "operation": "PutSnapshotBlock",
                "skip": 1,
                "times": 2,
                "region": "eu-west-1",
                "fault": {"kind": "throttled", "after_effect": True, "hang": 1},
            },
            {"operation": "CopyImage", "fault": {"code": "Odd", "status": 400, "message": "m", "reason": "r"}},
        ],
        "mix": [
            {
                "operations": ["StartSnapshot"],
                "probability": 1,
                "faults": [{"weight": 0, "drop": True}, {"weight": 1, "reset": "body"}],
                "seed": 3,
                "limit": 1,
            }
        ],
        "rates": {"DescribeImages": 0.5},
        "deny": ["ec2:RegisterImage"],
        "unknown_after_start": 2,
        "unknown_after_making": 1.5,
        "fail_snapshots": 1,
        "fail_images": 1,
        "fail_copies": 1,
    }
    apply(script, targets)
    faults = targets.faults
    met = [faults.next_for("PutSnapshotBlock", "eu-west-1") for _ in range(4)]
    slow = Fault(kind="throttled", after_effect=True, hang=1)
    assert met == [None, slow, slow, None]
    assert faults.next_for("CopyImage") == Fault("Odd", 400, "m", "r")
    assert [faults.next_for("StartSnapshot") for _ in range(2)] == [Fault(reset="body"), None]
    assert [targets.throttle.admits("a", "b", "DescribeImages") for _ in range(2)] == [True, False]
    assert not targets.access.may(CALLER, "ec2:RegisterImage")
    assert (faults.unknown_after_start, faults.unknown_after_making) == (2.0, 1.5)
    assert [faults.snapshot_fails(), faults.image_fails(), faults.copy_fails(), faults.copy_fails()] == [
        True, True, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ({"fault": []}, "“fault” is not known"),
        ({"faults": {}}, "faults: must be a list"),
        ({"faults": [1]}, r"faults\[0\]: must be an object"),
        ({"faults": [{"operation": "x"}]}, r"faults\[0\]: needs operation and fault"),
        ({"faults": [{"operation": "x", "fault": {}}]}, r"faults\[0\].fault: says of nothing that it goes wrong"),
        ({"faults": [{"operation": "x", "fault": {"colour": 1}}]}, r"faults\[0\].fault.colour: is not known"),
        ({"faults": [{"operation": "x", "fault": {"hang": "1"}}]}, "hang: must be of the type float"),
        ({"faults": [{"operation": "x", "fault": {"drop": 1}}]}, "drop: must be of the type bool"),
        ({"faults": [{"operation": "x", "fault": {"status": True}}]}, "status: must be of the type int"),
        ({"faults": [{"operation": "x", "fault": {"kind": "odd"}}]}, "kind: must be one of throttled, expired"),
        ({"faults": [{"operation": "x", "fault": {"reset": "odd"}}]}, "reset: must be one of body, answer, now"),
        ({"mix": [{"faults": [{"drop": True}]}]}, r"mix\[0\].probability: must be between 0 and 1"),
        ({"mix": [{"probability": 2, "faults": [{"drop": True}]}]}, "probability"),
        ({"mix": [{"probability": 1}]}, r"mix\[0\].faults: needs faults"),
        ({"mix": [{"probability": 1, "faults": [{"drop": True, "weight": 0}]}]}, "not all of them 0"),
        ({"rates": {"x": 0}}, "rates.x: must be a number above 0"),
        ({"rates": []}, "rates: must be an object"),
        ({"deny": ["RegisterImage"]}, "deny: 'RegisterImage' is no action"),
        ({"unknown_after_start": -1}, "unknown_after_start: must be a number of seconds"),
        ({"fail_images": 1.5}, "fail_images: must be a number from 0 on"),
    ],
)
def test_wrong_scripts(targets: Targets, script: dict[str, object], told: str) -> None:
    good = {"operation": "CopyImage", "fault": {"drop": True}}
    with pytest.raises(FaultScriptError, match=told):
        apply({"faults": [good], "deny": ["ec2:x"], **script}, targets)
    assert not targets.faults.waiting, "all of it or nothing"
    assert targets.access.may(CALLER, "ec2:x")


@pytest.mark.parametrize(
    "asked",
    [
        {"operation": "x"},
        {"pid": 1, "operation": "x"},
        {"pid": 5, "operation": "x", "nth": 0},
        {"pid": 5, "operation": "x", "when": "never"},
        {"pid": "5", "operation": "x"},
    ],
)
def test_wrong_orders_to_kill(asked: dict[str, object]) -> None:
    with pytest.raises(FaultScriptError, match="kill"):
        checked_kill(asked)


def test_files(tmp_path: Path) -> None:
    file = tmp_path / "script.json"
    for content, told in ((None, "cannot be read"), ("{", "is not JSON"), ("[]", "does not hold a JSON object")):
        if content is not None:
            file.write_text(content)
        with pytest.raises(FaultScriptError, match=told):
            fault_script.read(file)
    file.write_text('{"fail_images": 1}')
    assert fault_script.read(file) == {"fail_images": 1}
