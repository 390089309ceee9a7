"""Only what the stages need is asked for, and what is missing stops them with all remedies at once."""

import pytest

from brqos.doctor.aws import Account
from brqos.doctor.examine import examine, require, rows
from brqos.doctor.model import Check, Report, Status
from brqos.errors import AwsError, ToolError
from brqos.stages import Stage
from doctor.machine import GB, Machine
from image.recorder import Recorder


def _account(_: str | None, __: str | None) -> Account:
    return Account("arn:aws:iam::123456789012:user/me", "us-west-2")


def _names(report: Report) -> list[str]:
    return [check.name for check in report.checks]


def test_each_stage_asks_for_its_own() -> None:
    machine = Machine()
    assert _names(examine([Stage.GENERATE], probe=machine, ask_aws=_account)) == ["git"]
    assert _names(examine([Stage.REGISTER], probe=Machine(), ask_aws=_account)) == ["AWS credentials", "AWS region"]
    assert _names(examine([Stage.NODEGROUP], probe=Machine(), ask_aws=_account)) == ["eksctl"]
    build = examine([Stage.BUILD], probe=Machine(), ask_aws=_account)
    assert {"git", "host", "cargo", "cargo-make", "docker", "docker daemon", "lz4", "disk", "cores"} < set(
        _names(build)
    )
    assert "AWS credentials" not in _names(build)
    assert machine.asked == ["git --version"]


def test_all_stages_in_their_order() -> None:
    report = examine([Stage.REGISTER, Stage.BUILD, Stage.GENERATE], probe=Machine(), ask_aws=_account)
    assert report.stages == (Stage.GENERATE, Stage.BUILD, Stage.REGISTER)
    assert len(set(_names(report))) == len(report.checks)
    assert not report.lacking
    assert report.as_json()["ok"] is True


def test_nothing_missing_nothing_raised() -> None:
    said = Recorder()
    require([Stage.GENERATE, Stage.BUILD, Stage.REGISTER], monitor=said, probe=Machine(), ask_aws=_account)
    assert not said.warnings


def test_all_that_is_missing_is_told_at_once() -> None:
    def nobody(_: str | None, __: str | None) -> Account:
        raise AwsError("there are no AWS credentials")

    machine = Machine(missing=frozenset(["cargo-make", "lz4", "pkg-config"]), free=60 * GB)
    said = Recorder()
    with pytest.raises(ToolError) as caught:
        require([Stage.BUILD, Stage.REGISTER], monitor=said, probe=machine, ask_aws=nobody)
    assert caught.value.what == "cargo-make, lz4, AWS credentials are missing or too old"
    for part in ("cargo install --locked cargo-make", "sudo apt-get install lz4", "aws configure"):
        assert part in caught.value.why
    assert len(said.warnings) == 1
    assert said.warnings[0].startswith("disk: 60 GB free, needed 80 GB.")


def test_one_missing() -> None:
    with pytest.raises(ToolError, match=r"^git is missing or too old"):
        require([Stage.GENERATE], monitor=Recorder(), probe=Machine(missing=frozenset(["git"])))


def test_rows() -> None:
    stages = (Stage.BUILD,)
    assert rows(
        [
            Check("a", Status.FOUND, stages, "1.2", ">= 1"),
            Check("b", Status.FOUND, stages),
            Check("c", Status.TOO_OLD, stages, "0.9", ">= 1", "update"),
            Check("d", Status.MISSING, stages, remedy="install"),
            Check("e", Status.WARNING, stages, "2", "4", "wait"),
            Check("f", Status.WARNING, stages, remedy="install"),
        ]
    ) == [
        ("a", "+1.2", ">= 1", ""),
        ("b", "+yes", "", ""),
        ("c", "!0.9 (too old)", ">= 1", "update"),
        ("d", "!missing", "", "install"),
        ("e", "~2 (not enough)", "4", "wait"),
        ("f", "~not found", "", "install"),
    ]


def test_json() -> None:
    report = Report((Stage.BUILD,), (Check("a", Status.TOO_OLD, (Stage.BUILD,), "0.9", ">= 1", "update"),))
    assert report.as_json() == {
        "ok": False,
        "stages": ["build"],
        "checks": [
            {
                "name": "a",
                "status": "too-old",
                "version": "0.9",
                "needed": ">= 1",
                "remedy": "update",
                "needed_for": ["build"],
            }
        ],
    }
