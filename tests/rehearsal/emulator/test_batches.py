"""How batches go on: who waits for whom, what ends when, and what a script may say."""

import http.client
import json
from collections.abc import Callable
from typing import Any

import pytest

from brqos.rehearsal.emulator.codebuild.scripted import Script

from .conftest import REGION, Aws
from .test_codebuild import PROJECT

pytestmark = pytest.mark.loopback

Start = Callable[..., str]
PHASES = ["PROVISIONING", "DOWNLOAD_SOURCE", "INSTALL", "PRE_BUILD", "BUILD", "POST_BUILD", "UPLOAD_ARTIFACTS"]
# Before BUILD and after it, as scripts have it.
BEFORE, AFTER = 6.0, 1.0


def spec(batch: str, phases: str = "{build: {commands: [make]}}") -> str:
    return (
        f"version: 0.2\nenv: {{variables: {{A: spec, B: spec, C: spec, D: spec}}}}\nbatch: {batch}\nphases: {phases}\n"
    )


def listed(*names: str) -> str:
    return spec(f"{{build-list: [{', '.join(f'{{identifier: {name}}}' for name in names)}]}}")


@pytest.fixture
def start(aws: Aws) -> Start:
    aws.emulator.store.roles_of_iam.required = False
    aws.emulator.store.codebuild.spec_seconds = 2
    aws.s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
    aws.s3.put_object(Bucket="bucket", Key="none.zip", Body=b"zip")
    aws.codebuild.create_project(**PROJECT)

    def call(buildspec: str, **given: Any) -> str:
        answer = aws.codebuild.start_build_batch(projectName="brqos", buildspecOverride=buildspec, **given)
        return str(answer["buildBatch"]["id"])

    return call


def batch(aws: Aws, batch_id: str) -> dict[str, Any]:
    (told,) = aws.codebuild.batch_get_build_batches(ids=[batch_id])["buildBatches"]
    return dict(told)


def states(aws: Aws, batch_id: str) -> dict[str, str]:
    groups = batch(aws, batch_id)["buildGroups"]
    return {group["identifier"]: group["currentBuildSummary"]["buildStatus"] for group in groups[1:]}


def builds(aws: Aws, batch_id: str) -> dict[str, dict[str, Any]]:
    groups = batch(aws, batch_id)["buildGroups"]
    ids = {g["identifier"]: g["currentBuildSummary"]["arn"].partition(":build/")[2] for g in groups}
    told = {item["id"]: item for item in aws.codebuild.batch_get_builds(ids=list(ids.values()))["builds"]}
    return {name: told[each] for name, each in ids.items()}


def phases(aws: Aws, batch_id: str, name: str) -> list[str]:
    return [phase["phaseType"] for phase in builds(aws, batch_id)[name]["phases"]]


def test_the_phases_of_a_batch_and_of_a_build(aws: Aws, start: Start) -> None:
    batch_id = start(listed("a"))
    assert [phase["phaseType"] for phase in batch(aws, batch_id)["phases"]] == ["SUBMITTED", "DOWNLOAD_BATCHSPEC"]
    assert [group["identifier"] for group in batch(aws, batch_id)["buildGroups"]] == ["DOWNLOAD_SOURCE"]
    aws.clock.now += 2
    assert batch(aws, batch_id)["currentPhase"] == "IN_PROGRESS"
    assert phases(aws, batch_id, "a") == ["SUBMITTED", "QUEUED", "PROVISIONING"]
    aws.clock.now += BEFORE
    assert builds(aws, batch_id)["a"]["currentPhase"] == "BUILD"
    aws.clock.now += 60 + AFTER
    told = batch(aws, batch_id)
    assert (told["buildBatchStatus"], told["complete"], told["currentPhase"]) == ("SUCCEEDED", True, "SUCCEEDED")
    assert phases(aws, batch_id, "a") == ["SUBMITTED", "QUEUED", *PHASES, "FINALIZING", "COMPLETED"]
    build = builds(aws, batch_id)["a"]
    assert build["buildBatchArn"] == told["arn"] and build["buildComplete"]
    assert build["logs"]["groupName"] == "/aws/codebuild/brqos"


