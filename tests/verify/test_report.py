"""The report: its gravity, its table, its JUnit XML; progress, pressure and texts that it is made from."""

import xml.etree.ElementTree as ET
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brqos.verify.cgroup_text import Cgroup, cgroup_of
from brqos.verify.junit import junit
from brqos.verify.model import Check, Compared, Finding, NodeReport, Report, Status, Subject, Values, worst
from brqos.verify.pressure import check_pressure
from brqos.verify.progress import progress_of
from brqos.verify.table import rows, summary
from brqos.verify.workloads import Reading, parted

RIGHT = Values(memory_min=4096, memory_low=0, memory_high="max", memory_max=8192)
WRONG = RIGHT.model_copy(update={"memory_min": 0})


def report(*findings: Finding, left: tuple[str, ...] = ()) -> Report:
    compared = (
        Compared(status=Status.PASSED, pod="a", container="c", qos_class="Burstable", expected=RIGHT, observed=RIGHT),
        Compared(status=Status.FAILED, pod="b", container="c", qos_class="Burstable", expected=RIGHT, observed=WRONG),
    )
    check = Check(subject=Subject.EFFECT, findings=findings, compared=compared)
    return Report(nodes=(NodeReport(node="n", checks=(check,)),), left=left)


def test_the_gravest_status_counts() -> None:
    assert worst([]) is Status.SKIPPED
    assert worst([Status.SKIPPED, Status.PASSED]) is Status.PASSED
    assert worst([Status.UNANSWERED, Status.WARNING]) is Status.UNANSWERED
    assert worst(Status) is Status.FAILED
    assert Report(nodes=(), left=("p",)).status is Status.UNANSWERED


def test_the_table_has_expected_and_observed_side_by_side() -> None:
    node = report(Finding(status=Status.PASSED, what="gate", expected="on", observed="on")).nodes[0]
    assert rows(node) == [
        ["did it take effect", "!FAILED", "", ""],
        ["  gate", "+ok", "on", "on"],
        ["  a/c (Burstable)", "+ok", "", ""],
        ["    memory.min", "", "4096", "4096"],
        ["    memory.low", "", "0", "0"],
        ["    memory.high", "", "max", "max"],
        ["    memory.max", "", "8192", "8192"],
        ["  b/c (Burstable)", "!FAILED", "", ""],
        ["    memory.min", "!differs", "4096", "0"],
        ["    memory.low", "", "0", "0"],
        ["    memory.high", "", "max", "max"],
        ["    memory.max", "", "8192", "8192"],
    ]
    assert summary(report()) == "1 node(s): 1 not as predicted"


def test_junit_counts_and_tells() -> None:
    found = report(
        Finding(status=Status.UNANSWERED, what="probe", observed="late", why="events"),
        Finding(status=Status.SKIPPED, what="AMI"),
        Finding(status=Status.WARNING, what="policy", observed="None"),
        left=("brqos-probe-1",),
    )
    root = ET.fromstring(junit(found))
    suite = root[0]
    assert {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "5",
        "failures": "1",
        "errors": "1",
        "skipped": "1",
    }
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert failure.get("message") == "memory.min"
    assert "memory.min: expected 4096, observed 0" in str(failure.text)
    assert root[1].get("name") == "removal"


@given(st.text())
def test_junit_is_xml_whatever_a_cluster_says(text: str) -> None:
    finding = Finding(status=Status.FAILED, what=text, observed=text, why=text)
    ET.fromstring(
        junit(Report(nodes=(NodeReport(node=text, checks=(Check(subject=Subject.ON, findings=(finding,)),)),)))
    )


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"phase": "Succeeded"}, (True, False, "it has not begun")),
        ({"phase": "Pending"}, (False, False, "it has not begun")),
        ({"phase": "Failed", "reason": "Evicted", "message": "disk"}, (False, True, "Evicted: disk")),
        ({"state": {"waiting": {"reason": "ErrImagePull", "message": "no"}}}, (False, False, "ErrImagePull: no")),
        (
            {"state": {"waiting": {"reason": "InvalidImageName"}}},
            (False, True, "InvalidImageName: The image's name is not one."),
        ),
        ({"state": {"terminated": {"exitCode": 0}}}, (True, False, "it has not begun")),
        ({"state": {"terminated": {"exitCode": 2, "reason": "Error"}}}, (False, True, "Error: exit status 2")),
        ({"phase": "Running", "state": {"running": {}}}, (False, False, "it has not begun")),
    ],
)
def test_progress(status: dict[str, Any], expected: tuple[bool, bool, str]) -> None:
    if "state" in status:
        status = {**status, "containerStatuses": [{"name": "mesh"}, {"name": "probe", "state": status["state"]}]}
    progress = progress_of({"status": status})
    assert (progress.done, progress.failed, progress.words) == expected


def test_what_cat_prints_is_parted_again() -> None:
    lines = [
        "4096",
        "0",
        "max",
        "8192",
        "5000",
        "low 0",
        "high 7",
        "oom_kill 0",
        "anon 10",
        "file 20",
        "some avg10=12.50 avg60=0.00 avg300=0.00 total=1",
        "full avg10=0.00 avg60=0.00 avg300=0.00 total=0",
    ]
    cgroup = cgroup_of(parted("\n".join(lines)))
    assert cgroup == Cgroup(RIGHT, 5000, {"low": 0, "high": 7, "oom_kill": 0}, anon=10, file=20, pressure=12.5)
    # Before Linux 4.20, and with PSI off, there is no memory.pressure; in a root cgroup no memory.current.
    cgroup = cgroup_of(parted("\n".join(lines[:4] + lines[5:10])))
    assert cgroup is not None
    assert (cgroup.current, cgroup.pressure, cgroup.events["high"]) == (None, None, 7)


@given(st.text(max_size=200))
def test_no_output_is_too_strange(text: str) -> None:
    cgroup_of(parted(text))


def sample(high: int, anon: int, file: int, **others: Any) -> Cgroup:
    return Cgroup(RIGHT, events={"high": high, "oom_kill": 0}, anon=anon, file=file, **others)


@pytest.mark.parametrize(
    ("second", "status"),
    [
        (sample(500, 10**8, 4096), Status.WARNING),
        (sample(500, 10**8, 10**8), Status.PASSED),
        (sample(101, 10**8, 4096), Status.PASSED),
        (sample(100, 10**8, 4096, pressure=40.0), Status.WARNING),
    ],
)
def test_pressure(second: Cgroup, status: Status) -> None:
    reading = Reading(first=sample(100, 10**8, 4096), second=second, seconds=3.0)
    assert check_pressure({("n", "p", "c"): reading}).status is status


def test_nothing_read_is_skipped() -> None:
    assert check_pressure({("n", "p", "c"): Reading(trouble="no cat")}).status is Status.SKIPPED
