import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brqos.ami.upload.journal import Begun, Journal, file_of, journals

from ..conftest import Recorder

KEY = "a" * 64


def begun(**fields: object) -> Begun:
    values = {
        "key": KEY, "generation": 0, "snapshot": "snap-1", "region": "eu-west-1", "account": "000000000000",
        "image": Path("/images/os.img"), "sha256": "b" * 64, "blocks": 100, "started": 1.0, **fields,
    }  # fmt: skip
    return Begun.model_validate(values)


def digest(index: int) -> bytes:
    return hashlib.sha256(str(index).encode()).digest()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return file_of(tmp_path / "uploads", KEY)


def test_what_was_taken_is_remembered(file: Path, monitor: Recorder) -> None:
    journal = Journal(file, monitor)
    assert (journal.begun, journal.done) == (None, {})
    journal.begin(begun())
    for index in (3, 1, 2):
        journal.add(index, digest(index))
    journal.close()
    again = Journal(file, monitor)
    assert again.begun == begun()
    assert again.done == {index: digest(index) for index in (1, 2, 3)}
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert monitor.warnings == []


def test_flushed_lines_survive_a_kill(file: Path, monitor: Recorder) -> None:
    journal = Journal(file, monitor)
    journal.begin(begun())
    journal.add(0, digest(0))
    journal.add(1, digest(1))
    journal.flush()
    # Nothing is closed: the process is gone.
    assert Journal(file, monitor).done == {0: digest(0), 1: digest(1)}


def test_a_dropped_journal_leaves_nothing_not_even_of_a_run_that_was_killed_while_it_wrote(
    file: Path, monitor: Recorder
) -> None:
    journal = Journal(file, monitor)
    journal.begin(begun())
    file.with_name(f".{file.name}.abc123.partial").write_text("half a li")
    other = file.with_name(".another.journal.abc123.partial")
    other.write_text("somebody may be writing this")
    journal.drop()
    assert list(file.parent.iterdir()) == [other]


def test_another_snapshot_begins_anew(file: Path, monitor: Recorder) -> None:
    journal = Journal(file, monitor)
    journal.begin(begun())
    journal.add(0, digest(0))
    journal.close()
    again = Journal(file, monitor)
    again.begin(begun(snapshot="snap-2", generation=1))
    assert again.done == {}
    again.close()
    assert Journal(file, monitor).begun == begun(snapshot="snap-2", generation=1)


def test_nothing_is_left_when_it_is_done(file: Path, monitor: Recorder) -> None:
    journal = Journal(file, monitor)
    journal.begin(begun())
    journal.add(0, digest(0))
    journal.drop()
    assert list(file.parent.iterdir()) == []
    journal.close()
    assert list(file.parent.iterdir()) == []


def test_a_restart_goes_to_the_next_generation(file: Path, monitor: Recorder) -> None:
    journal = Journal(file, monitor)
    journal.begin(begun())
    journal.add(0, digest(0))
    journal.close()
    Journal(file, monitor).restart()
    again = Journal(file, monitor)
    assert again.begun == begun(snapshot="", generation=1)
    assert again.done == {}


@given(kept=st.integers(0, 400), junk=st.binary(max_size=40))
def test_a_torn_tail_is_left_out(tmp_path_factory: pytest.TempPathFactory, kept: int, junk: bytes) -> None:
    """Wherever the file ends and whatever follows, what is understood is what was written."""
    file, monitor = file_of(tmp_path_factory.mktemp("torn"), KEY), Recorder()
    journal = Journal(file, monitor)
    journal.begin(begun())
    first = file.stat().st_size
    for index in range(5):
        journal.add(index, digest(index))
    journal.close()
    whole = file.read_bytes()
    file.write_bytes(whole[: first + kept] + junk.replace(b"\n", b""))
    again = Journal(file, monitor)
    assert again.begun == begun()
    assert list(again.done) == list(range(len(again.done)))
    assert all(found == digest(index) for index, found in again.done.items())
    # Going on repairs the file.
    again.begin(begun())
    again.add(99, digest(99))
    again.close()
    assert Journal(file, monitor).done == {**again.done, 99: digest(99)}


@pytest.mark.parametrize("text", ["", "{}", "not a journal\n1 ab\n", '{"version": 2}\n', "\xff\xfe"])
def test_what_is_no_journal_is_passed_over(file: Path, monitor: Recorder, text: str) -> None:
    file.parent.mkdir()
    file.write_text(text, encoding="utf-8")
    assert Journal(file, monitor).begun is None
    assert list(journals(file.parent)) == []


@pytest.mark.parametrize(
    "line", ["100 " + "0" * 64, "-1 " + "0" * 64, "1 " + "0" * 63, "1 " + "g" * 64, "1", "x " + "0" * 64]
)
def test_a_line_that_cannot_be_ends_the_reading(file: Path, monitor: Recorder, line: str) -> None:
    journal = Journal(file, monitor)
    journal.begin(begun())
    journal.add(0, digest(0))
    journal.close()
    with file.open("a") as stream:
        stream.write(f"{line}\n5 {digest(5).hex()}\n")
    assert set(Journal(file, monitor).done) == {0}


def test_all_unfinished_uploads_are_listed(tmp_path: Path, monitor: Recorder) -> None:
    for number in range(3):
        key = str(number) * 64
        Journal(file_of(tmp_path, key), monitor).begin(begun(key=key, snapshot=f"snap-{number}"))
    assert {item.snapshot for _, item in journals(tmp_path)} == {"snap-0", "snap-1", "snap-2"}


def test_without_a_place_the_upload_goes_on_and_is_told(tmp_path: Path, monitor: Recorder) -> None:
    (tmp_path / "uploads").write_text("a file where the folder should be")
    journal = Journal(file_of(tmp_path / "uploads", KEY), monitor)
    journal.begin(begun())
    journal.add(0, digest(0))
    journal.flush()
    journal.close()
    journal.drop()
    (warning,) = monitor.warnings
    assert "no journal" in warning
    assert "BRQOS_STATE_DIR" in warning


def test_a_full_disk_ends_the_journal_and_not_the_upload(
    file: Path, monitor: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(file, monitor)
    journal.begin(begun())

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    journal.add(0, digest(0))
    journal.flush()
    journal.add(1, digest(1))
    journal.close()
    assert len(monitor.warnings) == 1
