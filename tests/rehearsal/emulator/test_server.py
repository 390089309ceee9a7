"""Faults on demand, and the emulator in a process of its own."""

import http.client
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from brqos.rehearsal.emulator import Emulator, Fault

from .conftest import BLOCK, RawClient

pytestmark = pytest.mark.loopback


def test_faults_come_in_turn(raw: RawClient, emulator: Emulator) -> None:
    emulator.faults.inject("StartSnapshot", Fault("InternalServerException", 500), times=2, skip=1)
    assert [raw.start().status for _ in range(5)] == [201, 500, 500, 201, 201]
    assert emulator.calls["StartSnapshot"] == 5
    assert len(emulator.store.snapshots) == 3


def test_an_answer_may_be_lost(raw: RawClient, emulator: Emulator) -> None:
    emulator.faults.inject("StartSnapshot", Fault(drop=True, after_effect=True))
    with pytest.raises(http.client.RemoteDisconnected):
        raw.start()
    assert len(emulator.store.snapshots) == 1
    emulator.faults.inject("StartSnapshot", Fault(drop=True))
    with pytest.raises(http.client.RemoteDisconnected):
        raw.start()
    assert len(emulator.store.snapshots) == 1


def test_bodies_that_are_too_long(raw: RawClient) -> None:
    connection = http.client.HTTPConnection(raw.address, timeout=5)
    connection.putrequest("PUT", "/snapshots/x/blocks/0")
    connection.putheader("Content-Length", str(1 << 40))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_nothing_stays_when_it_stops(tmp_path: Path) -> None:
    with Emulator(folder=tmp_path) as emulator:
        raw = RawClient(emulator)
        snapshot = str(raw.start().json["SnapshotId"])
        raw.put(snapshot, 5, b"\1" * BLOCK)
        raw.put(snapshot, 6, bytes(BLOCK))
        assert BLOCK <= emulator.store.files.occupied() < 2 * BLOCK, "the file is sparse"
        assert list(tmp_path.iterdir()) == [], "not even a process that is killed leaves anything"
    assert emulator.store.files.occupied() == 0
    with pytest.raises(OSError):
        raw.start()


@pytest.mark.processes
def test_in_a_process_of_its_own() -> None:
    command = [sys.executable, "-m", "brqos.rehearsal.emulator", "--rehearsal"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        endpoint = process.stdout.readline().strip()
        raw = RawClient.__new__(RawClient)
        raw.address, raw.key, raw.secret = endpoint.removeprefix("http://"), "AKIAANYBODY", "x"
        assert raw.start().json["SnapshotId"].startswith("snap-rehearsal")
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