def test_what_depends_on_others_waits_for_them(aws: Aws, start: Start) -> None:
    batch_id = start(spec("{build-graph: [{identifier: b, depend-on: [a]}, {identifier: a}]}"))
    aws.clock.now += 10
    assert [builds(aws, batch_id)[name]["currentPhase"] for name in "ab"] == ["BUILD", "SUBMITTED"]
    aws.clock.now += 60
    assert states(aws, batch_id) == {"a": "SUCCEEDED", "b": "IN_PROGRESS"}
    assert builds(aws, batch_id)["b"]["currentPhase"] == "PROVISIONING"


def test_what_depends_on_one_that_failed_is_stopped(aws: Aws, start: Start) -> None:
    aws.emulator.builds.script("a", Script(state="FAILED"))
    graph = "{identifier: c, depend-on: [b]}, {identifier: b, depend-on: [a]}, {identifier: a}, {identifier: d}"
    batch_id = start(spec(f"{{build-graph: [{graph}]}}"))
    aws.clock.now += 100
    assert states(aws, batch_id) == {"a": "FAILED", "b": "STOPPED", "c": "STOPPED", "d": "SUCCEEDED"}
    assert batch(aws, batch_id)["buildBatchStatus"] == "FAILED"


def test_a_failure_that_is_ignored(aws: Aws, start: Start) -> None:
    aws.emulator.builds.script("a", Script(state="FAILED"))
    graph = "{identifier: a, ignore-failure: true}, {identifier: b, depend-on: [a]}"
    batch_id = start(spec(f"{{build-graph: [{graph}]}}"))
    aws.clock.now += 200
    assert states(aws, batch_id) == {"a": "FAILED", "b": "SUCCEEDED"}
    assert batch(aws, batch_id)["buildBatchStatus"] == "SUCCEEDED"


def test_failing_fast(aws: Aws, start: Start) -> None:
    aws.emulator.builds.script("a", Script(seconds=5, state="FAILED", message="exit status 1"))
    batch_id = start(spec("{fast-fail: true, build-list: [{identifier: a}, {identifier: b}]}"))
    aws.clock.now += 2 + BEFORE + 5
    assert states(aws, batch_id) == {"a": "FAILED", "b": "STOPPED"}
    assert batch(aws, batch_id)["buildBatchStatus"] == "FAILED"
    (phase,) = [each for each in builds(aws, batch_id)["a"]["phases"] if each["phaseType"] == "BUILD"]
    assert (phase["phaseStatus"], phase["contexts"]) == (
        "FAILED",
        [{"statusCode": "COMMAND_EXECUTION_ERROR", "message": "exit status 1"}],
    )


@pytest.mark.parametrize("of", ["account", "project"])
def test_a_build_that_ends_makes_room_at_that_moment(aws: Aws, start: Start, of: str) -> None:
    """Whenever somebody looks: here only once, long after everything."""
    if of == "account":
        aws.emulator.store.codebuild.concurrency = 1
    else:
        aws.codebuild.update_project(name="brqos", concurrentBuildLimit=1)
    batch_id = start(listed("a", "b", "c"))
    began = aws.clock.now + 2
    aws.clock.now += 10_000
    each = BEFORE + 60 + AFTER
    ended = {name: build["endTime"].timestamp() - began for name, build in builds(aws, batch_id).items()}
    assert [ended[name] for name in "abc"] == [each, 2 * each, 3 * each]
    (queued,) = [phase for phase in builds(aws, batch_id)["c"]["phases"] if phase["phaseType"] == "QUEUED"]
    assert queued["durationInSeconds"] == 2 * each


def test_batches_share_the_account_in_their_order(aws: Aws, start: Start) -> None:
    aws.emulator.store.codebuild.concurrency = 2
    first = start(listed("a", "b", "c"))
    aws.clock.now += 3
    second = start(listed("d"))
    aws.clock.now += 3
    queued = {name: build["currentPhase"] == "QUEUED" for name, build in builds(aws, first).items()}
    assert queued == {"DOWNLOAD_SOURCE": False, "a": False, "b": False, "c": True}
    assert builds(aws, second)["d"]["currentPhase"] == "QUEUED"
    aws.codebuild.stop_build_batch(id=first)
    assert builds(aws, second)["d"]["currentPhase"] == "PROVISIONING"


