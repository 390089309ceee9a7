"""CodeBuild against the emulator: projects, batches and their builds, and what gets lost on the way."""

import contextlib
import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from brqos.aws.codebuild import ROLE_PATIENCE, BatchMember, BuildState, CodeBuild
from brqos.aws.errors import AwsCallError, ErrorKind
from brqos.aws.session import AwsSession
from brqos.rehearsal.emulator import ACCESS_KEY, ACCOUNT, SECRET_KEY, Emulator, Fault
from brqos.rehearsal.emulator.codebuild.scripted import Script

pytestmark = pytest.mark.loopback

REGION = "eu-west-1"
BUCKET = "brqos-builds"
SOURCE = f"{BUCKET}/source.zip"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/builder"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "codebuild.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
PROJECT: dict[str, Any] = {
    "name": "brqos",
    "source": {"type": "NO_SOURCE", "buildspec": "version: 0.2"},
    "artifacts": {"type": "NO_ARTIFACTS"},
    "environment": {
        "type": "LINUX_CONTAINER",
        "image": "aws/codebuild/standard:7.0",
        "computeType": "BUILD_GENERAL1_LARGE",
        "privilegedMode": True,
    },
    "serviceRole": ROLE,
    "buildBatchConfig": {"serviceRole": ROLE, "restrictions": {"maximumBuildsAllowed": 100}},
    "tags": [{"key": "brqos:tool", "value": "brqos"}],
}


def buildspec(*identifiers: str) -> str:
    listed = "".join(f"    - identifier: {each}\n" for each in identifiers)
    return f"version: 0.2\nbatch:\n  build-list:\n{listed}phases:\n  build:\n    commands: [make]\n"


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def emulator(clock: Clock) -> Iterator[Emulator]:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("file", "content")
    with Emulator(clock=clock) as running:
        session = AwsSession(endpoint=running.endpoint, credentials=(ACCESS_KEY, SECRET_KEY))
        session.s3(REGION).create_bucket(BUCKET, {"a": "b"}, 30)
        running.store.s3.put(BUCKET, "source.zip", archive.getvalue(), clock.now)
        session.iam().create_role("builder", TRUST, description="", tags={})
        clock.now += 1
        yield running
        assert running.bugs == []


@pytest.fixture
def codebuild(emulator: Emulator) -> CodeBuild:
    return AwsSession(endpoint=emulator.endpoint, credentials=(ACCESS_KEY, SECRET_KEY)).codebuild(REGION)


def start(codebuild: CodeBuild, *identifiers: str, token: str = "one", project: str = "brqos") -> str:
    if codebuild.project(project) is None:
        codebuild.create_project({**PROJECT, "name": project})
    spec = buildspec(*identifiers or ("a",))
    return codebuild.start_batch(project, source=SOURCE, buildspec=spec, token=token, variables={"RUN": "7"}).id


@contextlib.contextmanager
def refused(kind: ErrorKind, match: str | None = None) -> Iterator[None]:
    with pytest.raises(AwsCallError, match=match) as raised:
        yield
    assert raised.value.kind is kind, raised.value


def test_a_project(codebuild: CodeBuild) -> None:
    assert codebuild.project("brqos") is None
    codebuild.create_project(PROJECT)
    found = codebuild.project("brqos")
    assert found is not None
    assert {name: found[name] for name in PROJECT} == PROJECT
    with refused(ErrorKind.DUPLICATE_NAME):
        codebuild.create_project(PROJECT)
    codebuild.update_project({"name": "brqos", "description": "changed", "timeoutInMinutes": 120})
    found = codebuild.project("brqos")
    assert found is not None
    assert (found["description"], found["timeoutInMinutes"], found["tags"]) == ("changed", 120, PROJECT["tags"])


def test_changing_or_starting_what_is_not_there(codebuild: CodeBuild) -> None:
    with refused(ErrorKind.NOT_FOUND):
        codebuild.update_project({"name": "brqos", "description": "x"})
    with refused(ErrorKind.NOT_FOUND):
        codebuild.start_batch("brqos", source=SOURCE, buildspec=buildspec("a"), token="x", variables={})
    with refused(ErrorKind.NOT_FOUND):
        codebuild.stop_batch("brqos:none")
    with refused(ErrorKind.NOT_FOUND):
        list(codebuild.batch_ids("brqos"))
    assert codebuild.batches(["brqos:none"]) == [] == codebuild.builds(["brqos:none"])


