"""The emulator in a process of its own: its flags, its own paths, and how it ends."""

import contextlib
import http.client
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from brqos.rehearsal.emulator.faults import PID_HEADER

from .conftest import BLOCK, RawClient

pytestmark = [pytest.mark.loopback, pytest.mark.processes]

DATA = b"\3" * BLOCK


class Running:
    """An emulator that runs, and its own paths."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        self.process = process
        self.address = process.stdout.readline().strip().removeprefix("http://")
        key, secret = (process.stdout.readline().strip().partition("=")[2] for _ in range(2))
        self.raw = RawClient.__new__(RawClient)
        self.raw.address, self.raw.key, self.raw.secret = self.address, key, secret

    def own(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        connection = http.client.HTTPConnection(self.address, timeout=10)
        connection.request(method, f"/_emulator/{path}", json.dumps(body) if body is not None else b"", headers)
        answer = connection.getresponse()
        told = json.loads(answer.read())
        connection.close()
        return answer.status, told


@contextlib.contextmanager
def running(*flags: str) -> Iterator[Running]:
    command = [sys.executable, "-m", "brqos.rehearsal.emulator", *flags]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Running(process)
        finally:
            process.kill()


def test_its_flags(tmp_path: Path) -> None:
    script = tmp_path / "faults.json"
    script.write_text(json.dumps({"faults": [{"operation": "CompleteSnapshot", "fault": {"kind": "internal"}}]}))
    flags = [
        "--only-own-key", "--faults", str(script), "--puts-per-second", "1", "--rate", "DescribeRegions=1",
        "--deny", "ec2:RegisterImage", "--kms-key", f"arn:aws:kms:eu-west-1:{'0' * 12}:key/one",
        "--encrypt-by-default", "eu-west-1", "--store", str(tmp_path), "--verify-every", "2", "--delay", "0",
    ]  # fmt: skip
    with running(*flags) as emulator:
        raw = emulator.raw
        started = raw.start().json
        assert started["SseType"] == "sse-kms"
        assert raw.start(KmsKeyArn=f"arn:aws:kms:eu-west-1:{'0' * 12}:key/two").status == 400
        snapshot = started["SnapshotId"]
        statuses = [raw.put(snapshot, index, DATA).status for index in range(4)]
        assert statuses[0] == 201
        assert 400 in statuses
        kept = statuses.count(201)
        assert [raw.complete(snapshot, kept).status for _ in range(2)] == [500, 202]
        body = b"Action=RegisterImage&Name=x"
        assert b"UnauthorizedOperation" in raw.send("POST", "/", service="ec2", body=body).body
        emulator.process.send_signal(signal.SIGTERM)
        assert emulator.process.wait(10) == 0
    assert list(tmp_path.iterdir()) == [script]


def test_it_ends_with_its_parent() -> None:
    with running("--until-stdin-closes") as emulator:
        assert emulator.raw.start().status == 201
        assert emulator.process.stdin is not None
        emulator.process.stdin.close()
        assert emulator.process.wait(10) == 0


def test_wrong_flags(tmp_path: Path) -> None:
    script = tmp_path / "faults.json"
    script.write_text('{"fault": []}')
    for flags, told in (
        (["--faults", str(script)], "“fault” is not known"),
        (["--store", str(tmp_path / "none")], "none"),
        (["--verify-every", "0"], "--verify-every"),
    ):
        command = [sys.executable, "-m", "brqos.rehearsal.emulator", *flags]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
        assert done.returncode == 2
        assert told in done.stderr
        assert "Traceback" not in done.stderr


def test_its_own_paths() -> None:
    with running("--delay", "0") as emulator:
        raw = emulator.raw
        snapshot = raw.start().json["SnapshotId"]
        raw.put(snapshot, 2, DATA)
        status, state = emulator.own("GET", "state")
        assert status == 200
        told = state["snapshots"][snapshot]
        assert (told["state"], told["sealed"], list(told["blocks"])) == ("pending", False, ["2"])
        _, state = emulator.own("GET", "state?blocks=no")
        assert "blocks" not in state["snapshots"][snapshot]
        assert emulator.own("POST", "clock", {"forward": 3601})[0] == 200
        _, state = emulator.own("GET", "state")
        assert state["snapshots"][snapshot]["state"] == "error"
        settings = {"region": "eu-west-1", "encryption_by_default": True, "groups": {"a": {"MinSize": 1}}, "delay": 1}
        assert emulator.own("POST", "settings", settings) == (200, {"done": True})
        assert raw.start().json["SseType"] == "sse-kms"
        faults = {"faults": [{"operation": "StartSnapshot", "fault": {"kind": "throttled"}, "times": 9}]}
        assert emulator.own("POST", "faults", faults)[0] == 200
        assert raw.start().status == 400
        assert emulator.own("DELETE", "faults")[0] == 200
        assert raw.start().status == 201
        _, calls = emulator.own("GET", "calls")
        assert calls["calls"]["StartSnapshot"] == 4
        assert calls["faults"] == {"StartSnapshot": 1}


def test_clusters_and_subnets() -> None:
    settings = {
        "region": "eu-west-1",
        "clusters": {"main": {"version": "1.29", "resourcesVpcConfig": {"subnetIds": ["subnet-1"]}}},
        "nodegroups": {"main": {"nodes": {"amiType": "CUSTOM"}}},
        "subnets": {"subnet-1": {"zone": "eu-west-1b", "maps_public_ip": True}},
    }
    with running() as emulator:
        assert emulator.own("POST", "settings", settings) == (200, {"done": True})
        told = emulator.raw.send("GET", "/clusters/main/node-groups/nodes", service="eks").json["nodegroup"]
        assert (told["amiType"], told["version"], told["subnets"]) == ("CUSTOM", "1.29", ["subnet-1"])
        answer = emulator.raw.send("POST", "/", service="ec2", body=b"Action=DescribeSubnets&SubnetId.1=subnet-1")
        assert b"<availabilityZone>eu-west-1b</availabilityZone>" in answer.body
        _, state = emulator.own("GET", "state")
        assert list(state["subnets"]) == ["subnet-1"]
        (cluster,) = state["clusters"]
        assert (cluster["cluster"]["version"], list(cluster["nodegroups"])) == ("1.29", ["nodes"])


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "told"),
    [
        ("GET", "nothing", None, 404, "there is no GET"),
        ("POST", "faults", {"fault": 1}, 400, "not known"),
        ("POST", "kill", {"pid": 0}, 400, "kill"),
        ("POST", "clock", {"forward": "x"}, 400, "number of seconds"),
        ("POST", "settings", {"colour": 1}, 400, "colour is not known"),
        ("POST", "settings", {"encryption_by_default": True}, 400, "needs a region"),
        ("POST", "settings", {"delay": "x"}, 400, "wrong type"),
        ("POST", "settings", {"clusters": {"a": {}}}, 400, "needs a region"),
        ("POST", "settings", {"region": "eu-west-1", "clusters": {"a": 1}}, 400, "not an object"),
        ("POST", "settings", {"region": "eu-west-1", "nodegroups": {"a": {"b": {}}}}, 400, "no cluster a"),
        ("POST", "settings", {"region": "eu-west-1", "subnets": {"a": {"colour": 1}}}, 400, "no such member"),
    ],
)
def test_what_its_own_paths_refuse(method: str, path: str, body: object, status: int, told: str) -> None:
    with running() as emulator:
        answer = emulator.own(method, path, body)
        assert answer[0] == status
        assert told in answer[1]["error"]
        assert emulator.own("GET", "state", None, Origin="http://example.org")[0] == 403
        assert emulator.own("GET", "state", None, Host="example.org")[0] == 403


@pytest.mark.parametrize(("when", "kept"), [("before", 2), ("after", 3)])
def test_a_client_is_killed(when: str, kept: int) -> None:
    client = (
        "import sys; sys.path.insert(0, {tests!r})\n"
        "from rehearsal.emulator.conftest import RawClient, BLOCK\n"
        "raw = RawClient.__new__(RawClient)\n"
        "raw.address, raw.key, raw.secret = {address!r}, {key!r}, {secret!r}\n"
        "snapshot = raw.start().json['SnapshotId']\n"
        "input()\n"
        "for index in range(9): raw.put(snapshot, index, bytes([3]) * BLOCK)\n"
    )
    tests = str(Path(__file__).parents[2])
    with running() as emulator:
        raw = emulator.raw
        text = client.format(tests=tests, address=raw.address, key=raw.key, secret=raw.secret)
        with subprocess.Popen([sys.executable, "-c", text], stdin=subprocess.PIPE, text=True) as process:
            order = {"pid": process.pid, "operation": "PutSnapshotBlock", "nth": 3, "when": when}
            assert emulator.own("POST", "kill", order) == (200, {"done": True})
            process.communicate("go\n", timeout=20)
            assert process.returncode == -signal.SIGKILL
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline and emulator.own("GET", "calls")[1]["calls"]["PutSnapshotBlock"] < 3:
            time.sleep(0.05)
        (snapshot,) = emulator.own("GET", "state")[1]["snapshots"].values()
        assert snapshot["block_count"] == kept


def test_a_client_may_name_itself() -> None:
    with running() as emulator:
        script = {"faults": [{"operation": "StartSnapshot", "fault": {"kill": -1}, "times": 9}]}
        assert emulator.own("POST", "faults", script)[0] == 200
        for text in ("", "1", "x", str(emulator.process.pid)):
            with pytest.raises(http.client.RemoteDisconnected):
                emulator.raw.send("POST", "/snapshots", headers={PID_HEADER: text}, body=b'{"VolumeSize": 1}')
        assert emulator.process.poll() is None, "it kills neither itself nor what it was not told"
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
            headers = {PID_HEADER: str(process.pid)}
            with pytest.raises(http.client.RemoteDisconnected):
                emulator.raw.send("POST", "/snapshots", headers=headers, body=b'{"VolumeSize": 1}')
            assert process.wait(10) == -signal.SIGKILL


def test_builds_that_really_run_are_for_its_own_key_alone() -> None:
    with running("--run-builds") as emulator:
        headers = {"x-amz-target": "CodeBuild_20161006.BatchGetProjects"}
        asked = {"service": "codebuild", "headers": headers, "body": b'{"names": ["a"]}'}
        assert emulator.raw.send("POST", "/", **asked).json["projectsNotFound"] == ["a"]
        assert emulator.raw.secret not in ("", "rehearsal")
        emulator.raw.key = "ANOTHER"
        assert emulator.raw.send("POST", "/", **asked).json["__type"] == "UnrecognizedClientException"