def test_one_that_hangs_until_its_time_is_up(aws: Aws, start: Start) -> None:
    aws.emulator.builds.script("a", Script(hangs=True, lines=("still here",)))
    batch_id = start(listed("a"), buildTimeoutInMinutesOverride=5)
    aws.clock.now += 2 + 299
    assert states(aws, batch_id) == {"a": "IN_PROGRESS"}
    aws.clock.now += 1
    assert states(aws, batch_id) == {"a": "TIMED_OUT"} and batch(aws, batch_id)["buildBatchStatus"] == "FAILED"


def test_waiting_for_a_machine_for_too_long(aws: Aws, start: Start) -> None:
    aws.emulator.store.codebuild.concurrency = 0
    batch_id = start(listed("a"), queuedTimeoutInMinutesOverride=5)
    aws.clock.now += 302
    assert states(aws, batch_id) == {"a": "TIMED_OUT"}
    assert phases(aws, batch_id, "a") == ["SUBMITTED", "QUEUED", "COMPLETED"]


def test_a_batch_that_takes_too_long(aws: Aws, start: Start) -> None:
    aws.codebuild.update_project(
        name="brqos", timeoutInMinutes=60, buildBatchConfig={**PROJECT["buildBatchConfig"], "timeoutInMins": 5}
    )
    aws.emulator.builds.script("a", Script(hangs=True))
    batch_id = start(listed("a", "b"))
    aws.clock.now += 301
    assert batch(aws, batch_id)["buildBatchStatus"] == "TIMED_OUT"
    assert states(aws, batch_id) == {"a": "TIMED_OUT", "b": "SUCCEEDED"}


def test_stopping_before_and_after(aws: Aws, start: Start) -> None:
    early, late = start(listed("a")), start(listed("b"))
    assert aws.codebuild.stop_build_batch(id=early)["buildBatch"]["buildBatchStatus"] == "STOPPED"
    aws.clock.now += 100
    assert aws.codebuild.stop_build_batch(id=late)["buildBatch"]["buildBatchStatus"] == "SUCCEEDED"
    assert batch(aws, early)["buildBatchStatus"] == "STOPPED" and states(aws, early) == {}


def test_scripts_by_name_and_number(aws: Aws, start: Start) -> None:
    aws.emulator.builds.script("a*", Script(state="FAULT", message="lost"), times=1)
    batch_id = start(listed("a1", "b"))
    again = start(listed("a1"))
    aws.clock.now += 100
    assert states(aws, batch_id) == {"a1": "FAULT", "b": "SUCCEEDED"} and states(aws, again) == {"a1": "SUCCEEDED"}
    (phase,) = [each for each in builds(aws, batch_id)["a1"]["phases"] if each["phaseType"] == "BUILD"]
    assert phase["contexts"] == [{"statusCode": "INTERNAL_SERVICE_ERROR", "message": "lost"}]


def test_what_a_build_says_and_leaves(aws: Aws, start: Start) -> None:
    aws.emulator.builds.script(
        "a",
        Script(
            lines=("half", (59.0, "late")),
            seconds=60,
            effect=lambda order: order.put("bucket", f"results/{order.identifier}", order.variables["A"].encode()),
        ),
    )
    batch_id = start(listed("a"), environmentVariablesOverride=[{"name": "A", "value": "given", "type": "PLAINTEXT"}])
    aws.clock.now += 2 + BEFORE + 30
    asked = {"logGroupName": "/aws/codebuild/brqos"}
    assert [event["message"] for event in aws.logs.filter_log_events(**asked)["events"]] == ["half"]
    assert aws.s3.list_objects_v2(Bucket="bucket", Prefix="results/")["KeyCount"] == 0
    aws.clock.now += 100
    events = aws.logs.filter_log_events(**asked)["events"]
    assert [event["message"] for event in events] == ["half", "late"]
    assert {event["logStreamName"] for event in events} == {builds(aws, batch_id)["a"]["id"].partition(":")[2]}
    assert aws.s3.get_object(Bucket="bucket", Key="results/a")["Body"].read() == b"given"


def test_a_stopped_build_leaves_nothing_and_says_no_more(aws: Aws, start: Start) -> None:
    aws.emulator.builds.script(
        "a", Script(lines=("one", (50.0, "two")), effect=lambda _: pytest.fail("it was stopped"))
    )
    batch_id = start(listed("a"))
    aws.clock.now += 2 + BEFORE + 45
    aws.codebuild.stop_build_batch(id=batch_id)
    aws.clock.now += 100
    messages = aws.logs.filter_log_events(logGroupName="/aws/codebuild/brqos")["events"]
    assert [event["message"] for event in messages] == ["one"]


