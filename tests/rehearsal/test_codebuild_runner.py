"""Builds that really run: commands as if in one shell, phases as CodeBuild has them, and nothing left behind."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from brqos.aws.codebuild import BuildState
from brqos.aws.errors import AwsCallError
from brqos.aws.session import AwsSession
from brqos.rehearsal.codebuild_runner import ExecutingRunner, RealRun
from brqos.rehearsal.emulator import ACCESS_KEY, ACCOUNT, SECRET_KEY, Emulator
from brqos.rehearsal.emulator.codebuild.buildspec import read_build
from brqos.rehearsal.emulator.codebuild.runs import Order

from .test_archive import packed

pytestmark = pytest.mark.processes

SOURCE = packed(("folder/file", 0o100644, b"content\n"))
ROLE = f"arn:aws:iam::{ACCOUNT}:role/builder"
PROJECT = {
    "name": "brqos",
    "source": {"type": "NO_SOURCE", "buildspec": "version: 0.2"},
    "artifacts": {"type": "NO_ARTIFACTS"},
    "environment": {"type": "LINUX_CONTAINER", "image": "image:1", "computeType": "BUILD_GENERAL1_SMALL"},
    "serviceRole": ROLE,
    "buildBatchConfig": {"serviceRole": ROLE},
}
FINISHING = ["UPLOAD_ARTIFACTS", "FINALIZING"]


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[ExecutingRunner]:
    runner = ExecutingRunner(tmp_path / "builds")
    yield runner
    runner.close()
    assert list((tmp_path / "builds").iterdir()) == []


def begun(runner: ExecutingRunner, phases: str, env: str = "{}", archive: bytes = SOURCE) -> RealRun:
    order = Order(
        build="brqos:1",
        project="brqos",
        identifier="a",
        region="eu-west-1",
        account="0" * 12,
        spec=read_build(f"version: 0.2\nenv: {env}\nphases: {phases}\n"),
        variables={"GIVEN": "it's", "AWS_ENDPOINT_URL": "http://127.0.0.1:1"},
        archive=archive,
        put=lambda *_: None,
        clock=time.time,
        changed=lambda: None,
    )
    return runner.start(order, time.time())


def ended(run: RealRun, seconds: float = 20) -> RealRun:
    run._thread.join(seconds)
    assert run.ended() is not None
    return run


def said(run: RealRun) -> list[str]:
    """What the commands printed."""
    return [text for _, text in run.lines(0) if not text.startswith("[Container]")]


def phases(run: RealRun) -> dict[str, str | None]:
    return {phase.type: phase.status for phase in run.phases(0)}


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_commands_are_as_if_in_one_shell(runner: ExecutingRunner, shell: str) -> None:
    commands = """{
        install: {commands: ["export A=\\"a b'c\\" B=$GIVEN && cd folder && set -- x y", "C=mine"]},
        build: {commands: [
            "cat file; echo \\"$A|$B|${C:-}|$#|$(basename \\"$PWD\\")\\"",
            "echo $CODEBUILD_BUILD_SUCCEEDING >&2"
        ]}
    }"""
    run = ended(begun(runner, commands, f"{{shell: {shell}}}"))
    assert run.state() == "SUCCEEDED"
    assert said(run) == ["content", "a b'c|it's||0|folder", "1"]
    wanted = ["PROVISIONING", "DOWNLOAD_SOURCE", "INSTALL", "PRE_BUILD", "BUILD", "POST_BUILD", *FINISHING]
    assert phases(run) == dict.fromkeys(wanted, "SUCCEEDED")


def test_a_build_sees_the_emulator_and_no_other_aws(runner: ExecutingRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "secret")
    names = "AWS_PROFILE AWS_SESSION_TOKEN AWS_ENDPOINT_URL AWS_CONFIG_FILE CODEBUILD_SRC_DIR"
    run = ended(
        begun(runner, f"{{build: {{commands: ['for name in {names}; do printenv $name || echo none; done']}}}}")
    )
    *told, source = said(run)
    assert told == ["none", "none", "http://127.0.0.1:1", os.devnull] and source.endswith("/src")


def test_a_build_that_fails_has_its_post_build(runner: ExecutingRunner) -> None:
    run = ended(
        begun(
            runner,
            """{
            build: {commands: ["echo one", "(exit 6)", "echo never"], finally: ["echo finally"]},
            post_build: {commands: ["echo $CODEBUILD_BUILD_SUCCEEDING"]}
            }""",
        )
    )
    assert run.state() == "FAILED" and said(run) == ["one", "finally", "0"]
    (failed,) = [phase for phase in run.phases(0) if phase.status != "SUCCEEDED"]
    assert (failed.type, failed.code) == ("BUILD", "COMMAND_EXECUTION_ERROR")
    assert failed.message == "Error while executing command: (exit 6). Reason: exit status 6"


@pytest.mark.parametrize(
    ("failing", "further"),
    [
        ("install: {commands: [exit 1], finally: ['echo finally']}", []),
        ("pre_build: {commands: [exit 1]}", []),
        ("pre_build: {commands: [exit 1], on-failure: CONTINUE}", ["build", "post"]),
        ("install: {finally: [exit 1]}", []),
    ],
)
def test_what_follows_on_a_failure(runner: ExecutingRunner, failing: str, further: list[str]) -> None:
    run = ended(
        begun(runner, f"{{{failing}, build: {{commands: [echo build]}}, post_build: {{commands: [echo post]}}}}")
    )
    assert run.state() == "FAILED"
    assert [line for line in said(run) if line != "finally"] == further


def test_on_failure_can_end_a_build(runner: ExecutingRunner) -> None:
    run = ended(begun(runner, "{build: {commands: [exit 1], on-failure: ABORT}, post_build: {commands: [echo never]}}"))
    assert run.state() == "FAILED" and said(run) == [] and list(phases(run))[-2:] == FINISHING


@pytest.mark.parametrize(
    ("env", "archive", "words"),
    [("{}", b"nonsense", "is no ZIP"), ("{secrets-manager: {A: b}}", SOURCE, "secrets-manager is not there")],
)
def test_a_source_that_cannot_be_had(runner: ExecutingRunner, env: str, archive: bytes, words: str) -> None:
    run = ended(begun(runner, "{build: {commands: [echo never]}}", env, archive))
    (failed,) = [phase for phase in run.phases(0) if phase.status == "FAILED"]
    assert run.state() == "FAILED" and failed.type == "DOWNLOAD_SOURCE" and words in failed.message


def until(happened: Callable[[], bool], seconds: float = 20) -> None:
    """Wait for it, but not for ever."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_stopping_ends_all_that_was_started(runner: ExecutingRunner) -> None:
    command = "(echo ready; exec sleep 600) & echo ready; sleep 600; echo never"
    run = begun(runner, f"{{build: {{commands: ['{command}'], finally: [echo never]}}}}")
    printed: list[str] = []

    def both_are_there() -> bool:
        printed.extend(said(run))
        sleeping = [each for each in psutil.Process().children(recursive=True) if each.name() == "sleep"]
        return printed == ["ready", "ready"] and len(sleeping) == 2

    until(both_are_there)
    mine = [each for each in psutil.Process().children(recursive=True) if each.name() in {"sh", "sleep"}]
    assert mine
    run.stop(time.time(), "TIMED_OUT")
    run.stop(time.time(), "STOPPED")
    assert ended(run).state() == "TIMED_OUT" and said(run) == []
    assert psutil.wait_procs(mine, timeout=5)[1] == []


def test_closing_stops_what_runs_and_waits_for_it(tmp_path: Path) -> None:
    runner = ExecutingRunner(tmp_path)
    # One process, whenever it is looked for.
    run = begun(runner, "{build: {commands: [echo ready; exec sleep 600]}}")
    until(lambda: "ready" in said(run))
    runner.close()
    assert run.state() == "STOPPED" and list(tmp_path.iterdir()) == []
    assert "codebuild-run" not in [thread.name for thread in threading.enumerate()]


@pytest.mark.loopback
def test_a_batch_goes_on_while_nobody_asks(tmp_path: Path) -> None:
    spec = """{
        version: 0.2,
        batch: {build-list: [{identifier: a, env: {variables: {N: 1}}}, {identifier: b, env: {variables: {N: 2}}},
            {identifier: c, env: {variables: {N: 0}}}]},
        phases: {build: {commands: ["cat folder/file", "printenv AWS_ENDPOINT_URL", "exit $((N / 2))"]}}
    }"""
    with Emulator(runner=ExecutingRunner(tmp_path, most=1)) as emulator:
        emulator.store.roles_of_iam.required = False
        session = AwsSession(endpoint=emulator.endpoint, credentials=emulator.credentials)
        session.s3("eu-west-1").create_bucket("bucket", {}, 1)
        session.s3("eu-west-1").put("bucket", "source.zip", SOURCE)
        codebuild = session.codebuild("eu-west-1")
        codebuild.create_project(PROJECT)
        begun = codebuild.start_batch("brqos", source="bucket/source.zip", buildspec=spec, token="t", variables={})
        until(lambda: emulator.store.codebuild.batches[begun.id].ended_at is not None)
        (batch,) = codebuild.batches([begun.id])
        assert {member.identifier: member.state for member in batch.members} == {
            "a": BuildState.SUCCEEDED,
            "b": BuildState.FAILED,
            "c": BuildState.SUCCEEDED,
        }
        one, _, three = codebuild.builds([str(member.build) for member in batch.members])
        assert one.ended is not None and three.started is not None and three.queued_seconds >= 0
        lines = session.logs("eu-west-1").tail(one.log_group, one.log_stream, 50)
        assert [line for line in lines if not line.startswith("[Container]")] == ["content", emulator.endpoint]
        codebuild.start_batch("brqos", source="bucket/source.zip", buildspec=spec, token="u", variables={})
        # Nobody but us: not with the key that everybody knows.
        stranger = AwsSession(endpoint=emulator.endpoint, credentials=(ACCESS_KEY, SECRET_KEY)).codebuild("eu-west-1")
        with pytest.raises(AwsCallError, match="SignatureDoesNotMatch"):
            stranger.start_batch("brqos", source="bucket/source.zip", buildspec=spec, token="v", variables={})
    assert emulator.bugs == [] and list(tmp_path.iterdir()) == []
