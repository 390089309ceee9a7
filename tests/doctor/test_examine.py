"""Only what the stages need is asked for, and what is missing stops them with all remedies at once."""

from pathlib import Path

import pytest

from brqos.config.model import Engine
from brqos.doctor.aws import Account
from brqos.doctor.examine import examine, require, rows
from brqos.doctor.model import Check, Report, Status
from brqos.doctor.probe import Answer
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
            Check("g", Status.MISSING, stages, "does not run", remedy="install"),
            Check("h", Status.WARNING, stages, "tells no version", ">= 1", "look"),
            Check("i", Status.MISSING, stages, remedy="install", optional=True),
            Check("j", Status.TOO_OLD, stages, "0.9", ">= 1", "update", optional=True),
            Check("k", Status.FOUND, stages, "1.0", ">= 1", optional=True),
            Check("l", Status.MISSING, stages, "1.2 GB free", "6 GB", "free some"),
        ]
    ) == [
        ("a", "+1.2", ">= 1", ""),
        ("b", "+yes", "", ""),
        ("c", "!0.9 (too old)", ">= 1", "update"),
        ("d", "!missing", "", "install"),
        ("e", "~2 (not enough)", "4", "wait"),
        ("f", "~not found", "", "install"),
        ("g", "!does not run", "", "install"),
        ("h", "~tells no version", ">= 1", "look"),
        ("i", "~not found", "", "install"),
        ("j", "~0.9 (too old)", ">= 1", "update"),
        ("k", "+1.0", ">= 1", ""),
        ("l", "!1.2 GB free (far too little)", "6 GB", "free some"),
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


def test_what_is_optional_is_a_warning_in_json() -> None:
    check = Check("a", Status.MISSING, (Stage.BUILD,), remedy="install", optional=True)
    assert check.as_json()["status"] == "warning"
    assert Report((Stage.BUILD,), (check,)).as_json()["ok"] is True


def _repack(machine: Machine, **wish: bool) -> Report:
    said = Recorder()
    report = require([Stage.BUILD], monitor=said, engine=Engine.REPACK, probe=machine, ask_aws=_account, **wish)
    assert not said.warnings
    return report


def test_repacking_asks_for_nothing_of_a_source_build() -> None:
    nothing = frozenset(["git", "cargo", "cargo-make", "docker", "lz4", "gzip", "curl", "xz", "cc", "pkg-config"])
    machine = Machine(missing=nothing, free=7 * GB, processors=1)
    report = _repack(machine)
    assert not set(_names(report)) & {"git", "cargo", "cargo-make", "docker", "lz4", "cores"}
    assert {"host", "debugfs", "sbsign", "virt-firmware", "disk", "memory"} < set(_names(report))
    assert len(set(_names(report))) == len(report.checks)
    assert not {word.split()[0] for word in machine.asked} & nothing


def test_source_is_generated_by_git_whichever_engine_builds() -> None:
    report = examine([Stage.GENERATE, Stage.BUILD], engine=Engine.REPACK, probe=Machine(), ask_aws=_account)
    assert _names(report)[:2] == ["git", "host"]
    # The engine counts for the stage `build` alone.
    assert _names(examine([Stage.GENERATE], engine=Engine.REPACK, probe=Machine())) == ["git"]
    assert "sgdisk" not in _names(examine([Stage.REGISTER], engine=Engine.REPACK, probe=Machine(), ask_aws=_account))


def test_before_a_build_what_is_optional_is_not_looked_at() -> None:
    machine = Machine(missing=frozenset(["sbsign", "gpg", "virt-firmware", "virt-fw-vars", "tuf", "cryptography"]))
    names = _names(_repack(machine, signed=False))
    assert not {"sbsign", "gpg", "tuf", "cryptography", "disk of the cache"} & set(names)
    assert not [word for word in machine.asked if word.startswith(("sbsign", "gpg"))]
    with pytest.raises(ToolError, match=r"^tuf, cryptography are missing or too old"):
        _repack(machine, signed=False, official=True)
    with pytest.raises(ToolError, match=r"^sbsign, gpg, virt-firmware, cryptography are missing or too old"):
        _repack(machine)


def test_all_that_is_missing_is_installed_at_once() -> None:
    machine = Machine(missing=frozenset(["debugfs", "e2fsck", "veritysetup", "cryptography"]))
    with pytest.raises(ToolError) as caught:
        _repack(machine)
    assert caught.value.why == (
        "debugfs: missing, needed >= 1.46.2. sudo apt-get install e2fsprogs\n"
        "e2fsck: missing, needed >= 1.46.2. sudo apt-get install e2fsprogs\n"
        "veritysetup: missing, needed >= 2.0. sudo apt-get install cryptsetup-bin\n"
        "cryptography: missing, needed >= 42. pip install 'brqos[repack]'"
    )
    assert caught.value.todo == (
        "At once: sudo apt-get install e2fsprogs cryptsetup-bin\n"
        "`brqos doctor --engine repack --signed --own-image` shows this and all the rest."
    )
    fedora = Machine(distribution="fedora", missing=frozenset(["veritysetup", "sbsign", "sgdisk"]))
    report = examine([Stage.BUILD], engine=Engine.REPACK, probe=fedora)
    assert report.at_once == "sudo dnf install gdisk veritysetup sbsigntools"


def test_one_package_needs_no_second_command() -> None:
    machine = Machine(missing=frozenset(["debugfs", "e2fsck"]))
    with pytest.raises(ToolError) as caught:
        _repack(machine, signed=False, official=True)
    assert caught.value.todo == (
        "`brqos doctor --engine repack --unsigned --from-release` shows this and all the rest."
    )


def test_a_version_that_cannot_be_read_is_a_warning_before_a_build() -> None:
    said = Recorder()
    machine = Machine(answers={"fsck.erofs -V": Answer(0, "fsck.erofs (erofs-utils) devel")})
    require([Stage.BUILD], monitor=said, engine=Engine.REPACK, probe=machine)
    assert said.warnings == [
        "fsck.erofs: tells no version, needed >= 1.5. See what `fsck.erofs -V` says: it should be 1.5 or newer."
    ]


def test_space_is_looked_for_where_the_work_is_done(tmp_path: Path) -> None:
    asked: list[Path] = []

    class Disks(Machine):
        def free_bytes(self, folder: Path) -> int:
            asked.append(folder)
            return super().free_bytes(folder)

    output, cache = tmp_path / "out", tmp_path / "cache"
    examine([Stage.BUILD], engine=Engine.REPACK, official=True, probe=Disks(), output=output, cache=cache)
    assert asked == [output, cache]
