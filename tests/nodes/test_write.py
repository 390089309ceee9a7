"""Files that a person may have changed are not lost."""

import os
import stat
import threading
from pathlib import Path

import pytest

from brqos.errors import ConfigurationError
from brqos.nodes.write import Written, write_file


def only(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_new_file(tmp_path: Path) -> None:
    path = tmp_path / "nodes.yaml"
    assert write_file(path, "a: “b”\n") is Written.CREATED
    assert path.read_bytes() == "a: “b”\n".encode()
    assert only(tmp_path) == ["nodes.yaml"]


def test_the_same_text_leaves_the_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "nodes.yaml"
    write_file(path, "a\n")
    os.utime(path, (1, 1))
    assert write_file(path, "a\n") is Written.UNCHANGED
    assert path.stat().st_mtime == 1


def test_other_text_is_kept_unless_forced(tmp_path: Path) -> None:
    path = tmp_path / "nodes.yaml"
    path.write_text("mine\n")
    path.chmod(0o600)
    with pytest.raises(ConfigurationError, match="exists and has other content") as refused:
        write_file(path, "new\n")
    assert "--force" in refused.value.todo and "--output -" in refused.value.todo
    assert path.read_text() == "mine\n"
    assert write_file(path, "new\n", force=True) is Written.REPLACED
    assert path.read_text() == "new\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert only(tmp_path) == ["nodes.yaml"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    target = tmp_path / "real.yaml"
    target.write_text("old\n")
    link = tmp_path / "link.yaml"
    link.symlink_to(target)
    assert write_file(link, "new\n", force=True) is Written.REPLACED
    assert link.is_symlink()
    assert target.read_text() == "new\n"


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    assert write_file(pipe, "a\n") is Written.CREATED
    reader.join(timeout=10)
    assert read == ["a\n"]


@pytest.mark.parametrize("name", ["", "file/below.yaml", "x" * 300])
def test_where_nothing_can_be_written(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be written") as refused:
        write_file(tmp_path / name, "a\n")
    assert refused.value.why and refused.value.todo
    assert only(tmp_path) == ["file"]


def test_a_circle_of_links(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        write_file(tmp_path / "a", "x\n")
