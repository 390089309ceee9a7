"""Kits that were fetched in part are thrown away; whole ones stay."""

import json
from pathlib import Path

import pytest

from brqos.image.kits import fetched, fetching, repair

CACHE = Path("build/external-kits/cache")


def _archive(tree: Path, name: str, index: str | None) -> Path:
    folder = tree / CACHE / name
    (folder / "blobs").mkdir(parents=True)
    if index is not None:
        (folder / "index.json").write_text(index)
    return folder


@pytest.mark.parametrize("index", [None, "", "{", "[]", "{}", json.dumps({"manifests": []})])
def test_part(tmp_path: Path, index: str | None) -> None:
    part = _archive(tmp_path, "sha256-part", index)
    whole = _archive(tmp_path, "sha256-whole", json.dumps({"manifests": [{"digest": "sha256:1"}]}))
    assert repair(tmp_path) == (part,)
    assert not part.exists()
    assert whole.is_dir()
    assert repair(tmp_path) == ()


def test_unpacked_in_part(tmp_path: Path) -> None:
    kit = tmp_path / "build/external-kits/bottlerocket/bottlerocket-core-kit/x86_64"
    kit.mkdir(parents=True)
    digest = kit / "digest"
    digest.touch()
    fetching(tmp_path)
    fetched(tmp_path)
    assert repair(tmp_path) == ()
    assert digest.exists()
    fetching(tmp_path)
    assert repair(tmp_path) == (kit,)
    assert not digest.exists()


def test_nothing_there(tmp_path: Path) -> None:
    assert repair(tmp_path) == ()
    fetched(tmp_path)