def test_who_wins_where_several_set_a_variable(aws: Aws, start: Start) -> None:
    listed_as = {"name": "C", "value": "project", "type": "PLAINTEXT"}
    aws.codebuild.update_project(
        name="brqos",
        environment={**PROJECT["environment"], "environmentVariables": [listed_as, {**listed_as, "name": "D"}]},
    )
    own = "{identifier: a, env: {compute-type: BUILD_GENERAL1_LARGE, variables: {B: task}}}"
    override = [{"name": "D", "value": "start", "type": "PLAINTEXT"}]
    batch_id = start(spec(f"{{build-list: [{own}]}}"), environmentVariablesOverride=override)
    aws.clock.now += 3
    environment = builds(aws, batch_id)["a"]["environment"]
    assert environment["computeType"] == "BUILD_GENERAL1_LARGE"
    (order,) = aws.emulator.builds.orders
    assert [order.variables[name] for name in "ABCD"] == ["spec", "task", "project", "start"]
    assert order.variables["CODEBUILD_BATCH_BUILD_IDENTIFIER"] == "a"
    assert order.variables["CODEBUILD_BUILD_ID"] == order.build
    assert order.variables["AWS_ENDPOINT_URL"] == aws.emulator.endpoint
    assert order.archive == b"zip"


def test_a_source_that_goes_away_and_a_spec_without_phases(aws: Aws, start: Start) -> None:
    gone, empty = start(listed("a")), start(spec("{build-list: [{identifier: a}, {identifier: b}]}", "{}"))
    aws.emulator.store.codebuild.concurrency = 0
    aws.clock.now += 2
    assert states(aws, gone) == {"a": "IN_PROGRESS"}
    aws.emulator.store.codebuild.concurrency = None
    kept = aws.emulator.store.s3.known["bucket"].objects.pop("none.zip")
    third = start(listed("x"))
    aws.clock.now += 2
    assert states(aws, gone) == {"a": "FAILED"}
    assert batch(aws, third)["buildBatchStatus"] == "FAILED"
    aws.emulator.store.s3.known["bucket"].objects["none.zip"] = kept
    (phase,) = [each for each in builds(aws, gone)["a"]["phases"] if "contexts" in each]
    assert phase["contexts"][0]["statusCode"] == "CLIENT_ERROR"
    assert states(aws, empty) == {"a": "FAILED", "b": "FAILED"}


def own(aws: Aws, method: str, path: str, body: object = None) -> tuple[int, Any]:
    """A call of one of the emulator's own paths."""
    connection = http.client.HTTPConnection(aws.emulator.endpoint.removeprefix("http://"), timeout=10)
    connection.request(method, f"/_emulator/{path}", json.dumps(body) if body is not None else b"")
    answer = connection.getresponse()
    told = json.loads(answer.read())
    connection.close()
    return answer.status, told


def test_what_another_process_may_say_of_builds(aws: Aws, start: Start) -> None:
    script = {"a*": {"seconds": 3, "state": "FAILED", "message": "x", "lines": ["y"], "times": 1}}
    asked = {"builds": script, "concurrent_builds": 1, "role_delay": 3, "any_role": False, "log_delay": 2}
    assert own(aws, "POST", "settings", asked) == (200, {"done": True})
    store = aws.emulator.store
    assert (store.codebuild.concurrency, store.roles_of_iam.delay, store.logs.delay) == (1, 3.0, 2.0)
    assert store.roles_of_iam.required and own(aws, "POST", "settings", {"any_role": True})[0] == 200
    batch_id = start(listed("a", "b"))
    aws.clock.now += 200
    assert states(aws, batch_id) == {"a": "FAILED", "b": "SUCCEEDED"}
    told = own(aws, "GET", "state")[1]
    assert told["batches"][batch_id]["builds"]["a"]["state"] == "FAILED"
    assert told["buckets"]["bucket"]["objects"] == {"none.zip": 3}
    assert list(told["projects"]) == [f"arn:aws:codebuild:{REGION}:000000000000:project/brqos"]


@pytest.mark.parametrize("wrong", [{"builds": []}, {"builds": {"a": 1}}, {"builds": {"a": {"colour": 1}}}])
def test_what_is_wrong_of_it(aws: Aws, wrong: dict[str, Any]) -> None:
    assert own(aws, "POST", "settings", wrong)[0] == 400