def test_a_role_that_was_just_made_is_waited_for(emulator: Emulator, codebuild: CodeBuild, clock: Clock) -> None:
    emulator.store.roles_of_iam.delay = 10
    AwsSession(endpoint=emulator.endpoint, credentials=(ACCESS_KEY, SECRET_KEY)).iam().update_trust("builder", TRUST)
    with refused(ErrorKind.ROLE_NOT_READY, "CodeBuild is not authorized to perform: sts:AssumeRole"):
        codebuild.create_project(PROJECT)
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        clock.now += seconds

    ROLE_PATIENCE.call(lambda: codebuild.create_project(PROJECT), clock=clock, wait=wait)
    assert 10 <= sum(waited) < 30 and codebuild.project("brqos") is not None


def test_a_batch_from_its_beginning_to_its_end(emulator: Emulator, codebuild: CodeBuild, clock: Clock) -> None:
    emulator.builds.script("b", Script(state="FAILED", message="exit status 6"))
    codebuild.create_project(PROJECT)
    begun = codebuild.start_batch("brqos", source=SOURCE, buildspec=buildspec("a", "b"), token="t", variables={})
    assert (begun.state, begun.phase, begun.members) == (BuildState.IN_PROGRESS, "DOWNLOAD_BATCHSPEC", ())
    assert begun.started is not None and begun.started.timestamp() == clock.now and begun.ended is None
    clock.now += 20
    (batch,) = codebuild.batches([begun.id])
    assert [(member.identifier, member.state) for member in batch.members] == [
        ("a", BuildState.IN_PROGRESS),
        ("b", BuildState.IN_PROGRESS),
    ]
    assert batch.download is not None and batch.download not in [member.build for member in batch.members]
    ids = [str(member.build) for member in batch.members]
    (one, two) = codebuild.builds(ids)
    assert (one.id, one.phase, one.log_group) == (ids[0], "BUILD", "/aws/codebuild/brqos")
    assert one.log_stream == one.id.partition(":")[2]
    clock.now += 60
    (batch,) = codebuild.batches([begun.id])
    assert (batch.state, batch.phase, [member.state for member in batch.members]) == (
        BuildState.FAILED,
        "FAILED",
        [BuildState.SUCCEEDED, BuildState.FAILED],
    )
    (one, two) = codebuild.builds(ids)
    assert (one.state, one.phase, one.message) == (BuildState.SUCCEEDED, "COMPLETED", "")
    assert (two.state, two.message) == (BuildState.FAILED, "COMMAND_EXECUTION_ERROR: exit status 6")
    assert two.ended is not None and two.started is not None
    assert two.ended - two.started == two.ended - one.started


def test_why_a_batch_never_began(emulator: Emulator, codebuild: CodeBuild, clock: Clock) -> None:
    codebuild.create_project(PROJECT)
    gone = codebuild.start_batch(
        "brqos", source=f"{BUCKET}/gone.zip", buildspec=buildspec("a"), token="1", variables={}
    )
    wrong = codebuild.start_batch("brqos", source=SOURCE, buildspec="version: 0.2\nbatch: 1", token="2", variables={})
    clock.now += 5
    one, two = codebuild.batches([gone.id, wrong.id])
    assert (one.state, two.state) == (BuildState.FAILED, BuildState.FAILED)
    assert one.message.startswith("CLIENT_ERROR: NoSuchKey") and two.message.startswith("YAML_FILE_ERROR: batch")


def test_one_that_waits_for_a_machine(emulator: Emulator, codebuild: CodeBuild, clock: Clock) -> None:
    emulator.store.codebuild.concurrency = 1
    batch_id = start(codebuild, "a", "b")
    clock.now += 31
    (batch,) = codebuild.batches([batch_id])
    assert [member.state for member in batch.members] == [BuildState.IN_PROGRESS] * 2
    running, queued = codebuild.builds([str(member.build) for member in batch.members])
    assert (running.phase, queued.phase, queued.log_stream) == ("BUILD", "QUEUED", "")
    clock.now += 50
    _, second = codebuild.builds([running.id, queued.id])
    assert (second.phase, second.queued_seconds) == ("BUILD", 67)


def test_how_long_one_has_waited_so_far() -> None:
    client: Any = boto3.client("codebuild", REGION, aws_access_key_id="x", aws_secret_access_key="y")
    phases = [{"phaseType": "QUEUED", "startTime": datetime(2026, 1, 1, tzinfo=UTC)}]
    with Stubber(client) as stub:
        stub.add_response("batch_get_builds", {"builds": [{"id": "p:1", "phases": phases}]}, {"ids": ["p:1"]})
        (build,) = CodeBuild(client, REGION, None).builds(["p:1"])
    assert build.queued_seconds > 0 and build.state is BuildState.IN_PROGRESS


