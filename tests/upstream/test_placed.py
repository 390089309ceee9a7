"""Files beside the commit: put there, replaced, taken away; and somebody else's left alone."""

from pathlib import Path

import pytest

from brqos.errors import ConfigurationError
from brqos.monitor import Silent
from brqos.upstream import cargo_config, override
from brqos.upstream.placed import MARK, PlacedFile, place
from image.recorder import Recorder

OWN = '[a]\nb = "mine"\n'


def text(value: str) -> str:
    return f'{MARK}\n\n[a]\nb = "{value}"\n'


@pytest.fixture(params=[override.placed, cargo_config.placed])
def kind(request: pytest.FixtureRequest):
    return request.param


def file_of(kind, tree: Path) -> Path:
    return tree / kind("").path


def test_a_work_tree_gets_it_and_loses_it(kind, tmp_path: Path) -> None:
    file = file_of(kind, tmp_path)
    for value in ("one", "two"):
        place(tmp_path, kind(text(value)), Silent())
        assert file.read_text() == text(value)
    for _ in range(2):
        place(tmp_path, kind(""), Silent())
        assert not file.exists()


def test_what_cargo_keeps_beside_it_stays(tmp_path: Path) -> None:
    (tmp_path / ".cargo/registry").mkdir(parents=True)
    place(tmp_path, cargo_config.placed(text("one")), Silent())
    place(tmp_path, cargo_config.placed(""), Silent())
    assert [path.name for path in (tmp_path / ".cargo").iterdir()] == ["registry"]


def test_somebody_elses_file_is_never_touched(kind, tmp_path: Path) -> None:
    file = file_of(kind, tmp_path)
    file.parent.mkdir(exist_ok=True)
    file.write_text(OWN)
    with pytest.raises(ConfigurationError, match="brqos did not write it") as caught:
        place(tmp_path, kind(text("one")), Silent())
    assert kind("").keys in caught.value.todo
    recorder = Recorder()
    place(tmp_path, kind(""), recorder)
    assert "counts for this build" in recorder.warnings[0]
    assert file.read_text() == OWN


def test_somebody_elses_file_that_says_the_same_is_left(kind, tmp_path: Path) -> None:
    file = file_of(kind, tmp_path)
    file.parent.mkdir(exist_ok=True)
    file.write_text(OWN)
    place(tmp_path, kind(text("mine")), Silent())
    assert file.read_text() == OWN


def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    with pytest.raises(ConfigurationError, match="cannot be read"):
        place(tmp_path, PlacedFile("x", text("one"), "crates"), Silent())
