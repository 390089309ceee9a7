"""Unpacking a source: modes are kept, and nothing gets out of the folder."""

import io
import zipfile
from pathlib import Path

import pytest

from brqos.rehearsal import archive
from brqos.rehearsal.archive import UnpackError, unpack


def packed(*entries: tuple[str, int, bytes]) -> bytes:
    """A ZIP of files: name, mode, bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, mode, data in entries:
            entry = zipfile.ZipInfo(name)
            entry.external_attr = mode << 16
            file.writestr(entry, data)
    return buffer.getvalue()


def test_files_folders_and_modes(tmp_path: Path) -> None:
    source = packed(
        ("a/b/run", 0o100755, b"#!"), ("c/", 0o40755, b""), ("plain", 0o100640, b"x"), ("set", 0o104711, b"")
    )
    unpack(source, tmp_path / "into")
    assert (tmp_path / "into/a/b/run").read_bytes() == b"#!" and (tmp_path / "into/c").is_dir()
    modes = {name: (tmp_path / "into" / name).stat().st_mode & 0o7777 for name in ("a/b/run", "plain", "set")}
    assert modes == {"a/b/run": 0o755, "plain": 0o640, "set": 0o711}


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (packed(("../out", 0o100644, b"x")), "outside of its folder"),
        (packed(("a/../../out", 0o100644, b"x")), "outside of its folder"),
        (packed(("/out", 0o100644, b"x")), "outside of its folder"),
        (packed(("link", 0o120777, b"/etc/passwd")), "symbolic link"),
        (b"no zip at all", "is no ZIP"),
    ],
)
def test_what_is_refused(tmp_path: Path, source: bytes, words: str) -> None:
    with pytest.raises(UnpackError, match=words):
        unpack(source, tmp_path / "into")
    assert not (tmp_path / "out").exists()


def test_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "_MOST_BYTES", 3)
    with pytest.raises(UnpackError, match="larger than"):
        unpack(packed(("a", 0o100644, b"1234")), tmp_path / "into")