def test_words_that_nobody_knows_yet() -> None:
    client: Any = boto3.client("codebuild", REGION, aws_access_key_id="x", aws_secret_access_key="y")
    told = {
        "id": "p:1",
        "buildBatchStatus": "CLIENT_ERROR",
        "buildGroups": [{"identifier": "a"}, {"identifier": "b", "currentBuildSummary": {"buildStatus": "STOPPED"}}],
        "phases": [{"phaseType": "SUBMITTED"}, {"phaseStatus": "CLIENT_ERROR", "contexts": [{"statusCode": "X"}]}],
    }
    with Stubber(client) as stub:
        stub.add_response("batch_get_build_batches", {"buildBatches": [told]}, {"ids": ["p:1"]})
        (batch,) = CodeBuild(client, REGION, None).batches(["p:1"])
    assert (batch.state, batch.message) == (BuildState.FAILED, "X")
    assert batch.members == (
        BatchMember("a", None, BuildState.IN_PROGRESS),
        BatchMember("b", None, BuildState.STOPPED),
    )


def test_stopping(codebuild: CodeBuild, clock: Clock) -> None:
    batch_id = start(codebuild, "a", "b")
    clock.now += 30
    codebuild.stop_batch(batch_id)
    (batch,) = codebuild.batches([batch_id])
    assert batch.state is BuildState.STOPPED and batch.ended is not None
    assert {member.state for member in batch.members} == {BuildState.STOPPED}
    codebuild.stop_batch(batch_id)


def test_a_lost_answer_starts_no_second_batch(emulator: Emulator, codebuild: CodeBuild) -> None:
    for fault in (
        Fault(reset="answer"),
        Fault(drop=True, after_effect=True),
        Fault(kind="internal", after_effect=True),
    ):
        emulator.faults.inject("StartBuildBatch", fault)
    batch_id = start(codebuild)
    assert list(codebuild.batch_ids("brqos")) == [batch_id] == list(emulator.store.codebuild.batches)
    assert emulator.calls["StartBuildBatch"] == 4


def test_a_token_is_good_for_five_minutes_and_one_batch(codebuild: CodeBuild, clock: Clock) -> None:
    first = start(codebuild, "a")
    clock.now += 299
    assert start(codebuild, "a") == first
    with refused(ErrorKind.VALIDATION, "parameter mismatch"):
        start(codebuild, "b")
    clock.now += 2
    assert start(codebuild, "a") != first


@pytest.mark.parametrize("operation", ["BatchGetBuildBatches", "BatchGetBuilds", "ListBuildBatchesForProject"])
def test_questions_are_asked_again(emulator: Emulator, codebuild: CodeBuild, clock: Clock, operation: str) -> None:
    batch_id = start(codebuild)
    clock.now += 5
    for fault in (Fault(kind="throttled"), Fault(drop=True), Fault(reset="answer")):
        emulator.faults.inject(operation, fault)
    (batch,) = codebuild.batches([batch_id])
    assert len(codebuild.builds([str(batch.members[0].build)])) == 1
    assert list(codebuild.batch_ids("brqos")) == [batch_id]
    assert emulator.faults.met == {operation: 3}


def test_hundreds_of_builds(emulator: Emulator, codebuild: CodeBuild, clock: Clock) -> None:
    wanted = [start(codebuild, *(f"b{number}" for number in range(100)), token=f"{each}") for each in range(3)]
    clock.now += 5
    batches = codebuild.batches([*wanted, "brqos:none"])
    assert [batch.id for batch in batches] == wanted
    ids = [str(member.build) for batch in batches for member in batch.members]
    emulator.calls.clear()
    builds = codebuild.builds([*ids, ids[0], "brqos:none"])
    assert [build.id for build in builds] == ids
    assert emulator.calls == {"BatchGetBuilds": 4}


def test_many_batches_are_listed_as_they_are_asked_for(emulator: Emulator, codebuild: CodeBuild) -> None:
    ids = [start(codebuild, token=str(number)) for number in range(7)]
    other = start(codebuild, project="another")
    emulator.store.largest_page = 3
    emulator.calls.clear()
    listed = codebuild.batch_ids("brqos")
    assert next(listed) == ids[-1] and emulator.calls["ListBuildBatchesForProject"] == 1
    assert list(listed) == ids[-2::-1] and other not in ids
    assert emulator.calls["ListBuildBatchesForProject"] == 3


def test_a_permission_that_is_missing(emulator: Emulator, codebuild: CodeBuild) -> None:
    emulator.deny("iam:PassRole")
    with refused(ErrorKind.ACCESS_DENIED, "iam:PassRole"):
        codebuild.create_project(PROJECT)
    emulator.allow()
    emulator.deny("codebuild:BatchGet*")
    with refused(ErrorKind.ACCESS_DENIED):
        codebuild.project("brqos")
