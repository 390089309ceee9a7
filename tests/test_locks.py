import threading
from pathlib import Path

import pytest

from brqos.errors import LockedError
from brqos.locks import is_locked, locked
from brqos.monitor import Silent
from brqos.upstream.cache import disk_usage, entries, remove


class Listening(Silent):
    def __init__(self) -> None:
        self.heard: list[str] = []

    def note(self, text: str) -> None:
        self.heard.append(text)


def test_a_second_holder_is_told_who_the_first_is(tmp_path: Path) -> None:
    path = tmp_path / "tree"
    with locked(path, "building x", wait=False, monitor=Silent()):
        assert is_locked(path)
        with pytest.raises(LockedError) as caught, locked(path, "other", wait=False, monitor=Silent()):
            pass
    assert "building x" in caught.value.why
    assert not is_locked(path)


def test_waiting_ends_when_the_first_lets_go(tmp_path: Path) -> None:
    path, entered, release, listening = tmp_path / "tree", threading.Event(), threading.Event(), Listening()

    def first() -> None:
        with locked(path, "building x", wait=True, monitor=Silent()):
            entered.set()
            release.wait(10)

    thread = threading.Thread(target=first)
    thread.start()
    assert entered.wait(10)
    threading.Timer(0.1, release.set).start()
    with locked(path, "building y", wait=True, monitor=listening):
        assert "building x" in listening.heard[0]
    thread.join()


def test_the_cache_is_listed_measured_and_removed(tmp_path: Path) -> None:
    tree, used = tmp_path / "trees" / "abc-x", tmp_path / "trees" / "used"
    for folder in (tree, used, tmp_path / "mirrors" / "m.git"):
        folder.mkdir(parents=True)
        (folder / "file").write_bytes(b"x" * 100_000)
    (tree / "again").hardlink_to(tree / "file")
    assert 100_000 <= disk_usage(tree) < 150_000
    with locked(used, "building", wait=False, monitor=Silent()):
        found = {entry.path.name: entry for entry in entries(tmp_path)}
    assert {name: entry.in_use for name, entry in found.items()} == {"abc-x": False, "used": True, "m.git": False}
    remove(found["abc-x"])
    assert not tree.exists()
    assert sorted(path.name for path in (tmp_path / "trees").iterdir() if path.is_dir()) == ["used"]
