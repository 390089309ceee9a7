"""Where the blocks' bytes lie."""

import os
from pathlib import Path

import pytest

from brqos.rehearsal.emulator import Emulator
from brqos.rehearsal.emulator.block_files import BLOCK, BlockFiles

from .conftest import RawClient

pytestmark = pytest.mark.loopback

ONE, TWO = os.urandom(BLOCK), os.urandom(BLOCK)


def test_sharing(tmp_path: Path) -> None:
    files = BlockFiles(tmp_path)
    files.create("a")
    files.write("a", 3, ONE)
    files.seal("a")
    files.share("a", "b")
    assert BLOCK <= files.occupied() < 2 * BLOCK
    files.remove("a")
    assert files.read("b", 3) == ONE
    assert files.read("b", 2) == files.read("b", 9) == bytes(BLOCK)
    for name in ("a", "b"):
        with pytest.raises(KeyError):
            files.write(name, 3, TWO)
    files.create("open")
    files.close()
    assert files.occupied() == 0


def test_a_file_is_not_closed_under_a_writer(tmp_path: Path) -> None:
    files = BlockFiles(tmp_path)
    files.create("a")
    files.write("a", 0, ONE)
    with files._used("a") as kept:
        files.remove("a")
        assert kept.file is not None
        assert not kept.file.closed
    assert kept.file.closed


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="none"):
        BlockFiles(tmp_path / "none")


def test_discarding(tmp_path: Path) -> None:
    with Emulator(folder=tmp_path, discard=True, delay=0) as emulator:
        raw = RawClient(emulator)
        snapshot = str(raw.start().json["SnapshotId"])
        assert raw.put(snapshot, 0, ONE).status == 201
        assert raw.complete(snapshot, 1, [ONE]).status == 202
        assert emulator.store.files.occupied() == 0
        token = raw.send("GET", f"/snapshots/{snapshot}/blocks").json["Blocks"][0]["BlockToken"]
        quoted = token.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
        assert raw.send("GET", f"/snapshots/{snapshot}/blocks/0?blockToken={quoted}").status == 500
        assert emulator.bugs == []


def test_verifying_some_blocks_only() -> None:
    with Emulator(verify_every=3) as emulator:
        raw = RawClient(emulator)
        snapshot = str(raw.start().json["SnapshotId"])
        wrong = {"x_amz_checksum": "A" * 43 + "="}
        assert [raw.put(snapshot, index, ONE, **wrong).status for index in range(6)] == [400, 201, 201, 400, 201, 201]
        assert raw.put(snapshot, 0, ONE, x_amz_checksum="short").status == 400


def test_a_snapshot_that_goes_while_it_is_written(raw: RawClient, emulator: Emulator) -> None:
    snapshot = str(raw.start().json["SnapshotId"])
    emulator.store.files.seal(snapshot)
    assert raw.put(snapshot, 0, ONE).json["Reason"] == "INVALID_SNAPSHOT_ID"
    emulator.store.forget(emulator.store.snapshots[snapshot])
    assert raw.put(snapshot, 0, ONE).status == 404
