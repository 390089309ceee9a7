import tomllib
from pathlib import Path

import pytest

from brqos.resources import cache_directory


def test_variants_lists_all_with_their_defaults(brqos) -> None:
    rows = brqos("variants", "--json").json
    assert len(rows) == 30
    found = {row["variant"]: row for row in rows}
    assert found["aws-k8s-1.29-nvidia"]["default_release"] == "1.50.0"
    assert found["aws-k8s-1.29"]["tried"] is True
    assert found["aws-k8s-1.37"]["delivery"] == "native"
    assert "memory.low" in found["aws-k8s-1.36"]["effect"]


def test_variants_as_a_table_for_people(brqos) -> None:
    out = brqos("variants").out
    assert "aws-k8s-1.34" in out
    assert "aws-k8s-1.34-fips" not in out
    assert "aws-k8s-1.34-fips" in brqos("variants", "--flavor", "fips").out
    assert "plain" in brqos("variants", "--flavor", "gpu", code=3).err


def test_init_writes_a_sample_once(brqos, tmp_path: Path) -> None:
    brqos("init", "--variant", "aws-k8s-1.29")
    sample = (tmp_path / "brqos.toml").read_text()
    assert tomllib.loads(sample)["variant"] == "aws-k8s-1.29"
    assert "already" in brqos("init", code=3).err
    assert (tmp_path / "brqos.toml").read_text() == sample
    brqos("init", "--force")
    assert tomllib.loads((tmp_path / "brqos.toml").read_text())["variant"] == "aws-k8s-1.34"


def test_init_prints_the_sample_and_the_schema_and_writes_neither(brqos, tmp_path: Path) -> None:
    assert tomllib.loads(brqos("init", "--print").out)
    assert brqos("init", "--schema").json["additionalProperties"] is False
    assert list(tmp_path.iterdir()) == []
    assert "aws-k8s-1.29" in brqos("init", "--variant", "nonsense", code=3).err


def test_status_without_builds_says_how_to_begin(brqos) -> None:
    assert "--rehearse" in brqos("status").out
    assert brqos("status", "--json").json == []
    assert "no build" in brqos("status", "--build", "x", code=3).err


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema-version": 99}', "not json"])
def test_a_record_that_is_none_is_refused(brqos, tmp_path: Path, text: str) -> None:
    (tmp_path / "build.json").write_text(text)
    assert "error:" in brqos("status", "--record", "build.json", code=3).err


def test_clean_removes_trees_and_keeps_mirrors(brqos) -> None:
    for kind in ("trees", "mirrors"):
        (cache_directory() / kind / "x").mkdir(parents=True)
        (cache_directory() / kind / "x" / "file").write_bytes(b"x" * 2_000_000)
    would = brqos("clean", "--dry-run", "--json").json
    assert would["bytes"] >= 2_000_000
    assert (cache_directory() / "trees" / "x").exists()
    assert "freed" in brqos("clean").out
    assert not (cache_directory() / "trees" / "x").exists()
    assert (cache_directory() / "mirrors" / "x").exists()
    brqos("clean", "--mirrors")
    assert not (cache_directory() / "mirrors" / "x").exists()
    assert brqos("clean", "--older-than", "3", "--json").json["removed"] == []
