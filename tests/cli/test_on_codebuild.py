"""`brqos build --on codebuild` through the command line, on an emulated CodeBuild: builds that end well, or not."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ami.policy.reference import CALLED
from brqos.aws.codebuild import BuildState
from brqos.aws.s3_bucket import settings_of
from brqos.record import load
from brqos.rehearsal.emulator import Fault
from brqos.rehearsal.miniature import Layout
from fleet.codebuild.cloud import REGION, Cloud, cloud

pytestmark = [pytest.mark.processes, pytest.mark.loopback]
TWO = ("[matrix]", 'archs = ["x86_64", "arm64"]')
ON = ("build", "--on", "codebuild")


@pytest.fixture(scope="module")
def mirrored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that all tests have: mirroring upstream is no matter of theirs."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def aws(tmp_path: Path, mirrored: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    (tmp_path / "cloud").mkdir()
    monkeypatch.setenv("BRQOS_CACHE_DIR", str(mirrored))
    with cloud(tmp_path / "cloud", monkeypatch) as made:
        yield made


@pytest.fixture
def write(brqos, miniature: Callable[[Layout], Any], tmp_path: Path) -> Callable[..., Path]:
    """A configuration file whose upstream is the miniature, by a URL as builders need one."""
    trees = miniature(Layout.DROP_IN)

    def file(*lines: str, name: str = "brqos.toml", variant: str = "aws-k8s-1.29") -> Path:
        path = tmp_path / name
        upstream = f'[upstream]\nrepository = "file://{trees.bottlerocket}"\nref = "v1.50.0"\n'
        path.write_text("\n".join([f'variant = "{variant}"', upstream, *lines]), encoding="utf-8")
        return path

    return file


def states(ran: Any) -> dict[str, str]:
    return {one["id"]: one["state"] for one in ran.json["builds"]}


def test_all_builds_are_made_and_their_records_come_back(brqos, write, aws: Cloud, tmp_path: Path) -> None:
    write(*TWO)
    aws.script(seconds=600)
    ran = brqos(*ON, "--json")
    assert states(ran) == {"aws-k8s-1.29-x86_64": "built", "aws-k8s-1.29-aarch64": "built"}
    for one in ran.json["builds"]:
        stored = load(Path(one["record"]))
        assert stored.record.id == one["build"]
        assert (stored.record.spec.arch.value, stored.folder.name) == (one["arch"], one["build"])
        assert (stored.folder / "build.log").read_text() == "all of it\n"
        assert all(stored.path(image.file).is_file() for image in stored.record.result.images)
    assert not list(tmp_path.glob(".brqos/builds/.*"))
    assert sorted(aws.started()) == ["aws_k8s_1_29_aarch64", "aws_k8s_1_29_x86_64"]
    assert json.loads(next(tmp_path.glob(".brqos/runs/*.json")).read_text())["id"] == ran.json["run"]
    assert "run" in brqos("status", "--runs", "--json").json[0]


def test_what_is_there_already_is_set_up_no_second_time(brqos, write, aws: Cloud) -> None:
    write(*TWO)
    aws.script(seconds=5)
    shown = brqos(*ON, "--dry-run").out
    assert "create" in shown
    assert "PutPublicAccessBlock" in shown, "all calls, also those that making a bucket consists of"
    assert not aws.emulator.calls["CreateProject"], "a dry run changes nothing"
    brqos(*ON)
    before = dict(aws.emulator.calls)
    assert {setting.operation for setting, _ in settings_of("b", REGION, {}, 1)} <= before.keys()
    assert all(
        operation in shown
        for operation in before
        if operation.startswith(("Create", "Put")) and operation != "PutObject"
    )
    plan = brqos(*ON, "--force", "--dry-run", "--json").json
    assert {change["action"] for change in plan["changes"]} == {"keep"}
    brqos(*ON, "--force")
    writes = ("CreateProject", "UpdateProject", "CreateRole", "PutRolePolicy", "CreateBucket")
    assert {name: aws.emulator.calls[name] for name in writes} == {
        name: before[name] for name in writes if name in before
    } | {name: 0 for name in writes if name not in before}


def test_a_build_that_fails_in_the_middle_leaves_the_others(brqos, write, aws: Cloud, tmp_path: Path) -> None:
    write(*TWO)
    aws.script(seconds=60)

    def fail(order: Any) -> None:
        raise AssertionError("of those that succeed only")

    aws.script(
        "*aarch64",
        seconds=30,
        state="FAILED",
        message="exit status 6",
        effect=fail,
        lines=("::brqos:: Building", "::brqos:: error: the build failed: the disk is full", "no space left on device"),
    )
    ran = brqos(*ON, "--json", code=6)
    assert states(ran) == {"aws-k8s-1.29-x86_64": "built", "aws-k8s-1.29-aarch64": "failed"}
    (bad,) = (one for one in ran.json["builds"] if one["state"] == "failed")
    assert "no space left on device" in bad["why"]
    assert "the disk is full" in (tmp_path / bad["log"]).read_text()
    assert bad["attempts"] == 1, "what failed by itself is not tried again"
    assert "1 of 2 builds were not made: aws-k8s-1.29-aarch64" in ran.err
    assert len(aws.started()) == 2


def test_the_builds_own_error_is_shown(brqos, write, aws: Cloud) -> None:
    write()
    aws.script(seconds=300, state="FAILED", message="exit status 6")

    def put_outcome() -> None:
        (order,) = aws.emulator.builds.orders
        told = {"what": "the kits do not fit", "why": "The whole log: /there\nreally", "todo": "Take a tag."}
        aws.put(order, "outcome.json", json.dumps({"state": "failed", "error": told}).encode())

    aws.when[4] = put_outcome
    ran = brqos(*ON, code=6)
    assert "the kits do not fit" in ran.err
    assert "Take a tag." in ran.err
    assert "/there" not in ran.err


def test_a_build_that_codebuild_lost_is_begun_again(brqos, write, aws: Cloud) -> None:
    write(*TWO)
    aws.script(seconds=60)
    aws.script("*x86_64", times=1, state="FAULT", phase="PROVISIONING", message="internal error")
    ran = brqos(*ON, "--json")
    assert set(states(ran).values()) == {"built"}
    assert {one["id"]: one["attempts"] for one in ran.json["builds"]} == {
        "aws-k8s-1.29-x86_64": 2,
        "aws-k8s-1.29-aarch64": 1,
    }
    assert "CodeBuild lost it; begun again (attempt 2 of 3)" in ran.err
    assert len(aws.batches) == 2


def test_a_build_that_is_lost_again_and_again_is_given_up(brqos, write, aws: Cloud) -> None:
    write("[codebuild]", "retries = 1")
    aws.script(state="FAULT", message="internal error")
    ran = brqos(*ON, "--json", code=6)
    assert states(ran) == {"aws-k8s-1.29-x86_64": "lost"} or set(states(ran).values()) == {"lost"}
    assert len(aws.started()) == 2


def test_a_build_that_hangs_is_told_and_ends_by_its_timeout(brqos, write, aws: Cloud) -> None:
    write(*TWO, "[codebuild]", "timeout = 90")
    aws.script(seconds=60)
    aws.script("*aarch64", hangs=True)
    ran = brqos(*ON, "--json", code=6)
    assert sorted(states(ran).values()) == ["built", "timed out"]
    assert ran.err.count("has given no sign for 30 minutes") == 1


def test_throttling_and_a_lost_network_are_survived(brqos, write, aws: Cloud) -> None:
    write(*TWO)
    aws.script(seconds=900)
    aws.when[2] = lambda: [
        aws.emulator.faults.inject("BatchGetBuildBatches", Fault(kind="throttled"), times=4),
        aws.emulator.faults.inject("FilterLogEvents", Fault(drop=True), times=4),
    ]
    ran = brqos(*ON, "--json")
    assert set(states(ran).values()) == {"built"}
    assert ran.err.count("and so does asking") == 1
    assert "AWS answers again." in ran.err


@pytest.mark.parametrize("fault", [Fault(drop=True, after_effect=True), Fault(kind="internal", after_effect=True)])
def test_a_lost_answer_starts_nothing_twice(brqos, write, aws: Cloud, fault: Fault) -> None:
    write(*TWO)
    aws.script(seconds=60)
    aws.emulator.faults.inject("StartBuildBatch", fault, times=3)
    assert set(states(brqos(*ON, "--json")).values()) == {"built"}
    assert len(aws.batches) == 1
    assert len(aws.started()) == 2


def test_a_run_is_taken_up_where_its_start_was_never_answered(brqos, write, aws: Cloud) -> None:
    write(*TWO)
    aws.script(seconds=3000)
    aws.emulator.faults.inject("StartBuildBatch", Fault(drop=True, after_effect=True), times=200)
    ran = brqos(*ON, code=7)
    assert "was not started" in ran.err
    assert len(aws.batches) == 1
    # Long after CodeBuild has forgotten the token.
    aws.emulator.faults.clear()
    aws.emulator.store.forward += 3600
    ran = brqos(*ON, "--json")
    assert "is followed, and nothing is started again" in ran.err
    assert set(states(ran).values()) == {"built"}
    assert len(aws.batches) == 1


def test_an_interrupt_leaves_the_builds_and_they_are_attached_to(brqos, write, aws: Cloud, tmp_path: Path) -> None:
    write(*TWO)
    aws.script(seconds=600)

    def interrupt() -> None:
        raise KeyboardInterrupt

    aws.when[3] = interrupt
    ran = brqos(*ON, code=130)
    (file,) = tmp_path.glob(".brqos/runs/*.json")
    assert f"brqos status --follow {file.stem}" in ran.err
    assert f"brqos stop {file.stem}" in ran.err
    status = brqos("status")
    assert f"On CodeBuild: run {file.stem}, 0 of 2 built" in status.err
    assert "Begin with" not in status.out
    again = brqos(*ON, "--json")
    assert "is followed, and nothing is started again" in again.err
    assert set(states(again).values()) == {"built"}
    assert len(aws.batches) == 1
    assert states(brqos("status", "--follow", file.stem, "--json")) == states(again), "all is known already"


def test_another_machine_attaches(brqos, write, aws: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(*TWO)
    aws.script(seconds=600)
    ran = brqos(*ON, "--no-follow", "--json")
    assert set(states(ran).values()) == {"building"}
    assert aws.waited == []
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    text = (tmp_path / "brqos.toml").read_text()
    (elsewhere / "brqos.toml").write_text(f"# Edited meanwhile.\n{text}\nexclude = []\n")
    monkeypatch.chdir(elsewhere)
    assert "nothing is started again" in brqos(*ON, "--no-follow").err, "the same builds are found in the project"
    (elsewhere / ".brqos" / "runs" / f"{ran.json['run']}.json").unlink()
    attached = brqos("status", "--follow", ran.json["run"], "--json")
    assert set(states(attached).values()) == {"built"}
    assert len(list(elsewhere.glob(".brqos/builds/*/build.json"))) == 2
    assert len(aws.batches) == 1


def test_a_run_is_stopped(brqos, write, aws: Cloud) -> None:
    write(*TWO)
    aws.script(seconds=600)
    run = brqos(*ON, "--no-follow", "--json").json["run"]
    assert "would stop" in brqos("stop", "--dry-run").out
    assert all(batch.state == "IN_PROGRESS" for batch in aws.batches)
    assert "stopped brqos:" in brqos("stop").out
    assert [batch.state for batch in aws.batches] == ["STOPPED"]
    assert "Nothing of the run" in brqos("stop", run).out
    assert set(states(brqos("status", "--follow", run, "--json", code=6)).values()) == {"stopped"}
    assert "no run of this folder goes on" in brqos("stop", code=3).err
    aws.emulator.builds.orders.clear()
    assert set(states(brqos(*ON, "--json")).values()) == {"built"}, "a stopped run is not gone on with"


def test_what_is_built_is_left_out_and_a_second_run_builds_the_rest(brqos, write, aws: Cloud, tmp_path: Path) -> None:
    write(*TWO)
    aws.script(seconds=60)
    aws.script("*aarch64", state="FAILED", message="exit status 6", times=1)
    from brqos.config.resolve import resolve
    from brqos.monitor import Silent
    from brqos.pipeline.foresee import foresee

    specs = [resolve({"arch": arch}, tmp_path / "brqos.toml").spec for arch in ("x86_64", "aarch64")]
    aws.inputs = {one.build: one.inputs for one in foresee(specs, tmp_path / "cache", Silent())}
    brqos(*ON, code=6)
    ran = brqos(*ON, "--json")
    assert "1 of 2 builds to make; 1 is there already" in ran.err
    assert states(ran) == {"aws-k8s-1.29-aarch64": "built"}
    ran = brqos(*ON, "--json")
    assert ran.json == {"run": None, "builds": []}
    assert len(aws.started()) == 3


def test_more_than_a_hundred_builds_are_several_batches(brqos, write, aws: Cloud) -> None:
    names = []
    for number in range(51):
        names.append(f"f{number}.toml")
        write(*TWO, "[build]", f'pretty-name = "Number {number}"', name=names[-1])
    aws.script(seconds=30, effect=aws.leave_record)
    words = [word for name in names for word in ("--config", name)]
    ran = brqos(*ON, *words, "--json")
    assert len(ran.json["builds"]) == 102
    assert set(states(ran).values()) == {"built"}
    assert [batch["builds"] for batch in ran.json["batches"]] == [100, 2]
    assert len(aws.started()) == 102
    asked = len(aws.waited)
    assert aws.emulator.calls["BatchGetBuildBatches"] <= asked + 5, "one question for all batches"


def test_nobodys_rights_are_taken_while_builds_go_on(brqos, write, aws: Cloud) -> None:
    """Other files with the same project: their role is one, and has the rights of those that were asked for last."""
    write("[ami]", 'regions = ["eu-west-1"]')
    write("[ami]", 'regions = ["eu-west-1", "us-east-1"]', name="more.toml")
    write(name="none.toml")
    aws.script(seconds=600)
    run = brqos(*ON, "--no-follow", "--json").json["run"]
    told = brqos(*ON, "--config", "none.toml", code=10).err
    assert "the role brqos-codebuild would lose rights" in told
    assert run in told
    assert len(aws.batches) == 1
    brqos(*ON, "--config", "more.toml", "--no-follow")
    assert len(aws.batches) == 2, "further rights harm nobody"
    brqos("stop", run)
    aws.emulator.store.forward += 3600
    assert set(states(brqos(*ON, "--config", "none.toml", "--json")).values()) == {"built"}


def test_somebody_elses_project_role_or_bucket_is_refused(brqos, write, aws: Cloud) -> None:
    from brqos.aws.session import AwsSession

    write("[codebuild]", 'bucket = "somebody-elses"')
    s3 = AwsSession().s3(REGION)
    s3.create_bucket("somebody-elses", {"team": "other"}, 3)
    s3.put("somebody-elses", "precious", b"data")
    assert "is there already, and is not brqos's" in brqos(*ON, code=7).err
    allowed = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = {"Version": "2012-10-17", "Statement": [allowed]}
    AwsSession().iam().create_role("brqos-codebuild", trust, description="", tags={"team": "other"})
    write()
    ran = brqos(*ON, code=7)
    assert "the role brqos-codebuild is there already" in ran.err
    assert not aws.emulator.calls["PutRolePolicy"]
    assert not aws.emulator.calls["CreateProject"]


def test_a_fresh_role_is_waited_for(brqos, write, aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    from brqos.aws import codebuild
    from brqos.aws.errors import ErrorKind
    from brqos.aws.retry import Retry
    from brqos.fleet.codebuild import setup

    write()
    quick = Retry({ErrorKind.ROLE_NOT_READY: 5.0}, first_delay=0.001, longest_delay=0.001)
    monkeypatch.setattr(setup, "ROLE_PATIENCE", quick)
    assert codebuild.ROLE_PATIENCE.seconds.keys() == {ErrorKind.ROLE_NOT_READY}, "nothing else is waited for"
    told = "CodeBuild is not authorized to perform: sts:AssumeRole on arn:aws:iam::000000000000:role/brqos-codebuild"
    aws.emulator.faults.inject("CreateProject", Fault(code="InvalidInputException", message=told, status=400), times=3)
    aws.script(seconds=5)
    assert set(states(brqos(*ON, "--json")).values()) == {"built"}


@pytest.mark.parametrize(
    ("words", "lines", "code", "told"),
    [
        (("--factor", "0.5"), (), 2, "--factor does not go together with --on codebuild"),
        (("--region", "eu-west-1"), (), 2, "--region"),
        (("--on", "jenkins"), (), 2, "--on jenkins"),
        (("--rehearse", "--no-follow"), (), 2, "--no-follow"),
        ((), ("[build]", 'sbkeys-profile = "keys"'), 2, "is signed with keys that lie on this machine"),
        ((), ("[ami]", 'regions = ["eu-west-1"]', 'profile = "images"'), 3, "names a profile"),
        ((), ("[codebuild]", 'account = "123456789012"'), 3, "[codebuild] names 123456789012"),
        ((), ("[codebuild]", "retrys = 3"), 3, "Did you mean “codebuild.retries”?"),
        ((), ("[codebuild.variables]", 'AWS_PROFILE = "x"'), 3, "AWS_PROFILE"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_before_anything_is_made(
    brqos, write, aws: Cloud, words: tuple[str, ...], lines: tuple[str, ...], code: int, told: str
) -> None:
    write(*lines)
    assert told in brqos(*ON, *words, code=code).err
    assert not {"CreateBucket", "CreateRole", "CreateProject", "StartBuildBatch"} & set(aws.emulator.calls)


def test_files_have_to_agree_on_where_they_are_built(brqos, write) -> None:
    write("[codebuild]", 'project = "one"')
    write("[codebuild]", 'project = "two"', name="other.toml")
    ran = brqos(*ON, "--config", "brqos.toml", "--config", "other.toml", code=3)
    assert "have different sections [codebuild]" in ran.err


@pytest.mark.slow
def test_the_whole_way_is_rehearsed(brqos, tmp_path: Path) -> None:
    """Bundle, buildspec, results: all is real but CodeBuild, the source, the build and AWS."""
    (tmp_path / "brqos.toml").write_text('variant = "aws-k8s-1.34"\n[build.make-env]\nBRQOS_REHEARSAL_PACE = "0"\n')
    (tmp_path / "bad.toml").write_text(
        'variant = "aws-k8s-1.33"\n[build.make-env]\nBRQOS_REHEARSAL_FAIL = "disk-full"\n'
        '[ami]\nregions = ["eu-west-1"]\n'
    )
    ran = brqos(*ON, "--rehearse", "--config", "brqos.toml", "--config", "bad.toml", "--json", code=6)
    found = {one["variant"]: one for one in ran.json["builds"]}
    assert {variant: one["state"] for variant, one in found.items()} == {
        "aws-k8s-1.34-memoryqos": "built", "aws-k8s-1.33-memoryqos": "failed",
    }  # fmt: skip
    assert "the disk is full" in found["aws-k8s-1.33-memoryqos"]["why"]
    for one in ran.json["builds"]:
        if one["state"] == "built":
            record = load(Path(one["record"])).record
            assert record.rehearsal
            assert list(record.amis) == ["us-west-2"]
    assert all(line.startswith("[rehearsal] ") for line in ran.err.splitlines())
    shown = brqos("status", "--runs")
    assert "1 of 2 built, 1 not made" in shown.out
    assert "was a rehearsal" in brqos("status", ran.json["run"]).out
    assert "was a rehearsal" in brqos("stop", ran.json["run"], code=3).err


def test_a_rehearsal_has_no_repack_engine(brqos, tmp_path: Path) -> None:
    (tmp_path / "brqos.toml").write_text('variant = "aws-k8s-1.34"\n[build]\nengine = "repack"\n')
    assert "has no rehearsal" in brqos(*ON, "--rehearse", code=2).err


def test_runs_that_are_not_there(brqos, aws: Cloud, tmp_path: Path) -> None:
    assert "No runs on CodeBuild yet" in brqos("status", "--runs").out
    assert brqos("status", "--runs", "--json").json == []
    assert "there is no run 0123abcd-1" in brqos("status", "--follow", "0123abcd-1", code=3).err
    for name in ("../../etc/passwd", "1", "0123ABCD-1"):
        assert "is not the id of a run" in brqos("status", name, code=3).err
    (tmp_path / ".brqos" / "runs").mkdir(parents=True)
    (tmp_path / ".brqos" / "runs" / "0123abcd-1.json").write_text('{"schema-version": 1}')
    assert "is not a run of brqos" in brqos("status", "0123abcd-1", code=3).err
    assert "is not a run of brqos" in brqos("status", "--runs").err
    (tmp_path / ".brqos" / "runs" / "0123abcd-1.json").write_text('{"schema-version": 99}')
    assert "newer brqos" in brqos("stop", "0123abcd-1", code=3).err


def test_what_is_begun_again_is_begun_once_whatever_gets_lost(brqos, write, aws: Cloud) -> None:
    write()
    aws.script(seconds=60)
    aws.script("*", times=1, state="FAULT", message="internal error")
    aws.emulator.faults.inject("StartBuildBatch", Fault(drop=True, after_effect=True), skip=1, times=60)
    aws.when[40] = aws.emulator.faults.clear
    ran = brqos(*ON, "--json")
    assert set(states(ran).values()) == {"built"}
    assert len(aws.batches) == 2
    assert ran.err.count("begun again") == 1


def test_without_the_permission_to_read_logs_a_run_is_followed_all_the_same(brqos, write, aws: Cloud) -> None:
    write()
    aws.script(seconds=300)
    aws.emulator.deny("logs:FilterLogEvents")
    ran = brqos(*ON, "--json")
    assert set(states(ran).values()) == {"built"}
    assert ran.err.count("logs may not be read") == 1


def test_a_login_that_runs_out_ends_following_and_not_the_builds(brqos, write, aws: Cloud) -> None:
    write()
    aws.script(seconds=600)
    aws.when[3] = lambda: aws.emulator.faults.inject("BatchGetBuildBatches", Fault(kind="expired"))
    ran = brqos(*ON, code=7)
    assert "its builds go on" in ran.err
    assert "brqos status --follow" in ran.err
    assert set(states(brqos("status", "--follow", "--json")).values()) == {"built"}
    assert len(aws.batches) == 1


def test_results_that_cannot_be_had_for_a_while_are_asked_for_again(brqos, write, aws: Cloud) -> None:
    write()
    aws.script(seconds=30)
    aws.emulator.faults.inject("ListObjectsV2", Fault(kind="internal"), skip=3, times=3)
    assert set(states(brqos(*ON, "--json")).values()) == {"built"}


def test_no_more_is_asked_of_aws_than_its_policy_allows(brqos, write, aws: Cloud) -> None:
    write(*TWO, "[ami]", 'regions = ["us-east-1"]')
    aws.script("*x86_64*", seconds=5)
    aws.script("*", seconds=60, state=BuildState.FAILED)
    brqos(*ON, code=6)
    write(*TWO, "[codebuild]", "timeout = 60", 'tags = { team = "os" }')
    aws.script("*", seconds=600)
    run = brqos(*ON, "--force", "--no-follow", "--json").json["run"]
    brqos("stop", run)
    brqos("status", "--follow", run, code=6)
    assert {"UpdateProject", "TagRole", "StopBuildBatch", "GetLogEvents", "DescribeImages"} <= aws.emulator.calls.keys()
    policy = brqos("iam-policy", "--for", "codebuild", "--config", "brqos.toml").json
    allowed = {action.split(":")[1] for statement in policy["Statement"] for action in statement["Action"]}
    assert {CALLED.get(call, call) for call in aws.emulator.calls} - allowed == {"GetCallerIdentity"}
